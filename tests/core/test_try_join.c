/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"

/* All of several, or the first failure. */

enum { THREE = 3 };

/* Ends when its event is set: with the number that it was given. */
struct outcome {
    struct vg_future fut;
    ssize_t ret;
    ssize_t number;
    bool started;
    struct event_wait wait;
};

static vg_poll outcome_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct outcome *const outcome = (struct outcome *)(void *)fut;

    outcome->started = true;
    if (vg_cancelled(fut))
        vg_cancel(&outcome->wait.fut, cx);
    if (!vg_poll_future(&outcome->wait.fut, cx).ready)
        return VG_PENDING;
    outcome->ret = outcome->wait.ret < 0 ? outcome->wait.ret : outcome->number;
    return VG_READY;
}

static void outcome_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct outcome *)(void *)fut)->wait.fut, cx);
}

static struct outcome *outcome(struct outcome *outcome, struct event *event, ssize_t number)
{
    static const struct vg_ops ops = {
        .poll = outcome_poll,
        .cancel = outcome_cancel,
        .name = "outcome",
        .size = sizeof(struct outcome),
        .kind = VG_KIND_NODE,
    };

    vg_future_init(&outcome->fut, &ops);
    event_wait(&outcome->wait, event);
    outcome->number = number;
    outcome->started = false;
    return outcome;
}

struct scene {
    struct event event[THREE];
    ssize_t number[THREE];
    struct outcome outcome[THREE];
};

struct joiner {
    VG_FRAME(int);
    struct scene *scene;
    bool covered;
    VG_TRIES(THREE) tries;
    struct around opaque;
};

VG_ASYNC(joiner)
{
    VG_BEGIN(f);
    struct scene *const s = f->scene;
    int rc;
    VG_TRY_JOIN(f->tries, outcome(&s->outcome[0], &s->event[0], s->number[0]),
                outcome(&s->outcome[1], &s->event[1], s->number[1]),
                outcome(&s->outcome[2], &s->event[2], s->number[2]));
    if (f->covered)
        VG_AWAIT(rc, opaque(&f->opaque, &f->tries.join.fut, NULL));
    else
        VG_AWAIT(rc, &f->tries.join);
    VG_RETURN(rc == 0 ? f->tries.join.ret : rc);
}

static struct joiner *joiner(struct joiner *f, struct scene *scene, bool covered)
{
    VG_SETUP(f, joiner);
    f->scene = scene;
    f->covered = covered;
    return f;
}

/* All events in the order, each in a poll of its own or all in one. Bit 0 of how: together; bit 1: below an opaque future. */
static int join(struct scene *s, const unsigned *order, unsigned how)
{
    struct rig rig;
    int ret;

    rig_open(&rig);
    rig_spawn(&rig, joiner, s, (how & 2) != 0);
    for (unsigned i = 0; i < THREE; i++) {
        event_set(&s->event[order[i]]);
        if ((how & 1) == 0)
            rig_run(&rig);
    }
    rig_run(&rig);
    ret = RIG_RET(&rig, 0, struct joiner);
    rig_close(&rig);
    return ret;
}

static const unsigned forth[THREE] = {0, 1, 2}, back[THREE] = {2, 1, 0};

TEST(it_ends_with_0_when_all_have_succeeded)
{
    for (unsigned how = 0; how < 4; how++) {
        struct scene s = {.number = {7, 0, INT64_C(1) << 40}};

        CHECK_EQ(join(&s, how % 2 ? forth : back, how), 0);
        CHECK_EQ(s.outcome[2].ret, INT64_C(1) << 40);
    }
}

TEST(the_first_failure_cancels_the_others_and_is_the_result)
{
    for (unsigned how = 0; how < 4; how += 2) {
        struct scene s = {.number = {1, -EIO, -ENOMEM}};

        CHECK_EQ(join(&s, back, how), -ENOMEM);
        CHECK_EQ(s.outcome[0].ret, -ECANCELED);
        CHECK_EQ(s.outcome[1].ret, -ECANCELED);
        s = (struct scene){.number = {1, -EIO, -ENOMEM}};
        CHECK_EQ(join(&s, forth, how), -EIO);
        CHECK_EQ(s.outcome[0].ret, 1);
        CHECK_EQ(s.outcome[2].ret, -ECANCELED);
    }
}

TEST(what_ended_in_the_same_poll_as_the_failure_keeps_its_result)
{
    struct scene s = {.number = {1, -EIO, 3}};

    CHECK_EQ(join(&s, forth, 1), -EIO);
    CHECK_EQ(s.outcome[0].ret, 1);
}

TEST(a_failure_at_once_leaves_the_rest_alone)
{
    struct scene s = {.number = {1, -EIO, 3}};
    struct rig rig;

    s.event[1].set = true;
    rig_open(&rig);
    rig_spawn(&rig, joiner, &s, false);
    CHECK_EQ(RIG_RET(&rig, 0, struct joiner), -EIO);
    CHECK_EQ(s.outcome[0].ret, -ECANCELED);
    CHECK(!s.outcome[2].started);
    rig_close(&rig);
}

TEST(a_cancelled_join_cancels_all)
{
    for (unsigned came = 0; came < 2; came++) {
        struct scene s = {.number = {1, 2, 3}};
        struct rig rig;

        rig_open(&rig);
        rig_spawn(&rig, joiner, &s, false);
        if (came)
            event_set(&s.event[0]);
        vg_task_cancel(&rig.task[0]);
        rig_run(&rig);
        CHECK_EQ(RIG_RET(&rig, 0, struct joiner), -ECANCELED);
        CHECK_EQ(s.outcome[0].ret, came ? 1 : -ECANCELED);
        CHECK_EQ(s.outcome[2].ret, -ECANCELED);
        rig_close(&rig);
    }
}

TEST(of_nothing_it_ends_at_once)
{
    struct rig rig;
    struct vg_try_join join;

    rig_open(&rig);
    CHECK_EQ(vg_block_on(rig.exec, &vg_try_join(&join, NULL, NULL, 0)->fut), 0);
    CHECK_EQ(join.ret, 0);
    rig_close(&rig);
}
