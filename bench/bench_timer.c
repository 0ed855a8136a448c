/* SPDX-License-Identifier: MIT */
/*
 * timer_fire: a task sleeps for a millisecond and goes on, of 4096 that do. Its waiting costs no processor time, so only
 * that says what a timer costs. timer_cancel: a timeout is put around a yield and is not needed: what it costs beyond yield/1
 * is to make a timer and to cancel it. Others stand in the same wheel.
 */
#include <vigil/async.h>
#include <vigil/combine.h>

#include "runner.h"

enum { SLEEPERS = VG_DEBUG ? 256 : 4096, NAPS = 8, BYSTANDERS = VG_DEBUG ? 100 : 1000 };

struct sleeper {
    VG_FRAME(int);
    int64_t left;
    uint64_t length;
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc = 0;

    for (; f->left > 0 && rc == 0; f->left--)
        VG_AWAIT(rc, vg_sleep(&f->nap, f->length));
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f, int64_t naps, uint64_t length)
{
    VG_SETUP(f, sleeper);
    f->left = naps;
    f->length = length;
    return f;
}

/* Starts sleepers, makes and cancels timeouts while they sleep, and waits for their end. */
struct dormitory {
    VG_FRAME(int);
    unsigned sleepers, i;
    int64_t naps;
    uint64_t length;
    struct vg_handle task[SLEEPERS];
    struct vg_task_wait wait;
    int64_t timeouts;
    struct vg_yield yield;
    struct vg_timeout timeout;
};

VG_ASYNC(dormitory)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 0; f->i < f->sleepers; f->i++) {
        rc = VG_SPAWN(vg_exec_current(), &f->task[f->i], sleeper, f->naps, f->length);
        VG_ASSERT(rc == 0);
    }
    for (; f->timeouts > 0; f->timeouts--) {
        VG_AWAIT(rc, vg_timeout(&f->timeout, VG_SEC(30), vg_yield(&f->yield)));
        VG_ASSERT(rc == 0);
    }
    while (f->i-- > 0) {
        if (f->naps == 1) /* bystanders, which sleep for long */
            vg_task_cancel(&f->task[f->i]);
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->task[f->i]));
        vg_task_release(&f->task[f->i]);
    }
    VG_RETURN(0);
}

static struct dormitory *dormitory(struct dormitory *f, unsigned sleepers, int64_t naps,
                                   uint64_t length, int64_t timeouts)
{
    VG_SETUP(f, dormitory);
    f->sleepers = sleepers;
    f->naps = naps;
    f->length = length;
    f->timeouts = timeouts;
    return f;
}

static void timer_fire(struct bench_run *run, int64_t arg)
{
    static struct dormitory root;
    struct vg_exec *exec = bench_open(run, 1);

    (void)arg;
    while (exec != NULL && bench_next(run, SLEEPERS * NAPS))
        if (!bench_batch(run, exec, &dormitory(&root, SLEEPERS, NAPS, VG_MSEC(1), 0)->fut))
            break;
    bench_close(exec);
}

static void timer_cancel(struct bench_run *run, int64_t arg)
{
    static struct dormitory root;
    struct vg_exec *exec = bench_open(run, 1);

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec,
                         &dormitory(&root, BYSTANDERS, 1, VG_SEC(3600), BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_timer[] = {
    {"timer_fire", timer_fire, 0},
    {"timer_cancel", timer_cancel, 0},
    {NULL, NULL, 0},
};
