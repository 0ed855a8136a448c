/* SPDX-License-Identifier: MIT */
/*
 * The timers of a worker, which others may fire and cancel: each wakes once, or never if it was taken off before; after that nobody
 * touches it, so its memory may go; and the wheel says in time when it wants to be looked at.
 */
#include "wheel.h"

#include <string.h>

#include <vigil/future.h>

#include "explore.h"

enum { TIMERS = 2 };

struct sleeper {
    struct vg_timer timer;
    struct vg_waiter waiter;
};

static struct vg_wheel wheel;
static struct sleeper sleepers[TIMERS];
static int woken[TIMERS], notified[TIMERS]; /* by the model only, like the next */
static bool cancelled[TIMERS];

/* Anything that says which. */
static struct vg_task *task_of(long i)
{
    static _Alignas(16) char tasks[TIMERS][16];

    return (struct vg_task *)(void *)tasks[i];
}

struct vg_notice vg_wake(struct vg_waiter *waiter)
{
    const long i =
        (struct sleeper *)(void *)((char *)waiter - offsetof(struct sleeper, waiter)) - sleepers;

    VG_WR(&waiter->woken_at);
    MC_ASSERT(!cancelled[i]);
    woken[i]++;
    return (struct vg_notice){task_of(i)};
}

void vg_notify(struct vg_notice notice)
{
    for (long i = 0; i < TIMERS; i++)
        notified[i] += notice.task == task_of(i);
}

static void insert(unsigned i, uint64_t deadline)
{
    VG_WR(&sleepers[i].timer);
    sleepers[i].timer.deadline = deadline;
    sleepers[i].timer.waiter = &sleepers[i].waiter;
    vg_wheel_insert(&wheel, &sleepers[i].timer);
}

static void cancel(unsigned i)
{
    vg_wheel_remove(&sleepers[i].timer);
    cancelled[i] = true;
    mc_free(&sleepers[i], sizeof sleepers[i]);
}

static void init(void)
{
    memset(sleepers, 0, sizeof sleepers);
    memset(woken, 0, sizeof woken);
    memset(notified, 0, sizeof notified);
    memset(cancelled, 0, sizeof cancelled);
    vg_wheel_init(&wheel, VG_MSEC(1));
}

static void init_one(void)
{
    init();
    insert(0, VG_MSEC(5));
}

static void init_two(void)
{
    init_one();
    insert(1, VG_MSEC(70));
}

/* ---- cancelled while another worker fires it -------------------------------------------------------- */

static void cancelled_while_due(int id)
{
    if (id == 0)
        cancel(0);
    else
        (void)vg_wheel_fire(&wheel, VG_MSEC(10));
}

static void woken_at_most_once(void)
{
    MC_ASSERT(woken[0] <= 1 && notified[0] == woken[0]);
    MC_ASSERT(vg_wheel_deadline(&wheel) == VG_NEVER);
}
MC_MODEL(wheel_cancelled, .threads = 2, .init = init_one, .thread = cancelled_while_due,
         .final = woken_at_most_once);

/* ---- fired by two at once, one timer from a higher level -------------------------------------------- */

static void fired_by_two(int id)
{
    (void)vg_wheel_fire(&wheel, id == 0 ? VG_MSEC(10) : VG_MSEC(100));
}

static void each_woken_once(void)
{
    for (unsigned i = 0; i < TIMERS; i++)
        MC_ASSERT(woken[i] == 1 && notified[i] == 1);
    MC_ASSERT(vg_wheel_deadline(&wheel) == VG_NEVER);
}
MC_MODEL(wheel_fired_by_two, .threads = 2, .init = init_two, .thread = fired_by_two,
         .final = each_woken_once);

/* ---- set while another worker fires ------------------------------------------------------------------ */

static void set_while_due(int id)
{
    if (id == 0)
        insert(1, VG_MSEC(20));
    else
        (void)vg_wheel_fire(&wheel, VG_MSEC(10));
}

static void says_when(void)
{
    MC_ASSERT(woken[0] == 1 && woken[1] == 0);
    MC_ASSERT(vg_wheel_deadline(&wheel) <= VG_MSEC(20));
    (void)vg_wheel_fire(&wheel, VG_MSEC(20));
    each_woken_once();
}
MC_MODEL(wheel_set, .threads = 2, .init = init_one, .thread = set_while_due, .final = says_when);
