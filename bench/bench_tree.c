/* SPDX-License-Identifier: MIT */
/*
 * Trees of tasks, each of which awaits its children's results. skynet: ten children each, down to a million leaves; the sum
 * of their numbers comes back. fib_tasks: fib(27) by recursion: of the two calls, one is a task and the other is awaited;
 * an operation is a call.
 */
#include <stdlib.h>

#include "runner.h"

enum { CHILDREN = 10, FIB_CALLS = 635621 /* of fib(27) */ };

struct skynet {
    VG_FRAME(int64_t);
    int64_t number, leaves, sum;
    unsigned i;
    struct vg_handle child[CHILDREN];
    struct vg_task_wait wait;
};

static struct skynet *skynet(struct skynet *f, int64_t number, int64_t leaves);

VG_ASYNC(skynet)
{
    VG_BEGIN(f);
    int rc;

    if (f->leaves == 1)
        VG_RETURN(f->number);
    for (f->i = 0; f->i < CHILDREN; f->i++) {
        rc = VG_SPAWN(vg_exec_current(), &f->child[f->i], skynet,
                      f->number + f->i * (f->leaves / CHILDREN), f->leaves / CHILDREN);
        VG_ASSERT(rc == 0);
    }
    for (f->sum = 0, f->i = 0; f->i < CHILDREN; f->i++) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->child[f->i]));
        VG_ASSERT(rc == 0);
        f->sum += VG_TASK_RET(&f->child[f->i], struct skynet);
        vg_task_release(&f->child[f->i]);
    }
    VG_RETURN(f->sum);
}

static struct skynet *skynet(struct skynet *f, int64_t number, int64_t leaves)
{
    VG_SETUP(f, skynet);
    f->number = number;
    f->leaves = leaves;
    return f;
}

static void run_skynet(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    struct skynet root;
    int64_t leaves = 1, tasks = 1;

    (void)arg;
    for (; leaves * CHILDREN <= bench_scaled(run, 1000000); leaves *= CHILDREN)
        tasks = tasks * CHILDREN + 1;
    while (exec != NULL && bench_next(run, tasks)) {
        if (!bench_batch(run, exec, &skynet(&root, 0, leaves)->fut))
            break;
        if (root.ret != leaves * (leaves - 1) / 2)
            bench_fail(run, "skynet: a wrong sum");
    }
    bench_close(exec);
}

struct fib {
    VG_FRAME(int64_t);
    int64_t n, sum;
    struct fib *call; /* the one that is no task */
    struct vg_handle task;
    struct vg_task_wait wait;
};

static struct fib *fib(struct fib *f, int64_t n);

VG_ASYNC(fib)
{
    VG_BEGIN(f);
    int rc;

    if (f->n < 2)
        VG_RETURN(f->n);
    f->call = malloc(sizeof *f->call);
    VG_ASSERT(f->call != NULL);
    rc = VG_SPAWN(vg_exec_current(), &f->task, fib, f->n - 1);
    VG_ASSERT(rc == 0);
    VG_AWAIT(f->sum, fib(f->call, f->n - 2));
    free(f->call);
    VG_AWAIT(rc, vg_task_wait(&f->wait, &f->task));
    VG_ASSERT(rc == 0);
    f->sum += VG_TASK_RET(&f->task, struct fib);
    vg_task_release(&f->task);
    VG_RETURN(f->sum);
}

static struct fib *fib(struct fib *f, int64_t n)
{
    VG_SETUP(f, fib);
    f->n = n;
    return f;
}

/* The largest n whose calls are not more than so many; the number of calls; the result. */
struct fib_size {
    int64_t n, calls, result;
};

static struct fib_size size_of(int64_t most)
{
    struct fib_size size = {1, 1, 1};

    for (int64_t before = 0, calls_before = 1; size.calls + calls_before + 1 <= most; size.n++) {
        const int64_t result = size.result + before, calls = size.calls + calls_before + 1;

        before = size.result;
        calls_before = size.calls;
        size.result = result;
        size.calls = calls;
    }
    return size;
}

static void fib_tasks(struct bench_run *run, int64_t arg)
{
    const struct fib_size size = size_of(bench_scaled(run, FIB_CALLS));
    struct vg_exec *exec = bench_open(run);
    struct fib root;

    (void)arg;
    while (exec != NULL && bench_next(run, size.calls)) {
        if (!bench_batch(run, exec, &fib(&root, size.n)->fut))
            break;
        if (root.ret != size.result)
            bench_fail(run, "fib_tasks: a wrong result");
    }
    bench_close(exec);
}

const struct bench bench_tree[] = {
    {"skynet", run_skynet, 0, BENCH_MANY},
    {"fib_tasks", fib_tasks, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
