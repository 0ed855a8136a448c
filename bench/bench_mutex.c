/* SPDX-License-Identifier: MIT */
/*
 * mutex_try: vg_trylock() and vg_unlock() of a free mutex. mutex_await: the same awaited, as an async function
 * does it. mutex_contended: 64 tasks; each takes it 10,000 times and holds it across a yield, so the others are queued and
 * it is handed over every time.
 */
#include <vigil/mutex.h>
#include <vigil/time.h>

#include "runner.h"

static void mutex_try(struct bench_run *run, int64_t arg)
{
    static struct vg_mutex mutex = VG_MUTEX_INIT;
    const int64_t times = bench_scaled(run, 5000000);

    (void)arg;
    while (bench_next(run, times))
        for (int64_t i = 0; i < times; i++) {
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
    const int64_t times = bench_scaled(run, 2000000);
    struct vg_exec *exec = bench_open(run);
    struct locker root;

    (void)arg;
    while (exec != NULL && bench_next(run, times))
        if (!bench_batch(run, exec, &locker(&root, times)->fut))
            break;
    bench_close(exec);
}

enum { RIVALS = 64 };

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

struct contest {
    VG_FRAME(int);
    struct vg_mutex mutex;
    int64_t locks; /* of each */
    struct vg_handle task[RIVALS];
    struct gather gather;
};

VG_ASYNC(contest)
{
    VG_BEGIN(f);
    int rc;

    for (unsigned i = 0; i < RIVALS; i++) {
        rc = VG_SPAWN(vg_exec_current(), &f->task[i], rival, &f->mutex, f->locks);
        VG_ASSERT(rc == 0);
    }
    VG_AWAIT(rc, gather(&f->gather, f->task, RIVALS));
    VG_RETURN(rc);
}

static struct contest *contest(struct contest *f, int64_t locks)
{
    VG_SETUP(f, contest);
    vg_mutex_init(&f->mutex, "contended");
    f->locks = locks;
    return f;
}

static void mutex_contended(struct bench_run *run, int64_t arg)
{
    const int64_t locks = bench_scaled(run, 10000);
    struct vg_exec *exec = bench_open(run);
    struct contest root;

    (void)arg;
    while (exec != NULL && bench_next(run, locks * RIVALS))
        if (!bench_batch(run, exec, &contest(&root, locks)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_mutex[] = {
    {"mutex_try", mutex_try, 0, 1},
    {"mutex_await", mutex_await, 0, 1},
    {"mutex_contended", mutex_contended, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
