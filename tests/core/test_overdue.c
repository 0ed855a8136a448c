/* SPDX-License-Identifier: MIT */
#include <semaphore.h>

#include "counting_alloc.h"
#include "nodes.h"
#include "rig.h"
#include "worker.h"

/* Timers of a worker that is stuck in a long poll. */

#define GRACE VG_MSEC(10)

struct sleeper {
    VG_FRAME(int);
    struct event *event; /* set before it sleeps, if there is one */
    sem_t *ended;        /* posted at its end, if there is one */
    struct vg_sleep sleep;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;
    if (f->event != NULL)
        event_set(f->event);
    VG_AWAIT(rc, vg_sleep(&f->sleep, VG_MSEC(5)));
    if (f->ended != NULL)
        sem_post(f->ended);
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f, struct event *event, sem_t *ended)
{
    VG_SETUP(f, sleeper);
    f->event = event;
    f->ended = ended;
    return f;
}

/* ---- in steps -------------------------------------------------------------------------------- */

/* The sleeper's timer is on worker 0, which from now on does nothing. Worker 1 is idle. */
static void get_stuck(struct rig *rig)
{
    rig_open_config(rig, 2, NULL, true);
    CHECK_EQ(VG_SPAWN(rig->exec, &rig->task[rig->tasks++], sleeper, NULL, NULL), 0);
    CHECK_EQ(vg_exec_step(rig->exec, 0), VG_STEP_RAN);
    CHECK_EQ(vg_exec_step(rig->exec, 1), VG_STEP_IDLE);
}

TEST(an_idle_worker_sleeps_no_longer_than_until_the_timers_of_a_busy_one_are_overdue)
{
    struct rig rig;
    uint64_t due;

    get_stuck(&rig);
    due = vg_wheel_deadline(&rig.exec->workers[0].wheel);
    CHECK(due >= sim_now(&rig.sim) + VG_MSEC(5) && due < VG_NEVER);
    CHECK_EQ(vg_park_deadline(&rig.exec->workers[1]), due + GRACE);
    rig_pass(&rig, VG_MSEC(7));
    rig_close(&rig);
}

TEST(who_sleeps_looks_after_its_own_timers)
{
    struct rig rig;

    get_stuck(&rig);
    while (vg_exec_step(rig.exec, 0) != VG_STEP_IDLE)
        ;
    CHECK_EQ(vg_park_deadline(&rig.exec->workers[1]), VG_NEVER);
    CHECK_EQ(vg_park_deadline(&rig.exec->workers[0]),
             vg_wheel_deadline(&rig.exec->workers[0].wheel));
    rig_pass(&rig, VG_MSEC(7));
    rig_close(&rig);
}

TEST(an_idle_worker_leaves_the_timers_of_a_busy_one_alone_until_they_are_overdue)
{
    struct rig rig;
    uint64_t due;

    get_stuck(&rig);
    due = vg_wheel_deadline(&rig.exec->workers[0].wheel);
    rig.sim.now = due + GRACE - 1;
    CHECK_EQ(vg_exec_step(rig.exec, 1), VG_STEP_IDLE);
    CHECK(!rig_done(&rig, 0));
    rig.sim.now = due + GRACE;
    CHECK_EQ(vg_exec_step(rig.exec, 1), VG_STEP_RAN);
    CHECK(rig_done(&rig, 0));
    rig_close(&rig);
}

TEST(who_slept_before_the_timer_was_set_is_roused_for_it_by_the_observer)
{
    struct rig rig;
    uint64_t due;

    get_stuck(&rig);
    due = vg_wheel_deadline(&rig.exec->workers[0].wheel);
    CHECK(vg_worker_doze(&rig.exec->workers[1]));
    rig.sim.now = due + GRACE - 1;
    vg_exec_rescue(rig.exec, 0);
    CHECK(vg_idle_may_park(&rig.exec->idle, 1));
    rig.sim.now = due + GRACE;
    vg_exec_rescue(rig.exec, 0);
    CHECK(!vg_idle_may_park(&rig.exec->idle, 1));
    vg_worker_rise(&rig.exec->workers[1]);
    CHECK_EQ(vg_exec_step(rig.exec, 1), VG_STEP_RAN);
    CHECK(rig_done(&rig, 0));
    rig_close(&rig);
}

/* ---- on threads ------------------------------------------------------------------------------ */

struct nothing {
    VG_FRAME(int);
};

VG_ASYNC(nothing)
{
    VG_BEGIN(f);
    VG_RETURN(0);
}

static struct nothing *nothing(struct nothing *f)
{
    VG_SETUP(f, nothing);
    return f;
}

/* Blocks its worker until the sleeper whose timer is there has ended. */
struct blocker {
    VG_FRAME(int);
    struct event *event;
    sem_t *waits, *ended;
    struct event_wait wait;
};

static void post(void *semaphore)
{
    sem_post(semaphore);
}

VG_ASYNC(blocker)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait_hooked(&f->wait, f->event, post, f->waits));
    CHECK_EQ(rc, 0);
    /* Sends the other worker round once more, so that it has seen the timer before it sleeps. */
    CHECK_EQ(VG_SPAWN(vg_exec_current(), NULL, nothing), 0);
    const uint64_t end = vg_os_now() + VG_SEC(20);
    while (sem_trywait(f->ended) != 0) {
        CHECK(vg_os_now() < end);
        vg_os_yield();
    }
    VG_RETURN(0);
}

static struct blocker *blocker(struct blocker *f, struct event *event, sem_t *waits, sem_t *ended)
{
    VG_SETUP(f, blocker);
    f->event = event;
    f->waits = waits;
    f->ended = ended;
    return f;
}

TEST(an_idle_worker_fires_the_timer_of_one_that_is_blocked_for_it)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct event event = {.set = false};
    struct vg_exec *exec;
    sem_t waits, ended;

    sem_init(&waits, 0, 0);
    sem_init(&ended, 0, 0);
    config.workers = 2;
    config.alloc = &test_alloc;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    struct vg_handle handle[2];
    CHECK_EQ(VG_SPAWN(exec, &handle[0], blocker, &event, &waits, &ended), 0);
    sem_wait(&waits);
    /* Woken by the sleeper, the blocker runs next, on the same worker. */
    CHECK_EQ(VG_SPAWN(exec, &handle[1], sleeper, &event, &ended), 0);
    for (unsigned i = 0; i < 2; i++) {
        while (!vg_task_done(&handle[i]))
            vg_os_yield();
        vg_task_release(&handle[i]);
    }
    CHECK_EQ(vg_exec_close(exec, VG_SEC(60)), 0);
}
