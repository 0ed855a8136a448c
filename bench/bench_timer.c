/* SPDX-License-Identifier: MIT */
/*
 * timers_fire: a million tasks sleep for 1 to 1000 ms each, in no order; waiting costs no processor time, so only that
 * says what a timer costs. timer_cancel: a timeout of 10 s is put around a yield and is not needed: what it costs beyond
 * yield_one is to make a timer and to cancel it.
 */
#include <stdlib.h>

#include <vigil/combine.h>

#include "runner.h"

enum { MILLION = 1000000 };

struct sleeper {
    VG_FRAME(int);
    uint64_t length;
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_sleep(&f->nap, f->length));
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f, uint64_t length)
{
    VG_SETUP(f, sleeper);
    f->length = length;
    return f;
}

struct dormitory {
    VG_FRAME(int);
    struct vg_handle *task;
    int64_t tasks;
    struct gather gather;
};

static uint64_t xorshift(uint64_t word)
{
    word ^= word << 13;
    word ^= word >> 7;
    return word ^ word << 17;
}

VG_ASYNC(dormitory)
{
    VG_BEGIN(f);
    uint64_t random = 0x9e3779b97f4a7c15u;
    int rc;

    for (int64_t i = 0; i < f->tasks; i++) {
        random = xorshift(random);
        rc = VG_SPAWN(vg_exec_current(), &f->task[i], sleeper, VG_MSEC(1 + random % 1000));
        VG_ASSERT(rc == 0);
    }
    VG_AWAIT(rc, gather(&f->gather, f->task, f->tasks));
    VG_RETURN(rc);
}

static struct dormitory *dormitory(struct dormitory *f, struct vg_handle *task, int64_t tasks)
{
    VG_SETUP(f, dormitory);
    f->task = task;
    f->tasks = tasks;
    return f;
}

static void timers_fire(struct bench_run *run, int64_t arg)
{
    const int64_t timers = bench_scaled(run, MILLION);
    struct vg_handle *task = bench_handles(run, timers);
    struct vg_exec *exec = bench_open(run);
    struct dormitory root;

    (void)arg;
    while (task != NULL && exec != NULL && bench_next(run, timers))
        if (!bench_batch(run, exec, &dormitory(&root, task, timers)->fut))
            break;
    bench_close(exec);
    free(task);
}

struct hasty {
    VG_FRAME(int);
    int64_t left;
    struct vg_yield yield;
    struct vg_timeout timeout;
};

VG_ASYNC(hasty)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        VG_AWAIT(rc, vg_timeout(&f->timeout, VG_SEC(10), vg_yield(&f->yield)));
        VG_ASSERT(rc == 0);
    }
    VG_RETURN(0);
}

static struct hasty *hasty(struct hasty *f, int64_t timeouts)
{
    VG_SETUP(f, hasty);
    f->left = timeouts;
    return f;
}

static void timer_cancel(struct bench_run *run, int64_t arg)
{
    const int64_t timeouts = bench_scaled(run, MILLION);
    struct vg_exec *exec = bench_open(run);
    struct hasty root;

    (void)arg;
    while (exec != NULL && bench_next(run, timeouts))
        if (!bench_batch(run, exec, &hasty(&root, timeouts)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_timer[] = {
    {"timers_fire", timers_fire, 0, BENCH_MANY},
    {"timer_cancel", timer_cancel, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
