/* SPDX-License-Identifier: MIT */
#include "stuck.h"

#include <errno.h>
#include <time.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/time.h>

/* Polls that do not end. */

static uint64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return VG_SEC((uint64_t)ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

/* What a library does that knows nothing of tasks. */
static void sleep_in_the_kernel(uint64_t length)
{
    const uint64_t at = read_clock(CLOCK_MONOTONIC) + length;
    const struct timespec until = {(time_t)(at / VG_SEC(1)), (long)(at % VG_SEC(1))};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static void compute(uint64_t length)
{
    const uint64_t until = read_clock(CLOCK_THREAD_CPUTIME_ID) + length;

    while (read_clock(CLOCK_THREAD_CPUTIME_ID) < until)
        ;
}

struct look_up {
    VG_FRAME(int);
    void (*block)(uint64_t length);
    struct vg_sleep nap;
};

VG_ASYNC(look_up)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(50)));
    f->block(VG_MSEC(800));
    VG_RETURN(0);
}

static struct look_up *look_up(struct look_up *f, void (*block)(uint64_t length))
{
    VG_SETUP(f, look_up);
    f->block = block;
    return f;
}

int stuck_sleep(struct vg_exec *exec)
{
    const int rc = VG_SPAWN(exec, NULL, look_up, sleep_in_the_kernel);

    return rc == 0 ? VG_SPAWN(exec, NULL, look_up, sleep_in_the_kernel) : rc;
}

int stuck_compute(struct vg_exec *exec)
{
    return VG_SPAWN(exec, NULL, look_up, compute);
}

/* A reader of nothing: there is always the end of the stream. */
struct read_nothing {
    struct vg_future fut;
    int ret;
};

static vg_poll read_poll(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    ((struct read_nothing *)(void *)fut)->ret = 0;
    return VG_READY;
}

static struct read_nothing *read_nothing(struct read_nothing *f)
{
    static const struct vg_ops ops = {
        .poll = read_poll, .name = "read_nothing", .size = sizeof *f, .kind = VG_KIND_LEAF};

    vg_future_init(&f->fut, &ops);
    f->ret = 0;
    return f;
}

struct copy {
    VG_FRAME(int);
    uint64_t until;
    struct read_nothing read;
};

VG_ASYNC(copy)
{
    VG_BEGIN(f);
    f->until = read_clock(CLOCK_THREAD_CPUTIME_ID) + VG_MSEC(1500);
    while (read_clock(CLOCK_THREAD_CPUTIME_ID) < f->until)
        VG_AWAIT(f->ret, read_nothing(&f->read));
    VG_RETURN(0);
}

static struct copy *copy(struct copy *f)
{
    VG_SETUP(f, copy);
    return f;
}

struct hurry {
    VG_FRAME(int);
    struct copy copy;
    struct vg_timeout timeout;
};

/* The timeout does not help: nobody looks at it before the copy is pending. */
VG_ASYNC(hurry)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_timeout(&f->timeout, VG_MSEC(100), copy(&f->copy)));
    VG_RETURN(0);
}

static struct hurry *hurry(struct hurry *f)
{
    VG_SETUP(f, hurry);
    return f;
}

int stuck_endless(struct vg_exec *exec)
{
    return VG_SPAWN(exec, NULL, hurry);
}
