/* SPDX-License-Identifier: MIT */
/*
 * Programs that are busy or stuck for a reason that no task list shows, and what the instruments say of them.
 *
 *     stuck sleep      two tasks sleep in the kernel, on the only two workers
 *     stuck compute    a task computes without a pause
 *
 * Each ends when it has been reported, or after ten seconds. Exit codes: 0 reported as expected, 1 not, 2 bad usage.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/symbols.h>
#include <vigil/time.h>
#include <vigil/uring.h>

static uint64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return VG_SEC((uint64_t)ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

/* What a well-meaning library does. */
static void sleep_in_the_kernel(uint64_t length)
{
    struct timespec until;
    const uint64_t at = now() + length;

    until.tv_sec = (time_t)(at / VG_SEC(1));
    until.tv_nsec = (long)(at % VG_SEC(1));
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static void compute(uint64_t length)
{
    for (const uint64_t until = now() + length; now() < until;)
        ;
}

struct look_up {
    VG_FRAME(int);
    void (*block)(uint64_t length);
    struct vg_yield yield;
};

VG_ASYNC(look_up)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    f->block(VG_MSEC(500));
    VG_RETURN(0);
}

static struct look_up *look_up(struct look_up *f, void (*block)(uint64_t length))
{
    VG_SETUP(f, look_up);
    f->block = block;
    return f;
}
int main(int argc, char **argv)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness *live;
    struct vg_exec *exec;
    watch.symbolize = vg_symbols_name;
    watch.symbolize_arg = vg_symbols_open();
    if (vg_liveness_open(&live, &watch) < 0)
        return 1;
    config.workers = 2;
    if (vg_uring_open(&config.driver, NULL, &vg_alloc_default) < 0)
        return 1;
    config.probe = vg_liveness_probe(live);
    if (vg_exec_open(&exec, &config) < 0)
        return 1;
    for (int i = 0; i < 2; i++)
        if (VG_SPAWN(exec, NULL, look_up, argc > 1 ? compute : sleep_in_the_kernel) < 0)
            return 1;
    (void)argv;
    while (vg_exec_live(exec) > 0)
        usleep(1000);
    vg_exec_close(exec, VG_SEC(5));
    vg_liveness_close(live);
    vg_symbols_close(watch.symbolize_arg);
}
