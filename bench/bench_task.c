/* SPDX-License-Identifier: MIT */
/*
 * yield/T: a task lets the others of T run, and its turn comes again. spawn_join/W: a task is made, runs, ends,
 * and its result is taken, on W workers.
 */
#include <vigil/async.h>
#include <vigil/combine.h>

#include "runner.h"

enum { YIELDERS_MAX = 64, CHILDREN = 64 };

struct yielder {
    VG_FRAME(int);
    int64_t left;
    struct vg_yield yield;
};

VG_ASYNC(yielder)
{
    VG_BEGIN(f);
    int rc;

    for (rc = 0; f->left > 0 && rc == 0; f->left--)
        VG_AWAIT(rc, vg_yield(&f->yield));
    VG_RETURN(rc);
}

static struct yielder *yielder(struct yielder *f, int64_t times)
{
    VG_SETUP(f, yielder);
    f->left = times;
    return f;
}

struct nothing {
    VG_FRAME(int);
};

VG_ASYNC(nothing)
{
    VG_BEGIN(f);
    VG_RETURN(1);
}

static struct nothing *nothing(struct nothing *f)
{
    VG_SETUP(f, nothing);
    return f;
}

/* Starts tasks and waits for all of them. */
struct crowd {
    VG_FRAME(int);
    int64_t tasks, yields;
    int64_t left, i;
    struct vg_handle task[CHILDREN];
    struct vg_task_wait wait;
};

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left -= f->tasks) {
        for (f->i = 0; f->i < f->tasks; f->i++) {
            rc = f->yields > 0 ? VG_SPAWN(vg_exec_current(), &f->task[f->i], yielder, f->yields)
                               : VG_SPAWN(vg_exec_current(), &f->task[f->i], nothing);
            VG_ASSERT(rc == 0);
        }
        while (f->i-- > 0) {
            VG_AWAIT(rc, vg_task_wait(&f->wait, &f->task[f->i]));
            vg_task_release(&f->task[f->i]);
        }
    }
    VG_RETURN(0);
}

/* So many tasks at a time, each of which yields so often; `left` of them in all. */
static struct crowd *crowd(struct crowd *f, int64_t tasks, int64_t yields, int64_t left)
{
    VG_SETUP(f, crowd);
    f->tasks = tasks;
    f->yields = yields;
    f->left = left;
    return f;
}

static void yield(struct bench_run *run, int64_t tasks)
{
    struct vg_exec *exec = bench_open(run, 1);
    struct crowd root;

    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &crowd(&root, tasks, BENCH_BATCH / tasks, tasks)->fut))
            break;
    bench_close(exec);
}

static void spawn_join(struct bench_run *run, int64_t workers)
{
    struct vg_exec *exec = bench_open(run, (unsigned)workers);
    struct crowd root;

    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &crowd(&root, CHILDREN, 0, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_task[] = {
    {"yield/1", yield, 1},
    {"yield/64", yield, YIELDERS_MAX},
    {"spawn_join/1", spawn_join, 1},
    {"spawn_join/2", spawn_join, 2},
    {NULL, NULL, 0},
};
