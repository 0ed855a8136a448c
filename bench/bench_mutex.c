/* SPDX-License-Identifier: MIT */
/*
 * mutex_try: vg_trylock() and vg_unlock() of a free mutex. mutex_await: the same awaited, as an async function
 * does it. mutex_contended/W: eight tasks on W workers; each holds the lock across a yield, so the others are queued and it is
 * handed over every time.
 */
#include <vigil/async.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

#include "crowd.h"

static void mutex_try(struct bench_run *run, int64_t arg)
{
    static struct vg_mutex mutex = VG_MUTEX_INIT;

    (void)arg;
    while (bench_next(run, 1)) {
        if (!vg_trylock(&mutex))
            bench_fail(run, "vg_trylock");
        vg_unlock(&mutex);
    }
}

struct locker {
    VG_FRAME(int);
    int64_t left;
    struct vg_mutex mutex;
    struct vg_lock lock;
};

VG_ASYNC(locker)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        VG_TRY(rc, vg_lock(&f->lock, &f->mutex));
        vg_unlock(&f->mutex);
    }
    VG_RETURN(0);
}

static struct locker *locker(struct locker *f, int64_t times)
{
    VG_SETUP(f, locker);
    vg_mutex_init(&f->mutex, "bench");
    f->left = times;
    return f;
}

static void mutex_await(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run, 1);
    struct locker root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &locker(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

struct rival {
    VG_FRAME(int);
    int64_t left;
    struct vg_mutex *mutex;
    struct vg_lock lock;
    struct vg_yield yield;
};

VG_ASYNC(rival)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        VG_TRY(rc, vg_lock(&f->lock, f->mutex));
        VG_AWAIT(rc, vg_yield(&f->yield));
        vg_unlock(f->mutex);
    }
    VG_RETURN(0);
}

static struct rival *rival(struct rival *f, struct vg_mutex *mutex, int64_t times)
{
    VG_SETUP(f, rival);
    f->mutex = mutex;
    f->left = times;
    return f;
}

static int spawn_rival(struct vg_handle *handle, unsigned i, void *arg)
{
    (void)i;
    return VG_SPAWN(vg_exec_current(), handle, rival, arg, BENCH_BATCH / CROWD);
}

static void mutex_contended(struct bench_run *run, int64_t workers)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, "contended");
    bench_crowd(run, workers, spawn_rival, &mutex);
}

const struct bench bench_mutex[] = {
    {"mutex_try", mutex_try, 0},
    {"mutex_await", mutex_await, 0},
    {"mutex_contended/1", mutex_contended, 1},
    {"mutex_contended/2", mutex_contended, 2},
    {NULL, NULL, 0},
};
