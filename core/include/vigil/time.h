/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TIME_H
#define VIGIL_TIME_H

#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The clock and the futures that wait for it.
 *
 *     VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(50)));
 *
 *     vg_interval_init(&f->tick, VG_SEC(1));
 *     for (;;) {
 *         VG_AWAIT(missed, vg_interval_next(&f->tick));
 *         ...
 *     }
 *
 * Memory    All storage is the caller's. A timer is on the wheel of the worker that first polled it,
 *           and may be cancelled on any other.
 * Ordering  A sleep never ends early. It ends at most one tick (1 ms) after its deadline, plus the
 *           time its task waits for a worker, plus the rest of the poll that its timer's worker is in:
 *           if that lasts, an idle worker that knew of the timer steps in after 10 ms.
 * Errors    -ECANCELED is the only one.
 * Units     Nanoseconds on CLOCK_MONOTONIC. A deadline in the past is due at once; VG_NEVER never is.
 * Cost      Arming and cancelling: constant time, one uncontended spin lock each.
 */

struct vg_timer {
    /* private: guarded by the wheel's lock */
    struct vg_timer *next, **link;
    struct vg_wheel *wheel;
    uint64_t deadline;
    struct vg_waiter *waiter;
};

struct vg_sleep {
    struct vg_future fut;
    int ret; /* 0 or -ECANCELED */
    /* private */
    uint8_t relative;
    uint64_t deadline;
    struct vg_timer timer;
    struct vg_waiter waiter;
};

struct vg_interval {
    struct vg_future fut;
    int64_t ret; /* ticks that have passed unseen before this one, or -ECANCELED */
    /* private */
    uint64_t period, due;
    struct vg_sleep nap;
};

/* Now: inside a poll the time at which it began, as the worker read it; elsewhere the clock. Under
 * the simulator, virtual time. */
VG_API uint64_t vg_now(void);

/* Ends `after` nanoseconds from its first poll. */
VG_API struct vg_sleep *vg_sleep(struct vg_sleep *sleep, uint64_t after);

/* Ends at `deadline`. */
VG_API struct vg_sleep *vg_sleep_until(struct vg_sleep *sleep, uint64_t deadline);

/* Starts an interval: the first tick is due one period from now. Panics if the period is 0. */
VG_API void vg_interval_init(struct vg_interval *interval, uint64_t period);

/* The next tick. Ticks keep to the grid that vg_interval_init() laid out; those that were missed are
 * counted in the result, not made up for. */
VG_API struct vg_interval *vg_interval_next(struct vg_interval *interval);

struct vg_yield {
    struct vg_future fut;
    int ret; /* 0 */
    /* private */
    uint64_t poll; /* of the task: the one that it was started in */
    struct vg_waiter waiter;
};

/* Puts the task at the back of its worker's queue. What was queued there before runs first, but for the
 * turns that fairness to other queues takes. */
VG_API struct vg_yield *vg_yield(struct vg_yield *yield);

struct vg_forever {
    struct vg_future fut;
    int ret; /* -ECANCELED */
    /* private */
    struct vg_waiter waiter;
};

/* Never ends by itself: for an arm of a select that is not there today, or a task that lives until it is cancelled. To wait
 * like this is no mistake, and is not reported as one. */
VG_API struct vg_forever *vg_forever(struct vg_forever *forever);

#ifdef __cplusplus
}
#endif
#endif
