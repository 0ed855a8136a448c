/* SPDX-License-Identifier: MIT */
/*
 * yield_one, yield/64, yield_many: a task lets the others of 1, 64, 1000 run, and its turn comes again. level/L: yield_one with
 * the instruments at level L: 0 off, 1 verdicts, 2 everything, which is the default, 3 and an exact clock; what their thread uses is in the
 * figure, and is also shown apart.
 */
#include <stdlib.h>
#include <unistd.h>

#include <vigil/liveness.h>
#include <vigil/time.h>

#include "echo_load.h"
#include "runner.h"

struct crowd {
    VG_FRAME(int);
    struct vg_handle *task;
    int64_t tasks, yields;
    struct gather gather;
};

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;

    for (int64_t i = 0; i < f->tasks; i++) {
        rc = VG_SPAWN(vg_exec_current(), &f->task[i], yielder, f->yields);
        VG_ASSERT(rc == 0);
    }
    VG_AWAIT(rc, gather(&f->gather, f->task, f->tasks));
    VG_RETURN(rc);
}

/* So many tasks, each of which yields so often. */
static struct crowd *crowd(struct crowd *f, struct vg_handle *task, int64_t tasks, int64_t yields)
{
    VG_SETUP(f, crowd);
    f->task = task;
    f->tasks = tasks;
    f->yields = yields;
    return f;
}

/* Returns how often they have yielded. */
static int64_t run_crowd(struct bench_run *run, struct vg_exec *exec, int64_t tasks)
{
    const int64_t yields = (bench_scaled(run, 1000000) + tasks - 1) / tasks;
    struct vg_handle *task = bench_handles(run, tasks);
    int64_t operations = 0;
    struct crowd root;

    while (task != NULL && exec != NULL && bench_next(run, tasks * yields)) {
        if (!bench_batch(run, exec, &crowd(&root, task, tasks, yields)->fut))
            break;
        operations += tasks * yields;
    }
    free(task);
    return operations;
}

static void yield(struct bench_run *run, int64_t tasks)
{
    struct vg_exec *exec = bench_open(run);

    run_crowd(run, exec, tasks);
    bench_close(exec);
}

static uint64_t watchdog_time(void)
{
    const struct load_options self = {.pid = getpid(), .thread = "vigil-watch"};
    struct load_usage usage;

    load_usage(&usage, &self);
    return usage.thread_ns;
}

static void level(struct bench_run *run, int64_t level)
{
    struct vg_exec *exec = bench_open_with(run, (unsigned)level, NULL);
    const uint64_t before = watchdog_time();
    const int64_t yields = run_crowd(run, exec, 1);

    if (yields > 0)
        bench_count(run, "watchdog_ns", (double)(watchdog_time() - before) / (double)yields);
    bench_close(exec);
}

const struct bench bench_yield[] = {
    {"yield_one", yield, 1, BENCH_MANY},      {"yield/64", yield, 64, BENCH_MANY},
    {"yield_many", yield, 1000, BENCH_MANY},  {"level/0", level, VG_LEVEL_OFF, 1},
    {"level/1", level, VG_LEVEL_VERDICTS, 1}, {"level/2", level, VG_LEVEL_FULL, 1},
    {"level/3", level, BENCH_LEVEL_EXACT, 1}, {NULL, NULL, 0, 0},
};
