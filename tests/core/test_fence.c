/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Parked children: nobody polls what is below them, and nothing that was woken there is forgotten. */

/* What the instruments hear. */
struct ears {
    struct vg_probe probe;
    unsigned passed, suspended;
    const struct vg_future *last;
};

static void hear_passed(struct vg_probe *probe, unsigned worker, const struct vg_passed *passed,
                        uint64_t now)
{
    struct ears *ears = (struct ears *)(void *)probe;

    CHECK_EQ(worker, 0);
    CHECK(now > 0);
    ears->passed++;
    ears->last = passed->waiter->fut;
}

static void hear_suspended(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                           uint64_t now)
{
    CHECK_EQ(worker, 0);
    CHECK(task != NULL && now > 0);
    ((struct ears *)(void *)probe)->suspended++;
}

static void hear_visited(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    (void)probe, (void)worker, (void)visit;
}

static void rig_open_heard(struct rig *rig, struct ears *ears)
{
    *ears = (struct ears){.probe = {.visited = hear_visited,
                                    .passed_over = hear_passed,
                                    .suspended = hear_suspended}};
    rig_open_config(rig, 1, &ears->probe, true);
}

/* ---- one parked arm, deep -------------------------------------------------------------------- */

enum { DEPTH = 8, PARK_NOW, BACK, LEAF, EVENTS };

struct parker {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    unsigned *polls;
    VG_ARMS(2) arms;
    struct event_wait wait[EVENTS];
    struct around level[DEPTH];
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    int rc;
    struct vg_future *top = &event_wait_counted(&f->wait[LEAF], &f->event[LEAF], f->polls)->fut;
    for (unsigned i = 0; i < DEPTH; i++)
        top = &around(&f->level[i], top, NULL)->fut;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_PARK(&f->level[DEPTH - 1]),
                           VG_CANCEL(event_wait(&f->wait[PARK_NOW], &f->event[PARK_NOW]))));
    CHECK_EQ(rc, 1);
    SCRIBBLE(&f->arms);
    VG_AWAIT(rc, event_wait(&f->wait[BACK], &f->event[BACK]));
    VG_AWAIT(rc, &f->level[DEPTH - 1]);
    VG_RETURN(f->wait[LEAF].ret);
}

static struct parker *parker(struct parker *f, struct event *event, unsigned *polls)
{
    VG_SETUP(f, parker);
    f->event = event;
    f->polls = polls;
    return f;
}

TEST(a_leaf_eight_levels_below_a_parked_arm_waits_until_the_arm_is_awaited)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    unsigned polls = 0;

    rig_open(&rig);
    rig_spawn(&rig, parker, event, &polls);
    event_set(&event[PARK_NOW]);
    rig_run(&rig);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 1);
    event_set(&event[LEAF]);
    rig_run(&rig);
    CHECK_EQ(rig_polls(&rig, 0), 3);
    CHECK_EQ(polls, 1);
    event_set(&event[BACK]);
    rig_run(&rig);
    CHECK_EQ(polls, 2);
    CHECK_EQ(RIG_RET(&rig, 0, struct parker), 0);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 0);
    rig_close(&rig);
}

TEST(a_wake_in_the_batch_that_parks_its_arm_waits_too)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    unsigned polls = 0;

    rig_open(&rig);
    rig_spawn(&rig, parker, event, &polls);
    event_set(&event[PARK_NOW]);
    event_set(&event[LEAF]);
    rig_run(&rig);
    CHECK_EQ(polls, 1);
    event_set(&event[BACK]);
    rig_run(&rig);
    CHECK_EQ(polls, 2);
    CHECK_EQ(RIG_RET(&rig, 0, struct parker), 0);
    rig_close(&rig);
}

TEST(a_wake_after_its_arm_is_awaited_again_is_answered_at_once)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    unsigned polls = 0;

    rig_open(&rig);
    rig_spawn(&rig, parker, event, &polls);
    event_set(&event[PARK_NOW]);
    event_set(&event[BACK]);
    rig_run(&rig);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 0);
    event_set(&event[LEAF]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parker), 0);
    rig_close(&rig);
}

TEST(what_is_woken_below_a_parked_arm_is_owed_and_reported_once)
{
    struct rig rig;
    struct ears ears;
    struct event event[EVENTS] = {{.set = false}};
    struct vg_task_info info;
    unsigned polls = 0;
    uint64_t woken;

    rig_open_heard(&rig, &ears);
    rig_spawn(&rig, parker, event, &polls);
    event_set(&event[PARK_NOW]);
    rig_run(&rig);
    CHECK_EQ(ears.suspended, 1);
    CHECK_EQ(vg_exec_owing(rig.exec), 0);

    rig_pass(&rig, VG_MSEC(7));
    woken = sim_now(&rig.sim);
    event_set(&event[LEAF]);
    rig_run(&rig);
    rig_pass(&rig, VG_MSEC(5));
    CHECK_EQ(ears.passed, 1);
    CHECK_EQ(vg_exec_owing(rig.exec), 1);
    vg_task_info(rig.task[0].task, &info);
    CHECK_EQ(info.owed_since, woken);
    CHECK(vg_inspect_begin(rig.task[0].task));
    CHECK_EQ(vg_task_owed(rig.task[0].task, 0)->fut, ears.last);
    CHECK(vg_task_owed(rig.task[0].task, 1) == NULL);
    CHECK_STR(vg_fence_above(ears.last)->ops->name, "around");
    vg_inspect_end(rig.task[0].task);

    event_poke(&event[BACK]); /* a poll that has nothing to do with it */
    rig_run(&rig);
    CHECK_EQ(ears.passed, 1);
    event_set(&event[BACK]);
    rig_run(&rig);
    CHECK_EQ(vg_exec_owing(rig.exec), 0);
    CHECK_EQ(RIG_RET(&rig, 0, struct parker), 0);
    rig_close(&rig);
}

/* ---- fences below fences --------------------------------------------------------------------- */

enum { INNER_BACK = EVENTS, OUTER_PARK, OUTER_BACK, ALL_EVENTS };

/* Parks a parker, and comes back to it. */
struct outer {
    VG_FRAME(int);
    struct event *event; /* ALL_EVENTS */
    VG_ARMS(2) arms;
    struct event_wait park, back;
    struct parker inner;
};

static struct outer *outer(struct outer *f, struct event *event, unsigned *polls);

VG_ASYNC(outer)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_PARK(&f->inner),
                           VG_CANCEL(event_wait(&f->park, &f->event[OUTER_PARK]))));
    CHECK_EQ(rc, 1);
    VG_AWAIT(rc, event_wait(&f->back, &f->event[OUTER_BACK]));
    VG_AWAIT(rc, &f->inner);
    VG_RETURN(rc);
}

static struct outer *outer(struct outer *f, struct event *event, unsigned *polls)
{
    VG_SETUP(f, outer);
    f->event = event;
    parker(&f->inner, event, polls);
    return f;
}

TEST(a_leaf_below_two_parked_arms_waits_for_both)
{
    struct rig rig;
    struct ears ears;
    struct event event[ALL_EVENTS] = {{.set = false}};
    unsigned polls = 0;

    rig_open_heard(&rig, &ears);
    rig_spawn(&rig, outer, event, &polls);
    event_set(&event[PARK_NOW]);
    rig_run(&rig);
    event_set(&event[OUTER_PARK]);
    rig_run(&rig);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 2);
    event_set(&event[LEAF]);
    event_set(&event[BACK]); /* is below the outer one itself */
    rig_run(&rig);
    CHECK_EQ(ears.passed, 2);
    event_set(&event[OUTER_BACK]);
    rig_run(&rig); /* the inner frame goes on, and awaits what it has parked */
    CHECK_EQ(polls, 2);
    CHECK_EQ(RIG_RET(&rig, 0, struct outer), 0);
    CHECK_EQ(ears.passed, 2);
    rig_close(&rig);
}

TEST(what_was_skipped_stays_so_below_a_second_parked_arm)
{
    struct rig rig;
    struct ears ears;
    struct event event[ALL_EVENTS] = {{.set = false}};
    unsigned polls = 0;

    rig_open_heard(&rig, &ears);
    rig_spawn(&rig, outer, event, &polls);
    event_set(&event[PARK_NOW]);
    rig_run(&rig);
    event_set(&event[OUTER_PARK]);
    event_set(&event[LEAF]);
    event_set(&event[OUTER_BACK]);
    rig_run(&rig);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 1);
    CHECK_EQ(polls, 1);
    CHECK_EQ(vg_exec_owing(rig.exec), 1);
    CHECK_EQ(ears.passed, 1);
    event_set(&event[BACK]);
    rig_run(&rig);
    CHECK_EQ(polls, 2);
    CHECK_EQ(RIG_RET(&rig, 0, struct outer), 0);
    rig_close(&rig);
}

/* ---- siblings -------------------------------------------------------------------------------- */

enum { FIRST, SECOND, GO, FETCH_SECOND, SIBLINGS };

/* Parks two, then comes back to the second, then to the first. */
struct siblings {
    VG_FRAME(int);
    struct event *event; /* SIBLINGS */
    unsigned *polls;     /* of the first and the second */
    VG_ARMS(3) arms;
    struct event_wait wait[SIBLINGS];
};

VG_ASYNC(siblings)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(
                     f->arms,
                     VG_PARK(event_wait_counted(&f->wait[FIRST], &f->event[FIRST], &f->polls[0])),
                     VG_PARK(event_wait_counted(&f->wait[SECOND], &f->event[SECOND], &f->polls[1])),
                     VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
    CHECK_EQ(rc, 2);
    VG_AWAIT(rc, event_wait(&f->wait[FETCH_SECOND], &f->event[FETCH_SECOND]));
    VG_AWAIT(rc, &f->wait[SECOND]);
    CHECK_EQ(f->polls[0], 1); /* nobody has asked for it yet */
    VG_AWAIT(rc, &f->wait[FIRST]);
    VG_RETURN(rc);
}

static struct siblings *siblings(struct siblings *f, struct event *event, unsigned *polls)
{
    VG_SETUP(f, siblings);
    f->event = event;
    f->polls = polls;
    return f;
}

TEST(awaiting_one_parked_child_looks_again_at_all_that_was_skipped)
{
    struct rig rig;
    struct ears ears;
    struct event event[SIBLINGS] = {{.set = false}};
    unsigned polls[2] = {0};

    rig_open_heard(&rig, &ears);
    rig_spawn(&rig, siblings, event, polls);
    event_set(&event[GO]);
    event_set(&event[FIRST]);
    event_set(&event[SECOND]);
    rig_run(&rig);
    CHECK_EQ(ears.passed, 2);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 2);
    event_set(&event[FETCH_SECOND]);
    rig_run(&rig);
    CHECK_EQ(polls[0], 2);
    CHECK_EQ(polls[1], 2);
    CHECK_EQ(ears.passed, 2); /* looked at twice, told once */
    CHECK_EQ(RIG_RET(&rig, 0, struct siblings), 0);
    rig_close(&rig);
}
