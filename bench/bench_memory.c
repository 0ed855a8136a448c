/* SPDX-License-Identifier: MIT */
/*
 * mem_task: by how much the resident memory grows for each of a million tasks that wait, an async function with one child;
 * mem_task_leaf: the same if the task is nothing but a hand-written future.
 */
#include <stdio.h>
#include <unistd.h>

#include <vigil/time.h>

#include "runner.h"

static double resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

struct waiter {
    VG_FRAME(int);
    struct vg_forever forever;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_forever(&f->forever));
    VG_RETURN(rc);
}

static struct waiter *waiter(struct waiter *f)
{
    VG_SETUP(f, waiter);
    return f;
}

/* Starts so many, and lets each run. */
struct crowd {
    VG_FRAME(int);
    int64_t tasks;
    bool leaf;
    struct vg_yield yield;
};

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;

    for (int64_t i = 0; i < f->tasks; i++) {
        rc = f->leaf ? VG_SPAWN(vg_exec_current(), NULL, vg_forever)
                     : VG_SPAWN(vg_exec_current(), NULL, waiter);
        VG_ASSERT(rc == 0);
    }
    VG_AWAIT(rc, vg_yield(&f->yield));
    VG_RETURN(0);
}

static struct crowd *crowd(struct crowd *f, int64_t tasks, bool leaf)
{
    VG_SETUP(f, crowd);
    f->tasks = tasks;
    f->leaf = leaf;
    return f;
}

/* Once, for only the first has memory that was never used. */
static void mem_task(struct bench_run *run, int64_t leaf)
{
    const int64_t tasks = bench_scaled(run, 1000000);
    struct vg_exec *exec = bench_open(run);
    const double before = resident();
    struct crowd root;

    if (exec != NULL && bench_next(run, tasks) &&
        bench_batch(run, exec, &crowd(&root, tasks, leaf)->fut))
        bench_count(run, "bytes", resident() - before);
    while (bench_next(run, tasks))
        continue;
    bench_close_within(exec, run->divisor == 1 ? 0 : VG_SEC(5));
}

const struct bench bench_memory[] = {
    {"mem_task", mem_task, 0, 1},
    {"mem_task_leaf", mem_task, 1, 1},
    {NULL, NULL, 0, 0},
};
