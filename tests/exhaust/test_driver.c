/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/exec.h>
#include <vigil/probe.h>
#include <vigil/time.h>

#include "counting_alloc.h"
#include "harness.h"
#include "sim.h"
#include "vg_atomic.h"

/*
 * A driver or a probe that fails while an executor opens, whichever worker meets it: vg_exec_open() fails with just
 * that error, and what was begun is ended, once.
 */

enum { WORKERS = 4, NOBODY = WORKERS };

enum step { OPEN, ATTACH, START };

static struct {
    const struct vg_driver_ops *real;
    struct vg_driver_ops ops;
    enum step failing;
    unsigned worker; /* whose start fails */
    VG_ATOMIC(uint32_t) opened, closed, attached, detached, started[WORKERS], stopped[WORKERS];
} seen;

static int open_or_fail(struct vg_driver *driver, unsigned workers)
{
    int rc = seen.failing == OPEN ? -EIO : seen.real->open(driver, workers);

    vg_fetch_add(&seen.opened, rc == 0, relaxed);
    return rc;
}

static void close_counted(struct vg_driver *driver)
{
    vg_fetch_add(&seen.closed, 1, relaxed);
    seen.real->close(driver);
}

static int start_or_fail(struct vg_driver *driver, unsigned worker)
{
    int rc =
        seen.failing == START && worker == seen.worker ? -EIO : seen.real->start(driver, worker);

    vg_fetch_add(&seen.started[worker], rc == 0, relaxed);
    return rc;
}

static void stop_counted(struct vg_driver *driver, unsigned worker)
{
    vg_fetch_add(&seen.stopped[worker], 1, relaxed);
    seen.real->stop(driver, worker);
}

static int attach_or_fail(struct vg_probe *probe, struct vg_exec *exec, unsigned workers)
{
    int rc = seen.failing == ATTACH ? -EIO : 0;

    (void)probe, (void)exec;
    CHECK_EQ(workers, WORKERS);
    vg_fetch_add(&seen.attached, rc == 0, relaxed);
    return rc;
}

static void detach_counted(struct vg_probe *probe)
{
    (void)probe;
    vg_fetch_add(&seen.detached, 1, relaxed);
}

static void visited(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    (void)probe, (void)worker, (void)visit;
}

static void passed_over(struct vg_probe *probe, unsigned worker, const struct vg_passed *passed,
                        uint64_t now)
{
    (void)probe, (void)worker, (void)passed, (void)now;
}

static void suspended(struct vg_probe *probe, unsigned worker, struct vg_task *task, uint64_t now)
{
    (void)probe, (void)worker, (void)task, (void)now;
}

static void watch(struct vg_driver *driver)
{
    seen.real = driver->ops;
    seen.ops = *driver->ops;
    seen.ops.open = open_or_fail;
    seen.ops.close = close_counted;
    seen.ops.start = start_or_fail;
    seen.ops.stop = stop_counted;
    driver->ops = &seen.ops;
}

static void fail(enum step step, unsigned worker)
{
    vg_store(&seen.opened, 0, relaxed);
    vg_store(&seen.closed, 0, relaxed);
    vg_store(&seen.attached, 0, relaxed);
    vg_store(&seen.detached, 0, relaxed);
    for (unsigned i = 0; i < WORKERS; i++) {
        vg_store(&seen.started[i], 0, relaxed);
        vg_store(&seen.stopped[i], 0, relaxed);
    }
    seen.failing = step;
    seen.worker = worker;
}

static void check_balanced(void)
{
    CHECK_EQ(vg_load(&seen.opened, relaxed), vg_load(&seen.closed, relaxed));
    CHECK_EQ(vg_load(&seen.attached, relaxed), vg_load(&seen.detached, relaxed));
    for (unsigned i = 0; i < WORKERS; i++)
        CHECK_EQ(vg_load(&seen.started[i], relaxed), vg_load(&seen.stopped[i], relaxed));
}

static int try_to_open(struct vg_exec **exec, struct vg_driver *driver, enum step step,
                       unsigned worker)
{
    static struct vg_probe probe = {
        .attach = attach_or_fail,
        .detach = detach_counted,
        .visited = visited,
        .passed_over = passed_over,
        .suspended = suspended,
    };
    struct vg_config config = VG_CONFIG_INIT;

    config.driver = driver;
    config.workers = WORKERS;
    config.alloc = &test_alloc;
    config.probe = &probe;
    fail(step, worker);
    return vg_exec_open(exec, &config);
}

static void expect_failure(struct vg_driver *driver, enum step step, unsigned worker)
{
    struct vg_exec *exec;

    CHECK_EQ(try_to_open(&exec, driver, step, worker), -EIO);
    CHECK(exec == NULL);
    CHECK_EQ(vg_load(&seen.opened, relaxed), step != OPEN);
    CHECK_EQ(vg_load(&seen.attached, relaxed), step == START);
    check_balanced();
    CHECK_EQ(test_alloc_live(), 0);
}

static void try_all(struct vg_driver *driver)
{
    struct vg_exec *exec;
    struct vg_sleep nap;

    watch(driver);
    expect_failure(driver, OPEN, NOBODY);
    expect_failure(driver, ATTACH, NOBODY);
    for (unsigned i = 0; i < WORKERS; i++)
        expect_failure(driver, START, i);
    CHECK_EQ(try_to_open(&exec, driver, START, NOBODY), 0);
    CHECK_EQ(vg_block_on(exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        CHECK_EQ(vg_load(&seen.started[i], relaxed), 1);
    check_balanced();
}

TEST(whatever_a_driver_fails_with_opening_fails_with)
{
    struct vg_driver_futex futex;

    try_all(vg_driver_futex(&futex));
}

TEST(whatever_a_stepped_driver_fails_with_opening_fails_with)
{
    struct sim sim;

    sim_open(&sim, 1, WORKERS);
    try_all(&sim.driver);
    sim_close(&sim);
}
