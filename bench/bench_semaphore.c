/* SPDX-License-Identifier: MIT */
/*
 * semaphore_try: vg_try_acquire() and vg_release() of a free permit. semaphore: the same awaited.
 * semaphore_contended/W: eight tasks on W workers for two permits; each holds its permit across a yield, so the others are
 * queued and it is handed over every time.
 */
#include <vigil/async.h>
#include <vigil/semaphore.h>
#include <vigil/time.h>

#include "crowd.h"

static void semaphore_try(struct bench_run *run, int64_t arg)
{
    static struct vg_semaphore semaphore = VG_SEMAPHORE_INIT_NAMED("bench", 8);

    (void)arg;
    BENCH_REPEAT (run) {
        if (vg_try_acquire(&semaphore, 1) < 0)
            bench_fail(run, "vg_try_acquire");
        vg_release(&semaphore, 1);
    }
}

struct taker {
    VG_FRAME(int);
    int64_t left;
    struct vg_semaphore semaphore;
    struct vg_acquire acquire;
};

VG_ASYNC(taker)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        VG_ACQUIRE(rc, &f->acquire, &f->semaphore, 1);
        VG_ASSERT(rc == 0);
        vg_release(&f->semaphore, 1);
    }
    VG_RETURN(0);
}

static struct taker *taker(struct taker *f, int64_t times)
{
    VG_SETUP(f, taker);
    vg_semaphore_init(&f->semaphore, "bench", 8);
    f->left = times;
    return f;
}

static void semaphore_await(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    struct taker root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &taker(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

struct rival {
    VG_FRAME(int);
    int64_t left;
    struct vg_semaphore *semaphore;
    struct vg_acquire acquire;
    struct vg_yield yield;
};

VG_ASYNC(rival)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        VG_TRY(rc, vg_acquire(&f->acquire, f->semaphore, 1));
        VG_AWAIT(rc, vg_yield(&f->yield));
        vg_release(f->semaphore, 1);
    }
    VG_RETURN(0);
}

static struct rival *rival(struct rival *f, struct vg_semaphore *semaphore, int64_t times)
{
    VG_SETUP(f, rival);
    f->semaphore = semaphore;
    f->left = times;
    return f;
}

static int spawn_rival(struct vg_handle *handle, unsigned i, void *arg)
{
    (void)i;
    return VG_SPAWN(vg_exec_current(), handle, rival, arg, BENCH_BATCH / CROWD);
}

static void semaphore_contended(struct bench_run *run, int64_t arg)
{
    struct vg_semaphore semaphore;

    (void)arg;
    vg_semaphore_init(&semaphore, "contended", 2);
    bench_crowd(run, spawn_rival, &semaphore);
}

const struct bench bench_semaphore[] = {
    {"semaphore_try", semaphore_try, 0, 1},
    {"semaphore", semaphore_await, 0, 1},
    {"semaphore_contended", semaphore_contended, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
