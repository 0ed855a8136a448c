/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_EXPLORE_QUIET_DRIVER_H
#define VIGIL_TESTS_EXPLORE_QUIET_DRIVER_H

#include "worker.h"

#include "explore.h"

/*
 * What the workers' loop asks of its driver and of its timers, where time stands still, nothing completes and no timer is set. A
 * worker sleeps at its doorbell. For one model's file.
 */

enum { QUIET_WORKERS = 2 };

static struct mc_bell doorbells[QUIET_WORKERS];

static int quiet_start(struct vg_driver *d, unsigned worker)
{
    (void)d, (void)worker;
    return 0;
}

static void quiet_stop(struct vg_driver *d, unsigned worker)
{
    (void)d, (void)worker;
}

static uint64_t quiet_now(struct vg_driver *d)
{
    (void)d;
    return 1;
}

static bool quiet_ready(struct vg_driver *d, unsigned worker)
{
    (void)d, (void)worker;
    return false;
}

static void quiet_park(struct vg_driver *d, unsigned worker, uint64_t deadline)
{
    (void)d, (void)deadline;
    mc_bell_wait(&doorbells[worker]);
}

static void quiet_unpark(struct vg_driver *d, unsigned worker)
{
    (void)d;
    mc_bell_ring(&doorbells[worker]);
}

/* The turn is the model's. */
#define QUIET_DRIVER                                                                               \
    .start = quiet_start, .stop = quiet_stop, .now = quiet_now, .ready = quiet_ready,              \
    .park = quiet_park, .unpark = quiet_unpark

unsigned vg_wheel_fire(struct vg_wheel *wheel, uint64_t now)
{
    (void)wheel, (void)now;
    mc_fail(MC_ASSERTION, "there are no timers");
}

#endif
