/* SPDX-License-Identifier: MIT */
/*
 * yield/T: a task lets the others of T run, and its turn comes again. aa/1 and aa/2: yield/1 twice more, to see how much
 * of a difference is noise. level/L: yield/1 with the instruments at level L: 0 off, 1 verdicts, 2 everything, which is the
 * default; what their thread uses is in the figure, and is also shown apart.
 *
 * spawn_join/W: a task is made, runs, ends, and its result is taken, on W workers. A program that works through a million
 * of them spawns 64, joins them, and so on. spawn_join_1m/W: all of a million are spawned before the first is
 * joined, as by a program that collects the handles in an array, and has done so before. spawn_join_cold/W: it has not, so
 * the system has to provide the memory, page by page.
 */
#include <stdlib.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/combine.h>

#include "echo_load.h"
#include "runner.h"

enum { CHILDREN = 64 };

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
    struct vg_handle *task;
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
static struct crowd *crowd(struct crowd *f, struct vg_handle *task, int64_t tasks, int64_t yields,
                           int64_t left)
{
    VG_SETUP(f, crowd);
    f->task = task;
    f->tasks = tasks;
    f->yields = yields;
    f->left = left;
    return f;
}

/* A batch has so many operations: yields, or tasks that do nothing. Returns how many there were. */
static int64_t run_crowd(struct bench_run *run, struct vg_exec *exec, int64_t tasks, int64_t yields,
                         int64_t batch)
{
    struct vg_handle *task = calloc((size_t)tasks, sizeof *task);
    const int64_t left = yields > 0 ? tasks : batch;
    int64_t operations = 0;
    struct crowd root;

    if (task == NULL)
        bench_fail(run, "calloc");
    while (task != NULL && exec != NULL && bench_next(run, batch)) {
        if (!bench_batch(run, exec, &crowd(&root, task, tasks, yields, left)->fut))
            break;
        operations += batch;
    }
    free(task);
    return operations;
}

static void yield(struct bench_run *run, int64_t tasks)
{
    struct vg_exec *exec = bench_open(run, 1);
    const int64_t yields = BENCH_BATCH / tasks;

    run_crowd(run, exec, tasks, yields, tasks * yields);
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
    struct vg_exec *exec = bench_open_with(run, 1, (unsigned)level, NULL);
    const uint64_t before = watchdog_time();
    const int64_t yields = run_crowd(run, exec, 1, BENCH_BATCH, BENCH_BATCH);

    if (yields > 0)
        bench_count(run, "watchdog_ns", (double)(watchdog_time() - before) / (double)yields);
    bench_close(exec);
}

static void spawn_join(struct bench_run *run, int64_t workers)
{
    struct vg_exec *exec = bench_open(run, (unsigned)workers);

    run_crowd(run, exec, CHILDREN, 0, BENCH_BATCH);
    bench_close(exec);
}

static void spawn_join_cold(struct bench_run *run, int64_t workers)
{
    struct vg_exec *exec = bench_open(run, (unsigned)workers);

    run_crowd(run, exec, BENCH_MILLION, 0, BENCH_MILLION);
    bench_close(exec);
}

static void spawn_join_1m(struct bench_run *run, int64_t workers)
{
    struct vg_exec *exec = bench_open(run, (unsigned)workers);
    struct vg_handle *task = calloc(BENCH_MILLION, sizeof *task);
    struct crowd root;

    if (exec != NULL && task != NULL)
        (void)bench_batch(run, exec, &crowd(&root, task, BENCH_MILLION, 0, BENCH_MILLION)->fut);
    free(task);
    run_crowd(run, exec, BENCH_MILLION, 0, BENCH_MILLION);
    bench_close(exec);
}

const struct bench bench_task[] = {
    {"aa/1", yield, 1},
    {"yield/1", yield, 1},
    {"yield/64", yield, 64},
    {"yield/1000", yield, 1000},
    {"aa/2", yield, 1},
    {"level/0", level, 0},
    {"level/1", level, 1},
    {"level/2", level, 2},
    {"spawn_join/1", spawn_join, 1},
    {"spawn_join/2", spawn_join, 2},
    {"spawn_join_1m/1", spawn_join_1m, 1},
    {"spawn_join_1m/2", spawn_join_1m, 2},
    {"spawn_join_cold/1", spawn_join_cold, 1},
    {"spawn_join_cold/2", spawn_join_cold, 2},
    {NULL, NULL, 0},
};
