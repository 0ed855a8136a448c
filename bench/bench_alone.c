/* SPDX-License-Identifier: MIT */
/*
 * oneshot, broadcast, watch: one task sends to itself and awaits what it has sent, a value at a time, with nobody else about.
 * A oneshot is made for each value.
 */
#include <vigil/broadcast.h>
#include <vigil/oneshot.h>
#include <vigil/watch.h>

#include "runner.h"

enum { SLOTS = 64 };

struct oneshots {
    VG_FRAME(int);
    int64_t left;
    struct vg_oneshot oneshot;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(oneshots)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        vg_oneshot_init(&f->oneshot, "bench");
        rc = vg_oneshot_send(&f->oneshot, f);
        VG_ASSERT(rc == 0);
        VG_ONESHOT_RECV(rc, &f->recv, &f->oneshot);
        VG_ASSERT(rc == 0 && f->recv.value == f);
    }
    VG_RETURN(0);
}

static struct vg_future *oneshots(void *frame, int64_t times)
{
    struct oneshots *f = frame;

    VG_SETUP(f, oneshots);
    f->left = times;
    return &f->fut;
}

struct broadcasts {
    VG_FRAME(int);
    int64_t left, value, slots[SLOTS];
    struct vg_broadcast channel;
    struct vg_subscription subscription;
    struct vg_broadcast_recv recv;
};

VG_ASYNC(broadcasts)
{
    VG_BEGIN(f);
    int rc;

    vg_broadcast_init(&f->channel, "bench", f->slots, SLOTS);
    vg_broadcast_subscribe(&f->subscription, &f->channel);
    for (; f->left > 0; f->left--) {
        rc = vg_broadcast_send(&f->channel, &f->left);
        VG_ASSERT(rc == 0);
        VG_BROADCAST_RECV(rc, &f->recv, &f->subscription, &f->value);
        VG_ASSERT(rc == 0 && f->value == f->left);
    }
    vg_broadcast_fini(&f->channel);
    VG_RETURN(0);
}

static struct vg_future *broadcasts(void *frame, int64_t times)
{
    struct broadcasts *f = frame;

    VG_SETUP(f, broadcasts);
    f->left = times;
    return &f->fut;
}

struct watches {
    VG_FRAME(int);
    int64_t left, value, current;
    uint64_t seen;
    struct vg_watch watch;
    struct vg_watch_changed change;
};

VG_ASYNC(watches)
{
    VG_BEGIN(f);
    int rc;

    vg_watch_init(&f->watch, "bench", &f->current);
    f->seen = vg_watch_get(&f->watch, &f->value);
    for (; f->left > 0; f->left--) {
        rc = vg_watch_set(&f->watch, &f->left);
        VG_ASSERT(rc == 0);
        VG_WATCH_CHANGED(rc, &f->change, &f->watch, &f->seen, &f->value);
        VG_ASSERT(rc == 0 && f->value == f->left);
    }
    vg_watch_fini(&f->watch);
    VG_RETURN(0);
}

static struct vg_future *watches(void *frame, int64_t times)
{
    struct watches *f = frame;

    VG_SETUP(f, watches);
    f->left = times;
    return &f->fut;
}

static void run_alone(struct bench_run *run, void *frame,
                      struct vg_future *(*begin)(void *frame, int64_t times))
{
    const int64_t times = bench_scaled(run, 1000000);
    struct vg_exec *exec = bench_open(run);

    while (exec != NULL && bench_next(run, times))
        if (!bench_batch(run, exec, begin(frame, times)))
            break;
    bench_close(exec);
}

static void oneshot(struct bench_run *run, int64_t arg)
{
    struct oneshots root;

    (void)arg;
    run_alone(run, &root, oneshots);
}

static void broadcast(struct bench_run *run, int64_t arg)
{
    struct broadcasts root;

    (void)arg;
    run_alone(run, &root, broadcasts);
}

static void watch(struct bench_run *run, int64_t arg)
{
    struct watches root;

    (void)arg;
    run_alone(run, &root, watches);
}

const struct bench bench_alone[] = {
    {"oneshot", oneshot, 0, 1},
    {"broadcast", broadcast, 0, 1},
    {"watch", watch, 0, 1},
    {NULL, NULL, 0, 0},
};
