/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/time.h>
#include <vigil/uring.h>

#include "counting_alloc.h"
#include "exhaust.h"
#include "rlimits.h"
#include "sim.h"
#include "vg_sanitizer.h"

/*
 * Opening while something runs out: each call succeeds or fails with its documented error, what failed can be
 * opened afterwards with what did not, and nothing is left of the attempt.
 */

enum { WORKERS = 3 };

enum kind { FUTEXES, RINGS, SIMULATOR };

struct parts {
    enum kind kind;
    struct sim sim;
    struct vg_driver *driver;
    struct vg_liveness *live;
    struct vg_exec *exec;
};

static int open_driver(struct parts *parts)
{
    if (parts->driver != NULL || parts->kind == FUTEXES)
        return 0;
    if (parts->kind == RINGS)
        return vg_uring_open(&parts->driver, NULL, &test_alloc);
    parts->driver = &parts->sim.driver;
    return 0;
}

static int open_live(struct parts *parts)
{
    struct vg_liveness_config config = VG_LIVENESS_INIT;

    if (parts->live != NULL)
        return 0;
    config.alloc = &test_alloc;
    config.manual = parts->kind == SIMULATOR;
    return vg_liveness_open(&parts->live, &config);
}

static int open_exec(struct parts *parts)
{
    struct vg_config config = VG_CONFIG_INIT;

    config.workers = WORKERS;
    config.driver = parts->driver;
    config.alloc = &test_alloc;
    config.probe = vg_liveness_probe(parts->live);
    return vg_exec_open(&parts->exec, &config);
}

/* What is open already stays so. */
static int open_parts(struct parts *parts)
{
    int rc = open_driver(parts);

    CHECK((rc < 0) == (parts->driver == NULL && parts->kind != FUTEXES));
    if (rc == 0) {
        rc = open_live(parts);
        CHECK((rc < 0) == (parts->live == NULL));
    }
    if (rc == 0) {
        rc = open_exec(parts);
        CHECK((rc < 0) == (parts->exec == NULL));
    }
    return rc;
}

static void use(struct parts *parts)
{
    struct vg_snapshot *snapshot;
    struct vg_sleep nap;

    CHECK_EQ(vg_block_on(parts->exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_snapshot(parts->live, &snapshot), 0);
    CHECK_EQ(snapshot->workers, WORKERS);
    vg_snapshot_free(snapshot);
}

static void close_parts(struct parts *parts)
{
    CHECK_EQ(vg_exec_close(parts->exec, VG_SEC(5)), 0);
    vg_liveness_close(parts->live);
    if (parts->kind == RINGS)
        vg_uring_close(parts->driver);
    if (parts->kind == SIMULATOR)
        sim_close(&parts->sim);
}

/* Rings that are not as large as they were asked for. */
static unsigned smaller_rings(const struct parts *parts)
{
    struct vg_uring_stats stats;
    unsigned smaller = 0;

    for (unsigned i = 0; i < WORKERS; i++) {
        CHECK_EQ(vg_uring_stats(parts->driver, i, &stats), 0);
        smaller += stats.cq_entries < 4096;
    }
    return smaller;
}

static void start_up(void *arg)
{
    struct parts parts = {.kind = *(const enum kind *)arg};

    if (parts.kind == SIMULATOR)
        sim_open(&parts.sim, 1, WORKERS);
    if (exhaust_hit(open_parts(&parts))) {
        exhaust_end();
        CHECK_EQ(open_parts(&parts), 0);
    } else if (exhaust_refused() > 0) {
        CHECK_EQ(smaller_rings(&parts),
                 exhaust_refused()); /* nothing else puts up with a refusal */
    }
    exhaust_end();
    use(&parts);
    close_parts(&parts);
}

static void skip_without_rings(void)
{
    struct vg_driver *driver;
    int rc = vg_uring_open(&driver, NULL, NULL);

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    vg_uring_close(driver);
}

static uint64_t requests(enum kind kind, const char *what, int error)
{
    const struct exhaust resource = {what, error, 0};

    if (kind == RINGS)
        skip_without_rings();
    return exhaust(&resource, start_up, &kind);
}

/* Objects of the executor and of the liveness; a driver, what it tried itself out with, and its workers' rings. */
TEST(without_memory_what_opens_fails_and_can_be_tried_again)
{
    CHECK_EQ(requests(FUTEXES, NULL, -ENOMEM), 4);
    CHECK_EQ(requests(SIMULATOR, NULL, -ENOMEM), 3);
}

TEST(without_memory_rings_fail_to_open_and_can_be_tried_again)
{
    CHECK_EQ(requests(RINGS, NULL, -ENOMEM), 6);
}

TEST(without_address_space_for_the_instruments_the_executor_fails_to_open)
{
    CHECK_EQ(requests(FUTEXES, "reserve", -ENOMEM), 1);
    CHECK_EQ(requests(SIMULATOR, "reserve", -ENOMEM), 1);
}

TEST(without_threads_the_executor_fails_to_open)
{
    CHECK_EQ(requests(FUTEXES, "thread", -EAGAIN), WORKERS);
    CHECK_EQ(requests(FUTEXES, "watchdog", -EAGAIN), 1);
}

TEST(without_threads_an_executor_on_rings_fails_to_open)
{
    CHECK_EQ(requests(RINGS, "thread", -EAGAIN), WORKERS);
    CHECK_EQ(requests(RINGS, "watchdog", -EAGAIN), 1);
}

TEST(whichever_doorbell_is_not_to_be_had_opening_fails)
{
    CHECK_EQ(requests(RINGS, "bell", -EMFILE), 1 + WORKERS);
    CHECK_EQ(requests(RINGS, "bell", -ENFILE), 1 + WORKERS);
}

TEST(whichever_worker_is_refused_its_ring_opening_fails)
{
    CHECK_EQ(requests(RINGS, "ring", -EPERM), 1 + WORKERS);
    CHECK_EQ(requests(RINGS, "ring", -ENOSYS), 1 + WORKERS);
}

/* A worker that is refused once asks again for a smaller one. */
TEST(whichever_worker_finds_no_locked_memory_opening_fails_or_its_ring_is_smaller)
{
    CHECK_EQ(requests(RINGS, "ring", -ENOMEM), 1 + WORKERS);
}

/* For good: then the driver does not open, after a second in which it has tried again. */
static void open_driver_only(void *arg)
{
    struct parts parts = {.kind = RINGS};

    (void)arg;
    if (exhaust_hit(open_driver(&parts)))
        CHECK(parts.driver == NULL);
    vg_uring_close(parts.driver);
}

TEST(a_kernel_that_takes_nothing_for_long_is_said_to_have_no_memory)
{
    const struct exhaust entry = {"enter", -EAGAIN, -ENOMEM};

    skip_without_rings();
    CHECK(exhaust_some(&entry, 1, 1000000, open_driver_only, NULL) > 3);
    CHECK_EQ(exhaust_some(&entry, 1, 3, open_driver_only, NULL), 3);
}

/* ---- limits of the system ------------------------------------------------------------------ */

TEST(with_too_few_threads_allowed_the_executor_fails_to_open)
{
    struct parts parts = {.kind = FUTEXES};
    unsigned refused = 0;
    int rc;

    become_somebody();
    limit_set(RLIMIT_NPROC, 1);
    CHECK_EQ(open_live(&parts), 0);
    while ((rc = open_exec(&parts)) < 0) {
        CHECK_EQ(rc, -EAGAIN);
        CHECK(parts.exec == NULL);
        refused++;
        CHECK(refused < 20);
        limit_set(RLIMIT_NPROC, 1 + refused);
    }
    CHECK(refused >= WORKERS);
    use(&parts);
    close_parts(&parts);
}

TEST(with_too_little_address_space_allowed_the_executor_fails_to_open)
{
    struct parts parts = {.kind = FUTEXES};
    rlim_t before;
    int rc;

    if (VG_ASAN || VG_TSAN)
        SKIP("the sanitizer takes its address space from the same limit");
    CHECK_EQ(open_live(&parts), 0);
    before = limit_set(RLIMIT_AS, 1 << 20); /* less than there is: nothing can be mapped any more */
    rc = open_exec(&parts);
    CHECK(rc == -ENOMEM || rc == -EAGAIN);
    CHECK(parts.exec == NULL);
    limit_set(RLIMIT_AS, before);
    CHECK_EQ(open_exec(&parts), 0);
    use(&parts);
    close_parts(&parts);
}
