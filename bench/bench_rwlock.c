/* SPDX-License-Identifier: MIT */
/*
 * rwlock_read_try, rwlock_write_try: a free lock taken and given up without waiting. rwlock_read_await,
 * rwlock_write_await: the same awaited. rwlock_contended/W: eight tasks on W workers, of which two write; each holds the lock
 * across a yield.
 */
#include <vigil/async.h>
#include <vigil/rwlock.h>
#include <vigil/time.h>

#include "crowd.h"

static void rwlock_read_try(struct bench_run *run, int64_t arg)
{
    static struct vg_rwlock lock = VG_RWLOCK_INIT_NAMED("bench");

    (void)arg;
    BENCH_REPEAT (run) {
        if (!vg_tryrdlock(&lock))
            bench_fail(run, "vg_tryrdlock");
        vg_rdunlock(&lock);
    }
}

static void rwlock_write_try(struct bench_run *run, int64_t arg)
{
    static struct vg_rwlock lock = VG_RWLOCK_INIT_NAMED("bench");

    (void)arg;
    BENCH_REPEAT (run) {
        if (!vg_trywrlock(&lock))
            bench_fail(run, "vg_trywrlock");
        vg_wrunlock(&lock);
    }
}

struct visitor {
    VG_FRAME(int);
    int64_t left;
    bool writes, lingers;
    struct vg_rwlock *lock;
    struct vg_rdlock rd;
    struct vg_wrlock wr;
    struct vg_yield yield;
};

VG_ASYNC(visitor)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        if (f->writes)
            VG_TRY(rc, vg_wrlock(&f->wr, f->lock));
        else
            VG_TRY(rc, vg_rdlock(&f->rd, f->lock));
        if (f->lingers)
            VG_AWAIT(rc, vg_yield(&f->yield));
        if (f->writes)
            vg_wrunlock(f->lock);
        else
            vg_rdunlock(f->lock);
    }
    VG_RETURN(0);
}

static struct visitor *visitor(struct visitor *f, struct vg_rwlock *lock, bool writes, bool lingers,
                               int64_t times)
{
    VG_SETUP(f, visitor);
    f->lock = lock;
    f->writes = writes;
    f->lingers = lingers;
    f->left = times;
    return f;
}

static void rwlock_await(struct bench_run *run, int64_t writes)
{
    struct vg_exec *exec = bench_open(run);
    struct vg_rwlock lock;
    struct visitor root;

    vg_rwlock_init(&lock, "bench");
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &visitor(&root, &lock, writes, false, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

static int spawn_visitor(struct vg_handle *handle, unsigned i, void *arg)
{
    return VG_SPAWN(vg_exec_current(), handle, visitor, arg, i % 4 == 0, true, BENCH_BATCH / CROWD);
}

static void rwlock_contended(struct bench_run *run, int64_t arg)
{
    struct vg_rwlock lock;

    (void)arg;
    vg_rwlock_init(&lock, "contended");
    bench_crowd(run, spawn_visitor, &lock);
}

const struct bench bench_rwlock[] = {
    {"rwlock_read_try", rwlock_read_try, 0, 1},
    {"rwlock_write_try", rwlock_write_try, 0, 1},
    {"rwlock_read_await", rwlock_await, 0, 1},
    {"rwlock_write_await", rwlock_await, 1, 1},
    {"rwlock_contended", rwlock_contended, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
