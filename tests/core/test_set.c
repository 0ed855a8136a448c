/* SPDX-License-Identifier: MIT */
#include "set_scene.h"

/* Sets: what is pushed, runs and is taken out. */

TEST(children_are_taken_out_in_the_order_in_which_they_end)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, false, false);
    set_in_order(&rig, &s, backwards);
    CHECK_EQ(RIG_RET(&rig, 0, struct collector), -ENOENT);
    CHECK_EQ(s.taken, CHILDREN - 1);
    for (unsigned i = 0; i <= s.taken; i++)
        CHECK_EQ(s.order[i], backwards[i]);
    CHECK(vg_set_empty(&s.set));
    rig_close(&rig);
}

TEST(children_run_to_their_end_while_the_frame_awaits_something_else)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, true, false);
    set_in_order(&rig, &s, backwards);
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        CHECK(vg_done(&s.child[i].wait.fut));
    CHECK_EQ(s.set.fut.state, VG_DONE);
    CHECK(!vg_set_empty(&s.set));
    event_set(&s.busy);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct collector), -ENOENT);
    for (unsigned i = 0; i <= s.taken; i++)
        CHECK_EQ(s.order[i], backwards[i]);
    rig_close(&rig);
}

TEST(a_wake_polls_only_the_child_that_was_woken)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, false, false);
    for (unsigned n = 0; n < 10; n++) {
        event_poke(&s.event[2]);
        rig_run(&rig);
    }
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        CHECK_EQ(s.polls[i], i == 2 ? 11 : 1);
    set_in_order(&rig, &s, backwards);
    CHECK_EQ(s.taken, CHILDREN - 1);
    rig_close(&rig);
}

TEST(a_child_that_ends_at_once_is_taken_out_like_any_other)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        s.event[i].set = true;
    rig_spawn(&rig, collector, &s, false, false);
    CHECK_EQ(RIG_RET(&rig, 0, struct collector), -ENOENT);
    CHECK_EQ(s.taken, CHILDREN - 1);
    CHECK_EQ(s.set.fut.state, VG_INIT); /* nobody had to drive it */
    rig_close(&rig);
}

/* Cancels the task, and sets the first events before or after that; all of it comes in one poll. */
static void cancel_among(struct rig *rig, struct scene *s, unsigned events, bool before)
{
    for (unsigned i = 0; before && i < events; i++)
        event_set(&s->event[i]);
    vg_task_cancel(&rig->task[0]);
    for (unsigned i = 0; !before && i < events; i++)
        event_set(&s->event[i]);
    rig_run(rig);
}

static void cancel_collector(unsigned events, bool before, bool is_busy)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, is_busy, true);
    cancel_among(&rig, &s, events, before);
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(s.taken, 0); /* they are left in the set */
    CHECK_EQ(s.order[0], -ECANCELED);
    for (unsigned i = 0; i < CHILDREN - 1; i++) {
        CHECK(vg_done(&s.child[i].wait.fut));
        CHECK_EQ(s.child[i].wait.ret, i < events ? 0 : -ECANCELED);
    }
    rig_close(&rig);
}

TEST(a_cancelled_frame_ends_its_children_and_loses_none_of_them)
{
    for (unsigned events = 0; events < CHILDREN; events++)
        for (unsigned how = 0; how < 4; how++)
            cancel_collector(events, how & 1, how & 2);
}

/* ---- one at a time --------------------------------------------------------------------------- */

/* Keeps two running; each that ends is pushed again under the next number. */
struct relay {
    VG_FRAME(int);
    struct scene *scene;
    unsigned pushed;
    struct vg_set_next next;
};

VG_ASYNC(relay)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    for (;;) {
        for (; f->pushed < CHILDREN && f->pushed < f->scene->taken + 2; f->pushed++)
            VG_SET_PUSH(&f->scene->set, &f->scene->child[f->pushed].item,
                        child(f->scene, f->pushed));
        VG_AWAIT(rc, vg_set_next(&f->next, &f->scene->set));
        if (rc < 0)
            VG_RETURN(rc);
        take(f->scene, f->next.item);
    }
}

static struct relay *relay(struct relay *f, struct scene *scene)
{
    VG_SETUP(f, relay);
    f->scene = scene;
    f->pushed = 0;
    return f;
}

TEST(children_may_be_pushed_while_others_run)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, relay, &s);
    for (unsigned i = 0; i < CHILDREN; i++) {
        CHECK_EQ(s.polls[i], 1);
        CHECK(i + 2 >= CHILDREN || s.polls[i + 2] == 0);
        event_set(&s.event[i]);
        rig_run(&rig);
        CHECK_EQ(s.taken, i + 1);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct relay), -ENOENT);
    rig_close(&rig);
}

/* Pushes one, waits until the set has ended, and does it again. */
struct again {
    VG_FRAME(int);
    struct scene *scene;
    unsigned i;
};

VG_ASYNC(again)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    VG_AWAIT(rc, &f->scene->set); /* nothing runs */
    CHECK_EQ(rc, 0);
    for (f->i = 0; f->i < CHILDREN; f->i++) {
        VG_SET_PUSH(&f->scene->set, &f->scene->child[f->i].item, child(f->scene, f->i));
        VG_TRY(rc, &f->scene->set);
    }
    VG_RETURN(0);
}

static struct again *again(struct again *f, struct scene *scene)
{
    VG_SETUP(f, again);
    f->scene = scene;
    return f;
}

TEST(awaiting_the_set_waits_for_all_and_it_may_be_used_again)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, again, &s);
    for (unsigned i = 0; i < CHILDREN; i++) {
        CHECK(!rig_done(&rig, 0));
        CHECK_EQ(s.polls[i], 1);
        event_set(&s.event[i]);
        rig_run(&rig);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct again), 0);
    rig_close(&rig);
}
