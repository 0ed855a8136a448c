/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/time.h>

#include "counting_alloc.h"
#include "harness.h"
#include "vg_fault.h"

/* An executor with instruments opens whole or not at all. */

static struct vg_liveness *open_live(void)
{
    struct vg_liveness_config config = VG_LIVENESS_INIT;
    struct vg_liveness *live;

    config.alloc = &test_alloc;
    CHECK_EQ(vg_liveness_open(&live, &config), 0);
    return live;
}

static int open_exec(struct vg_exec **exec, struct vg_liveness *live, unsigned workers)
{
    struct vg_config config = VG_CONFIG_INIT;

    config.workers = workers;
    config.alloc = &test_alloc;
    config.probe = vg_liveness_probe(live);
    return vg_exec_open(exec, &config);
}

static void use_and_close(struct vg_exec *exec)
{
    struct vg_sleep nap;

    CHECK_EQ(vg_block_on(exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
}

TEST(one_liveness_serves_executors_one_after_the_other)
{
    FOR_WORKERS (workers) {
        struct vg_liveness *live = open_live();
        struct vg_snapshot *snapshot;
        struct vg_exec *exec;

        for (int i = 0; i < 3; i++) {
            CHECK_EQ(open_exec(&exec, live, workers), 0);
            use_and_close(exec);
        }
        CHECK_EQ(vg_snapshot(live, &snapshot), 0);
        CHECK_EQ(snapshot->workers, workers);
        CHECK_EQ(snapshot->row[0].count, 1); /* of the last executor only */
        vg_snapshot_free(snapshot);
        vg_liveness_close(live);
    }
}

TEST(a_liveness_that_was_never_attached_has_an_empty_snapshot)
{
    struct vg_liveness *live = open_live();
    struct vg_snapshot *snapshot;

    CHECK_EQ(vg_snapshot(live, &snapshot), 0);
    CHECK_EQ(snapshot->rows, 0);
    CHECK_EQ(snapshot->workers, 0);
    CHECK_EQ(snapshot->open.count, 0);
    vg_snapshot_free(snapshot);
    vg_watch_scan(live, 1);
    vg_liveness_close(live);
}

TEST(a_second_executor_at_the_same_time_panics_as_does_closing_too_early)
{
    struct vg_liveness *live = open_live();
    struct vg_exec *first, *second;

    CHECK_EQ(open_exec(&first, live, 2), 0);
    CHECK_PANICS("instrument/liveness.c:...: vg_exec_open: the liveness serves executor vigil",
                 (void)open_exec(&second, live, 2));
    CHECK_PANICS("vg_liveness_close: it serves executor vigil", vg_liveness_close(live));
    use_and_close(first);
    vg_liveness_close(live);
}

#if VG_FAULTS
static const char *failing;

static int fail(const char *name)
{
    return failing != NULL && strcmp(name, failing) == 0;
}

static void check_refused(const char *point, int error)
{
    struct vg_liveness *live = open_live();
    struct vg_exec *exec;

    vg_fault_install(fail);
    failing = point;
    CHECK_EQ(open_exec(&exec, live, 2), error);
    CHECK(exec == NULL);
    failing = NULL;
    CHECK_EQ(open_exec(&exec, live, 2), 0);
    use_and_close(exec);
    vg_fault_install(NULL);
    vg_liveness_close(live);
}

TEST(without_address_space_the_executor_does_not_open)
{
    check_refused("reserve", -ENOMEM);
}

TEST(without_a_thread_for_the_watchdog_the_executor_does_not_open)
{
    check_refused("watchdog", -EAGAIN);
}
#endif
