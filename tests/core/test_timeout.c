/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "worker.h"

/* One future with a deadline. */

struct bounded {
    VG_FRAME(int);
    struct event *event;
    uint64_t limit;
    struct vg_timeout timeout;
    union {
        struct event_wait wait;
        unsigned char bytes[256];
    } u;
    int child;
    struct vg_sleep nap;
};

VG_ASYNC(bounded)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(f->ret, vg_timeout(&f->timeout, f->limit, event_wait(&f->u.wait, f->event)));
    f->child = f->u.wait.ret;
    SCRIBBLE(&f->timeout);
    SCRIBBLE(&f->u);
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(rc < 0 ? rc : f->ret);
}

static struct bounded *bounded(struct bounded *f, struct event *event, uint64_t limit)
{
    VG_SETUP(f, bounded);
    f->event = event;
    f->limit = limit;
    return f;
}

/* What the timeout and its child returned, at the given time. */
static void check_ended(struct rig *rig, int ret, int child)
{
    const struct bounded *f;

    CHECK_EQ(rig->task[0].task->armed, 1); /* the last nap, and nothing of the timeout */
    rig_pass(rig, VG_MSEC(1));
    f = vg_task_frame(&rig->task[0]);
    CHECK_EQ(f->ret, ret);
    CHECK_EQ(f->child, child);
    CHECK_EQ(vg_exec_next_deadline(rig->exec), VG_NEVER);
    rig_close(rig);
}

TEST(a_child_that_ends_in_time_takes_its_deadline_with_it)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, VG_MSEC(10));
    rig_pass(&rig, VG_MSEC(9));
    event_set(&event);
    rig_run(&rig);
    check_ended(&rig, 0, 0);
}

TEST(a_child_that_is_ready_at_once_needs_no_deadline)
{
    struct rig rig;
    struct event event = {.set = true};

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, 0);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    check_ended(&rig, 0, 0);
}

TEST(at_the_deadline_the_child_is_cancelled_and_awaited)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, VG_MSEC(10));
    rig_pass(&rig, VG_MSEC(9));
    CHECK(event.waiter != NULL);
    rig_pass(&rig, VG_MSEC(1));
    CHECK(event.waiter == NULL);
    CHECK_EQ(rig_polls(&rig, 0), 2);
    check_ended(&rig, -ETIMEDOUT, -ECANCELED);
}

TEST(a_limit_of_zero_gives_the_child_one_poll)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, 0);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    check_ended(&rig, -ETIMEDOUT, -ECANCELED);
}

TEST(a_limit_without_end_is_none)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, VG_NEVER);
    CHECK_EQ(vg_exec_next_deadline(rig.exec), VG_NEVER);
    event_set(&event);
    rig_run(&rig);
    check_ended(&rig, 0, 0);
}

TEST(a_cancelled_timeout_ends_as_its_child_does)
{
    struct rig rig;
    struct event event = {.set = false};
    const struct bounded *f;

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, VG_MSEC(10));
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]); /* its nap was cancelled too */
    CHECK_EQ(f->ret, -ECANCELED);
    CHECK_EQ(f->child, -ECANCELED);
    CHECK_EQ(vg_exec_next_deadline(rig.exec), VG_NEVER);
    rig_close(&rig);
}

/* ---- the deadline and the value at once ------------------------------------------------------ */

/* A timeout over a frame that sleeps exactly as long as it may. */
struct tie {
    VG_FRAME(int);
    struct vg_timeout timeout;
    struct vg_sleep nap;
};

VG_ASYNC(tie)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_timeout(&f->timeout, VG_MSEC(10), vg_sleep(&f->nap, VG_MSEC(10))));
    CHECK_EQ(f->nap.ret, 0);
    VG_RETURN(rc);
}

static struct tie *tie(struct tie *f)
{
    VG_SETUP(f, tie);
    return f;
}

TEST(a_child_that_ends_in_the_step_of_the_deadline_has_ended_in_time)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, tie);
    rig_pass(&rig, VG_MSEC(10));
    CHECK_EQ(RIG_RET(&rig, 0, struct tie), 0);
    rig_close(&rig);
}

TEST(a_value_that_comes_behind_the_deadline_in_the_same_batch_has_come_in_time)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, bounded, &event, VG_MSEC(10));
    rig.sim.now += VG_MSEC(10);
    CHECK_EQ(vg_wheel_fire(&rig.exec->workers[0].wheel, sim_now(&rig.sim)), 1);
    event_set(&event);
    rig_run(&rig);
    check_ended(&rig, 0, 0);
}

/* ---- a child that takes its time ------------------------------------------------------------- */

struct lingering {
    VG_FRAME(int);
    struct vg_sleep nap;
};

VG_ASYNC(lingering)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_SEC(1)));
    CHECK_EQ(rc, -ECANCELED);
    VG_AWAIT_SHIELDED(rc, vg_sleep(&f->nap, VG_MSEC(5)));
    VG_RETURN(5);
}

static struct lingering *lingering(struct lingering *f)
{
    VG_SETUP(f, lingering);
    return f;
}

struct outer {
    VG_FRAME(int);
    struct vg_timeout inner_limit, limit;
    struct lingering child;
};

VG_ASYNC(outer)
{
    VG_BEGIN(f);
    int rc;
    /* The outer one is due while the child of the inner one cleans up. */
    VG_AWAIT(rc, vg_timeout(&f->limit, VG_MSEC(12),
                            vg_timeout(&f->inner_limit, VG_MSEC(10), lingering(&f->child))));
    CHECK_EQ(f->inner_limit.ret, -ETIMEDOUT);
    CHECK_EQ(f->child.ret, 5);
    VG_RETURN(rc);
}

static struct outer *outer(struct outer *f)
{
    VG_SETUP(f, outer);
    return f;
}

TEST(a_timeout_waits_for_the_child_it_has_cancelled)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, outer);
    rig_pass(&rig, VG_MSEC(14));
    CHECK(!rig_done(&rig, 0));
    rig_pass(&rig, VG_MSEC(1));
    CHECK_EQ(RIG_RET(&rig, 0, struct outer), -ETIMEDOUT);
    rig_close(&rig);
}
