/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "worker.h"

/* When a worker has more than it can run at once, it wakes one that sleeps. */

enum { START, PASS, BACK, SIDE, EVENTS };

/* Woken from outside; wakes the other task and waits for it. */
struct first {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(first)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, &f->event[START]));
    event_set(&f->event[PASS]);
    VG_AWAIT(rc, event_wait(&f->wait, &f->event[BACK]));
    VG_RETURN(rc);
}

static struct first *first(struct first *f, struct event *event)
{
    VG_SETUP(f, first);
    f->event = event;
    return f;
}

struct side {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(side)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, &f->event[SIDE]));
    VG_RETURN(rc);
}

static struct side *side(struct side *f, struct event *event)
{
    VG_SETUP(f, side);
    f->event = event;
    return f;
}

/* Sets what it is told to, then yields. */
struct second {
    VG_FRAME(int);
    struct event *event;
    bool back, side;
    struct event_wait wait;
    struct vg_yield yield;
};

VG_ASYNC(second)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, &f->event[PASS]));
    if (f->back)
        event_set(&f->event[BACK]);
    if (f->side)
        event_set(&f->event[SIDE]);
    if (!f->side)
        VG_AWAIT(rc, vg_yield(&f->yield));
    VG_RETURN(rc);
}

static struct second *second(struct second *f, struct event *event, bool back, bool side)
{
    VG_SETUP(f, second);
    f->event = event;
    f->back = back;
    f->side = side;
    return f;
}

/* How many workers are woken by a poll of `second`, when one other worker sleeps and none searches. */
static uint64_t rings(bool back, bool with_side)
{
    struct event event[EVENTS] = {{.set = false}};
    struct rig rig;
    unsigned busy;
    uint64_t before, rung;

    rig_open_config(&rig, 2, NULL, true);
    rig_spawn(&rig, first, event);
    rig_spawn(&rig, second, event, back, with_side);
    rig_spawn(&rig, side, event);
    event_set(&event[START]);
    busy = vg_idle_may_park(&rig.exec->idle, 0) ? 1 : 0; /* the one that was rung for it */
    CHECK(!vg_idle_may_park(&rig.exec->idle, busy));
    CHECK_EQ(vg_exec_step(rig.exec, busy), VG_STEP_RAN);
    for (unsigned i = 0; i < 3; i++) /* `second` is where no thief can see it */
        CHECK_EQ(vg_exec_step(rig.exec, 1 - busy), VG_STEP_IDLE);
    CHECK(vg_idle_may_park(&rig.exec->idle, 1 - busy));
    before = rig.sim.stats.unparks;
    CHECK_EQ(vg_exec_step(rig.exec, busy), VG_STEP_RAN);
    rung = rig.sim.stats.unparks - before;
    CHECK_EQ(rung == 0, vg_idle_may_park(&rig.exec->idle, 1 - busy));
    event_set(&event[BACK]);
    event_set(&event[SIDE]);
    rig_run(&rig);
    rig_close(&rig);
    return rung;
}

TEST(a_task_that_goes_behind_others_wakes_a_worker_for_them)
{
    CHECK_EQ(rings(true, false), 1);
}

TEST(a_task_that_is_alone_goes_on_without_waking_anybody)
{
    CHECK_EQ(rings(false, false), 0);
}

TEST(a_second_task_that_is_woken_displaces_the_first_and_wakes_a_worker_for_it)
{
    CHECK_EQ(rings(true, true), 1);
}

TEST(a_task_that_is_woken_and_runs_next_wakes_nobody)
{
    CHECK_EQ(rings(false, true), 0);
}
