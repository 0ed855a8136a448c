/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "worker.h"

/* Sleeping, and keeping time. The clock is virtual, so every time here is exact. */

struct sleeper {
    VG_FRAME(int);
    uint64_t after, at; /* one of them */
    uint64_t began, ended;
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;
    f->began = vg_now();
    if (f->at != 0)
        VG_AWAIT(rc, vg_sleep_until(&f->nap, f->at));
    else
        VG_AWAIT(rc, vg_sleep(&f->nap, f->after));
    f->ended = vg_now();
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f, uint64_t after, uint64_t at)
{
    VG_SETUP(f, sleeper);
    f->after = after;
    f->at = at;
    return f;
}

TEST(a_sleep_ends_on_the_first_tick_that_is_not_before_its_deadline)
{
    static const uint64_t after[] = {1, VG_MSEC(1) - 1, VG_MSEC(1), VG_MSEC(1) + 1, VG_SEC(100)};
    struct rig rig;

    rig_open(&rig);
    rig_pass(&rig, 12345);
    for (unsigned i = 0; i < 5; i++)
        rig_spawn(&rig, sleeper, after[i], 0);
    rig_pass(&rig, VG_SEC(101));
    for (unsigned i = 0; i < 5; i++) {
        const struct sleeper *f = vg_task_frame(&rig.task[i]);
        const uint64_t due = f->began + after[i];
        CHECK_EQ(f->ret, 0);
        CHECK_EQ(f->ended, (due + VG_MSEC(1) - 1) / VG_MSEC(1) * VG_MSEC(1));
    }
    rig_close(&rig);
}

TEST(a_deadline_in_the_past_is_due_at_once)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, sleeper, 0, 1);
    rig_spawn(&rig, sleeper, 0, sim_now(&rig.sim));
    rig_spawn(&rig, sleeper, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(rig_polls(&rig, i), 1);
    rig_close(&rig);
}

TEST(a_sleep_without_end_can_be_cancelled)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, sleeper, VG_NEVER, 0);
    rig_spawn(&rig, sleeper, 0, VG_NEVER);
    CHECK_EQ(vg_exec_next_deadline(rig.exec), VG_NEVER);
    rig_pass(&rig, VG_SEC(1000000));
    for (unsigned i = 0; i < 2; i++) {
        CHECK(!rig_done(&rig, i));
        vg_task_cancel(&rig.task[i]);
    }
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct sleeper), -ECANCELED);
    CHECK_EQ(RIG_RET(&rig, 1, struct sleeper), -ECANCELED);
    rig_close(&rig);
}

TEST(a_cancelled_sleep_leaves_the_wheel)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, sleeper, VG_SEC(5), 0);
    rig_spawn(&rig, sleeper, VG_SEC(9), 0);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct sleeper), -ECANCELED);
    rig_pass(&rig, VG_SEC(8));
    CHECK_EQ(rig_polls(&rig, 1), 1);
    rig_pass(&rig, VG_SEC(1));
    CHECK_EQ(RIG_RET(&rig, 1, struct sleeper), 0);
    rig_close(&rig);
}

TEST(a_sleep_that_is_due_when_it_is_cancelled_has_ended_well)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, sleeper, VG_MSEC(5), 0);
    rig.sim.now += VG_MSEC(5);
    CHECK_EQ(vg_wheel_fire(&rig.exec->workers[0].wheel, sim_now(&rig.sim)), 1);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct sleeper), 0);
    rig_close(&rig);
}

/* ---- on another worker than it was begun on -------------------------------------------------- */

struct mover {
    VG_FRAME(int);
    struct event *event;
    VG_ARMS(2) arms;
    struct event_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(mover)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_RACE(f->arms, vg_sleep(&f->nap, VG_SEC(1)), event_wait(&f->wait, f->event)));
    SCRIBBLE(&f->nap);
    VG_RETURN(rc);
}

static struct mover *mover(struct mover *f, struct event *event)
{
    VG_SETUP(f, mover);
    f->event = event;
    return f;
}

/* Starts a task on worker 0. */
static void start_on_first(struct rig *rig, struct event *event)
{
    rig_open_config(rig, 2, NULL, true);
    CHECK_EQ(VG_SPAWN(rig->exec, &rig->task[0], mover, event), 0);
    rig->tasks = 1;
    while (vg_exec_step(rig->exec, 0) == VG_STEP_RAN)
        ;
    CHECK(vg_wheel_deadline(&rig->exec->workers[0].wheel) != VG_NEVER);
}

TEST(a_timer_can_be_cancelled_on_another_worker)
{
    struct rig rig;
    struct event event = {.set = false};

    start_on_first(&rig, &event);
    event_set(&event);
    while (vg_exec_step(rig.exec, 1) == VG_STEP_RAN)
        ;
    CHECK_EQ(RIG_RET(&rig, 0, struct mover), 1);
    CHECK_EQ(vg_exec_next_deadline(rig.exec), VG_NEVER);
    rig_close(&rig);
}

TEST(a_timer_fires_although_its_worker_does_nothing)
{
    struct rig rig;
    struct event event = {.set = false};

    start_on_first(&rig, &event);
    rig.sim.now += VG_SEC(1) + VG_MSEC(10);
    while (vg_exec_step(rig.exec, 1) == VG_STEP_RAN) /* which steals what is overdue */
        ;
    CHECK_EQ(RIG_RET(&rig, 0, struct mover), 0);
    rig_close(&rig);
}

/* ---- intervals ------------------------------------------------------------------------------- */

enum { TICKS = 6 };

struct ticker {
    VG_FRAME(int);
    uint64_t period;
    unsigned i;
    int64_t missed[TICKS];
    uint64_t at[TICKS];
    uint64_t start;
    struct event *block; /* awaited after the second tick, if there is one */
    struct event_wait wait;
    struct vg_interval tick;
};

VG_ASYNC(ticker)
{
    VG_BEGIN(f);
    int rc;
    vg_interval_init(&f->tick, f->period);
    f->start = vg_now();
    for (f->i = 0; f->i < TICKS; f->i++) {
        VG_AWAIT(f->missed[f->i], vg_interval_next(&f->tick));
        if (f->missed[f->i] < 0)
            VG_RETURN((int)f->missed[f->i]);
        f->at[f->i] = vg_now() - f->start;
        if (f->i == 1 && f->block != NULL)
            VG_AWAIT(rc, event_wait(&f->wait, f->block));
    }
    rc = 0;
    VG_RETURN(rc);
}

static struct ticker *ticker(struct ticker *f, uint64_t period, struct event *block)
{
    VG_SETUP(f, ticker);
    f->period = period;
    f->block = block;
    return f;
}

TEST(an_interval_ticks_once_a_period)
{
    struct rig rig;
    const struct ticker *f;

    rig_open(&rig);
    rig_spawn(&rig, ticker, VG_MSEC(10), NULL);
    rig_pass(&rig, VG_MSEC(60));
    f = vg_task_frame(&rig.task[0]);
    for (unsigned i = 0; i < TICKS; i++) {
        CHECK_EQ(f->missed[i], 0);
        CHECK_EQ(f->at[i], VG_MSEC(10) * (i + 1));
    }
    rig_close(&rig);
}

TEST(an_interval_that_is_behind_counts_what_it_missed_and_keeps_to_its_grid)
{
    struct rig rig;
    struct event event = {.set = false};
    const struct ticker *f;

    rig_open(&rig);
    rig_spawn(&rig, ticker, VG_MSEC(10), &event);
    rig_pass(&rig, VG_MSEC(57)); /* ticks at 10, 20; nobody asks for those at 30, 40, 50 */
    event_set(&event);
    rig_run(&rig);
    rig_pass(&rig, VG_MSEC(100));
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->missed[2], 2);
    CHECK_EQ(f->at[2], VG_MSEC(57));
    for (unsigned i = 3; i < TICKS; i++) {
        CHECK_EQ(f->missed[i], 0);
        CHECK_EQ(f->at[i], VG_MSEC(30) + VG_MSEC(10) * i);
    }
    rig_close(&rig);
}

TEST(an_interval_finer_than_the_wheel_loses_no_tick)
{
    struct rig rig;
    const struct ticker *f;
    uint64_t ticks = 0;

    rig_open(&rig);
    rig_spawn(&rig, ticker, VG_USEC(300), NULL);
    rig_pass(&rig, VG_MSEC(10));
    f = vg_task_frame(&rig.task[0]);
    for (unsigned i = 0; i < TICKS; i++) {
        ticks += 1 + (uint64_t)f->missed[i];
        CHECK_EQ(ticks, f->at[i] / VG_USEC(300));
    }
    rig_close(&rig);
}

TEST(an_interval_can_be_cancelled)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, ticker, VG_SEC(10), NULL);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct ticker), -ECANCELED);
    CHECK_EQ(vg_exec_next_deadline(rig.exec), VG_NEVER);
    rig_close(&rig);
}

TEST(an_interval_needs_a_period)
{
    struct vg_interval tick;

    CHECK_PANICS("period > 0", vg_interval_init(&tick, 0));
}

TEST(outside_a_task_it_is_now)
{
    const uint64_t before = vg_os_now();

    CHECK(vg_now() >= before);
    CHECK(vg_now() <= vg_os_now());
}
