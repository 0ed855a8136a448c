/* SPDX-License-Identifier: MIT */
/*
 * Programs that are busy or stuck for a reason no task list shows, and what the instruments say of them.
 *
 *     stuck sleep      two tasks sleep in the kernel, on the only two workers
 *     stuck compute    a task computes without a pause
 *     stuck endless    a task awaits, in a loop, what is always ready
 *     stuck forget     a hand-written future is pending and has told nobody to wake it
 *     stuck spin       six tasks wake themselves until there is room
 *     stuck cross      two tasks lock two mutexes in opposite order
 *
 * Each ends by itself after some seconds at most. Exit codes: 0 reported as expected, 1 not, 2 bad usage.
 */
#include "stuck.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vigil/liveness.h>
#include <vigil/symbols.h>
#include <vigil/uring.h>

static const struct cause {
    const char *name;
    int (*start)(struct vg_exec *exec);
    enum vg_verdict verdict;
} causes[] = {
    {"sleep", stuck_sleep, VG_VERDICT_BLOCKED_WORKER},
    {"compute", stuck_compute, VG_VERDICT_BLOCKED_WORKER},
    {"endless", stuck_endless, VG_VERDICT_NEVER_YIELDED},
    {"forget", stuck_forget, VG_VERDICT_UNARMED_PENDING},
    {"spin", stuck_spin, VG_VERDICT_SELF_WAKE_SPIN},
    {"cross", stuck_cross, VG_VERDICT_WAIT_CYCLE},
};

static const struct cause *find_cause(const char *name)
{
    for (unsigned i = 0; i < sizeof causes / sizeof *causes; i++)
        if (strcmp(causes[i].name, name) == 0)
            return &causes[i];
    return NULL;
}

static int fail(const char *what, int rc)
{
    fprintf(stderr, "stuck: %s: %s\n", what, strerror(-rc));
    return 1;
}

/* What hangs does not end: it is cancelled when the executor is closed. */
static void wait_for_end(struct vg_exec *exec, bool hangs)
{
    enum { TENTHS = 200 };

    for (int i = 0; i < (hangs ? 5 : TENTHS) && vg_exec_live(exec) > 0; i++)
        usleep(100000);
}

static int count_reports(struct vg_liveness *live, enum vg_verdict verdict, uint64_t *count)
{
    struct vg_snapshot *snapshot;
    const int rc = vg_snapshot(live, &snapshot);

    if (rc < 0)
        return rc;
    *count = snapshot->verdict[verdict].reported;
    vg_snapshot_free(snapshot);
    return 0;
}

static int run(const struct cause *cause, struct vg_liveness *live, struct vg_driver *driver)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    uint64_t reports = 0;
    int rc, left;

    config.name = "stuck";
    config.workers = 2;
    config.driver = driver;
    config.probe = vg_liveness_probe(live);
    rc = vg_exec_open(&exec, &config);
    if (rc < 0)
        return fail("cannot start", rc);
    rc = cause->start(exec);
    if (rc == 0)
        wait_for_end(exec, cause->verdict == VG_VERDICT_UNARMED_PENDING ||
                               cause->verdict == VG_VERDICT_WAIT_CYCLE);
    left = vg_exec_close(exec, VG_SEC(5));
    if (rc == 0)
        rc = count_reports(live, cause->verdict, &reports);
    if (rc < 0)
        return fail(cause->name, rc);
    printf("%s: %llu reports of %s\n", cause->name, (unsigned long long)reports,
           vg_verdict_name(cause->verdict));
    return left != 0 || reports == 0;
}

static int watch(const struct cause *cause)
{
    struct vg_liveness_config config = VG_LIVENESS_INIT;
    struct vg_liveness *live;
    struct vg_driver *driver;
    int rc;

    config.symbolize = vg_symbols_name;
    config.symbolize_arg = vg_symbols_open();
    rc = vg_uring_open(&driver, NULL, &vg_alloc_default);
    if (rc < 0)
        return fail("io_uring", rc);
    rc = vg_liveness_open(&live, &config);
    if (rc < 0)
        return fail("instruments", rc);
    rc = run(cause, live, driver);
    vg_liveness_close(live);
    vg_uring_close(driver);
    vg_symbols_close((struct vg_symbols *)config.symbolize_arg);
    return rc;
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: stuck sleep|compute|endless|forget|spin|cross\n";
    const struct cause *cause = argc == 2 ? find_cause(argv[1]) : NULL;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        fputs("exit codes: 0 reported as expected, 1 not, 2 bad usage\n", stdout);
        return 0;
    }
    if (cause == NULL) {
        fputs(usage, stderr);
        return 2;
    }
    return watch(cause);
}
