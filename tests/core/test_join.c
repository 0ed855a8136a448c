/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* All of several. */

enum { MANY = 700 };

struct joiner {
    VG_FRAME(int);
    struct event *event;
    unsigned count;
    bool covered; /* below an opaque future */
    struct vg_join join;
    struct vg_future *child[MANY];
    struct event_wait wait[MANY];
    struct around opaque;
};

VG_ASYNC(joiner)
{
    VG_BEGIN(f);
    int rc;
    for (unsigned i = 0; i < f->count; i++)
        f->child[i] = &event_wait(&f->wait[i], &f->event[i])->fut;
    vg_join(&f->join, f->child, f->child, f->count);
    if (f->covered)
        VG_AWAIT(rc, opaque(&f->opaque, &f->join.fut, NULL));
    else
        VG_AWAIT(rc, &f->join);
    CHECK(f->covered || rc == f->join.ret);
    VG_RETURN(f->join.ret);
}

static struct joiner *joiner(struct joiner *f, struct event *event, unsigned count, bool covered)
{
    VG_SETUP(f, joiner);
    f->event = event;
    f->count = count;
    f->covered = covered;
    return f;
}

static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static void join_three(bool covered, bool together)
{
    struct rig rig;

    rig_open(&rig);
    for (unsigned order = 0; order < 6; order++) {
        struct event event[3] = {{.set = false}};
        rig_spawn(&rig, joiner, event, 3, covered);
        for (unsigned i = 0; i < 3; i++) {
            CHECK(!rig_done(&rig, order));
            event_set(&event[orders[order][i]]);
            if (!together)
                rig_run(&rig);
        }
        rig_run(&rig);
        CHECK_EQ(RIG_RET(&rig, order, struct joiner), 0);
        CHECK_EQ(rig_polls(&rig, order), together ? 2 : 4);
    }
    rig_close(&rig);
}

TEST(a_join_of_three_ends_with_the_last_in_whatever_order)
{
    join_three(false, false);
}

TEST(a_join_of_three_ends_when_all_end_in_one_poll)
{
    join_three(false, true);
}

TEST(a_join_below_an_opaque_future_ends_with_the_last)
{
    join_three(true, false);
}

TEST(a_join_below_an_opaque_future_ends_when_all_end_in_one_poll)
{
    join_three(true, true);
}

TEST(a_join_of_children_that_are_ready_at_once_does_not_wait)
{
    struct rig rig;
    struct event event[3] = {{.set = true}, {.set = true}, {.set = true}};

    rig_open(&rig);
    rig_spawn(&rig, joiner, event, 3, false);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    CHECK_EQ(RIG_RET(&rig, 0, struct joiner), 0);
    rig_close(&rig);
}

TEST(a_join_of_nothing_is_ready)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, joiner, NULL, 0, false);
    CHECK_EQ(RIG_RET(&rig, 0, struct joiner), 0);
    rig_close(&rig);
}

TEST(a_join_may_have_any_number_of_children)
{
    struct rig rig;
    static struct event event[MANY];

    rig_open(&rig);
    rig_spawn(&rig, joiner, event, MANY, false);
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(!rig_done(&rig, 0));
        event_set(&event[i * 3 % MANY]);
        if (i % 3 == 0)
            rig_run(&rig);
    }
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct joiner), 0);
    rig_close(&rig);
}

TEST(a_cancelled_join_ends_when_its_children_have)
{
    struct rig rig;
    struct event event[3] = {{.set = false}};
    const struct joiner *f;

    rig_open(&rig);
    rig_spawn(&rig, joiner, event, 3, false);
    event_set(&event[1]);
    rig_run(&rig);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->ret, -ECANCELED);
    CHECK_EQ(f->wait[0].ret, -ECANCELED);
    CHECK_EQ(f->wait[1].ret, 0);
    CHECK_EQ(f->wait[2].ret, -ECANCELED);
    rig_close(&rig);
}

/* Awaits a join although it has been cancelled. */
struct late {
    VG_FRAME(int);
    struct event *event; /* three */
    VG_CHILDREN(2) both;
    struct event_wait first, wait[2];
};

VG_ASYNC(late)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->first, &f->event[2]));
    CHECK_EQ(rc, -ECANCELED);
    VG_AWAIT(rc, VG_JOIN(f->both, event_wait(&f->wait[0], &f->event[0]),
                         event_wait(&f->wait[1], &f->event[1])));
    VG_RETURN(rc);
}

static struct late *late(struct late *f, struct event *event)
{
    VG_SETUP(f, late);
    f->event = event;
    return f;
}

TEST(a_join_that_starts_cancelled_starts_its_children_cancelled)
{
    struct rig rig;
    struct event event[3] = {{.set = false}, {.set = true}};
    const struct late *f;

    rig_open(&rig);
    rig_spawn(&rig, late, event);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->ret, -ECANCELED);
    CHECK_EQ(f->wait[0].ret, -ECANCELED);
    CHECK_EQ(f->wait[1].ret, 0); /* it could have its result at once */
    rig_close(&rig);
}

/* ---- a child that was kept before ------------------------------------------------------------ */

struct adopter {
    VG_FRAME(int);
    struct event *event; /* three */
    VG_ARMS(2) arms;
    VG_CHILDREN(2) both;
    struct event_wait kept, go, fresh;
};

VG_ASYNC(adopter)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->kept, &f->event[0])),
                           VG_CANCEL(event_wait(&f->go, &f->event[1]))));
    SCRIBBLE(&f->arms);
    VG_AWAIT(rc, VG_JOIN(f->both, event_wait(&f->fresh, &f->event[2]), &f->kept));
    VG_RETURN(rc);
}

static struct adopter *adopter(struct adopter *f, struct event *event)
{
    VG_SETUP(f, adopter);
    f->event = event;
    return f;
}

TEST(a_kept_child_can_be_joined)
{
    static const unsigned last[] = {0, 2};
    struct rig rig;

    rig_open(&rig);
    for (unsigned t = 0; t < 2; t++) {
        struct event event[3] = {{.set = false}};
        rig_spawn(&rig, adopter, event);
        event_set(&event[1]);
        rig_run(&rig);
        event_set(&event[2 - last[t]]);
        rig_run(&rig);
        CHECK(!rig_done(&rig, t));
        event_set(&event[last[t]]);
        rig_run(&rig);
        CHECK_EQ(RIG_RET(&rig, t, struct adopter), 0);
    }
    rig_close(&rig);
}

TEST(a_child_that_ended_while_it_was_kept_counts)
{
    struct rig rig;
    struct event event[3] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, adopter, event);
    event_set(&event[1]);
    event_set(&event[0]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    event_set(&event[2]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct adopter), 0);
    rig_close(&rig);
}

/* Each of two polls stops before it comes to it. */
TEST(a_cancel_that_comes_behind_more_wakes_than_two_polls_answer_is_passed_on)
{
    struct event event[MANY] = {{.set = false}};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, joiner, event, MANY, false);
    rig_run(&rig);
    for (unsigned i = 0; i < MANY - 1; i++)
        event_set(&event[i]);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct joiner), -ECANCELED);
    rig_close(&rig);
}
