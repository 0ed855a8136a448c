/* SPDX-License-Identifier: MIT */
/* dump: what vg_dump() takes for each of a hundred thousand tasks that wait for a lock. */
#include <stdio.h>

#include <vigil/liveness.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

#include "runner.h"

struct waiter {
    VG_FRAME(int);
    struct vg_mutex *mutex;
    struct vg_lock lock;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_lock(&f->lock, f->mutex));
    vg_unlock(f->mutex);
    VG_RETURN(0);
}

static struct waiter *waiter(struct waiter *f, struct vg_mutex *mutex)
{
    VG_SETUP(f, waiter);
    f->mutex = mutex;
    return f;
}

/* Starts so many, and lets each run until it waits. */
struct queue {
    VG_FRAME(int);
    struct vg_mutex *mutex;
    int64_t tasks;
    struct vg_yield yield;
};

VG_ASYNC(queue)
{
    VG_BEGIN(f);
    for (int64_t i = 0; i < f->tasks; i++)
        if (VG_SPAWN(vg_exec_current(), NULL, waiter, f->mutex) < 0)
            VG_RETURN(-ENOMEM);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    VG_RETURN(0);
}

static struct queue *queue(struct queue *f, struct vg_mutex *mutex, int64_t tasks)
{
    VG_SETUP(f, queue);
    f->mutex = mutex;
    f->tasks = tasks;
    return f;
}

static void dump(struct bench_run *run, int64_t unused)
{
    const int64_t tasks = bench_scaled(run, 100000);
    struct vg_exec *exec = bench_open(run);
    FILE *out = fopen("/dev/null", "we");
    struct vg_mutex mutex;
    struct queue root;
    bool ready;

    (void)unused;
    vg_mutex_init(&mutex, "queue");
    ready = exec != NULL && out != NULL && vg_trylock(&mutex) &&
            bench_batch(run, exec, &queue(&root, &mutex, tasks)->fut);
    while (bench_next(run, tasks))
        if (ready && vg_dump(bench_liveness(), 0, out) < 0)
            bench_fail(run, "vg_dump");
    if (out != NULL)
        fclose(out);
    bench_close_within(exec, VG_SEC(20));
}

const struct bench bench_dump[] = {
    {"dump", dump, 0, 1},
    {NULL, NULL, 0, 0},
};
