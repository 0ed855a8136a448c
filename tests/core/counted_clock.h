/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_COUNTED_CLOCK_H
#define VIGIL_TESTS_COUNTED_CLOCK_H

#include "counting_alloc.h"
#include "harness.h"
#include "vg_atomic.h"
#include "worker.h"

/* A clock that counts how often it is read, and moves by `step` each time. */
static struct {
    struct vg_driver_futex futex;
    struct vg_driver_ops ops;
    VG_ATOMIC(uint64_t) clock, reads, step;
} counted;

static uint64_t counted_now(struct vg_driver *driver)
{
    (void)driver;
    vg_fetch_add(&counted.reads, 1, relaxed);
    return vg_fetch_add(&counted.clock, vg_load(&counted.step, relaxed), relaxed);
}

/* With one worker, each of whose readings takes so long. */
static void count_on(struct vg_future *fut, bool exact, uint64_t step)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    vg_store(&counted.clock, VG_SEC(100), relaxed);
    vg_store(&counted.step, step, relaxed);
    vg_store(&counted.reads, 0, relaxed);
    config.driver = vg_driver_futex(&counted.futex);
    counted.ops = *config.driver->ops;
    counted.ops.now = counted_now;
    config.driver->ops = &counted.ops;
    config.workers = 1;
    config.alloc = &test_alloc;
    config.exact_clock = exact;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(vg_block_on(exec, fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
}

#endif
