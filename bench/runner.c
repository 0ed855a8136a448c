/* SPDX-License-Identifier: MIT */
#include "runner.h"

#include <stdlib.h>

#include <vigil/jemalloc.h>
#include <vigil/liveness.h>

static struct vg_liveness *live;

/* For count.py: a clock that stands still, so that it is seldom read. */
static uint64_t still_now(struct vg_driver *driver)
{
    (void)driver;
    return VG_SEC(1);
}

/* NULL: the executor's own. */
static struct vg_driver *still_driver(void)
{
    static struct vg_driver_futex futex;
    static struct vg_driver_ops ops;
    struct vg_driver *driver;

    if (getenv("VIGIL_BENCH_STILL") == NULL)
        return NULL;
    driver = vg_driver_futex(&futex);
    ops = *driver->ops;
    ops.now = still_now;
    driver->ops = &ops;
    return driver;
}

/* With VIGIL_BENCH_PINNED each worker stays on a processor of its own, from the first one on. */
static void pin(struct vg_config *config)
{
    static const int processors[] = {0, 1, 2, 3, 4, 5, 6, 7};

    if (getenv("VIGIL_BENCH_PINNED") == NULL)
        return;
    config->cpus = processors;
    config->cpus_count = sizeof processors / sizeof *processors;
    if (config->workers > 0 && config->workers < config->cpus_count)
        config->cpus_count = config->workers;
}

struct vg_exec *bench_open_with(struct bench_run *run, unsigned level, struct vg_driver *driver)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_exec *exec;

    config.exact_clock = level == BENCH_LEVEL_EXACT;
    watch.level = config.exact_clock ? VG_LEVEL_FULL : (uint8_t)level;
    watch.to_stderr =
        false; /* who spawns a million tasks in one poll blocks a worker, and means to */
    if (vg_liveness_open(&live, &watch) < 0) {
        bench_fail(run, "vg_liveness_open");
        return NULL;
    }
    config.name = "bench";
    config.quiet = true;
    config.workers = run->workers;
    pin(&config);
    config.alloc = &vg_jemalloc;
    config.driver = driver != NULL ? driver : still_driver();
    config.probe = vg_liveness_probe(live);
    if (vg_exec_open(&exec, &config) == 0)
        return exec;
    bench_fail(run, "vg_exec_open");
    vg_liveness_close(live);
    return NULL;
}

struct vg_exec *bench_open(struct bench_run *run)
{
    return bench_open_with(run, VG_LEVEL_FULL, NULL);
}

void bench_close_within(struct vg_exec *exec, uint64_t drain)
{
    if (exec == NULL)
        return;
    vg_exec_close(exec, drain);
    vg_liveness_close(live);
}

struct vg_liveness *bench_liveness(void)
{
    return live;
}

void bench_close(struct vg_exec *exec)
{
    bench_close_within(exec, VG_SEC(5));
}

bool bench_batch(struct bench_run *run, struct vg_exec *exec, struct vg_future *batch)
{
    if (vg_block_on(exec, batch) == 0)
        return true;
    bench_fail(run, "vg_block_on");
    return false;
}

struct vg_handle *bench_handles(struct bench_run *run, int64_t count)
{
    struct vg_handle *handles = calloc((size_t)count, sizeof *handles);

    if (handles == NULL)
        bench_fail(run, "calloc");
    return handles;
}

VG_ASYNC(gather)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 0; f->i < f->count; f->i++) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->task[f->i]));
        VG_ASSERT(rc == 0);
        vg_task_release(&f->task[f->i]);
    }
    VG_RETURN(0);
}

struct gather *gather(struct gather *f, struct vg_handle *task, int64_t count)
{
    VG_SETUP(f, gather);
    f->task = task;
    f->count = count;
    return f;
}

VG_ASYNC(yielder)
{
    VG_BEGIN(f);
    int rc;

    for (rc = 0; f->left > 0 && rc == 0; f->left--)
        VG_AWAIT(rc, vg_yield(&f->yield));
    VG_RETURN(rc);
}

struct yielder *yielder(struct yielder *f, int64_t times)
{
    VG_SETUP(f, yielder);
    f->left = times;
    return f;
}
