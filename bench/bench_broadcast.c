/* SPDX-License-Identifier: MIT */
/*
 * broadcast/N: a word to N subscribers, who all receive it before the next is sent; one iteration is a receive.
 * broadcast_try: vg_broadcast_send() and vg_broadcast_try_recv(), nobody waits.
 */
#include <vigil/async.h>
#include <vigil/broadcast.h>
#include <vigil/time.h>

#include "runner.h"

enum { SLOTS = 64, SUBSCRIBERS_MAX = 8 };

static void broadcast_try(struct bench_run *run, int64_t arg)
{
    uint64_t slots[SLOTS], value = 1;
    struct vg_broadcast channel;
    struct vg_subscription subscription;

    (void)arg;
    vg_broadcast_init(&channel, "bench", slots, SLOTS);
    vg_broadcast_subscribe(&subscription, &channel);
    BENCH_REPEAT (run)
        if (vg_broadcast_send(&channel, &value) < 0 ||
            vg_broadcast_try_recv(&subscription, &value) < 0)
            bench_fail(run, "vg_broadcast_try");
    vg_broadcast_fini(&channel);
}

struct listener {
    VG_FRAME(int);
    uint64_t value;
    struct vg_subscription subscription;
    struct vg_broadcast_recv recv;
};

VG_ASYNC(listener)
{
    VG_BEGIN(f);
    do {
        VG_AWAIT(f->ret, vg_broadcast_recv(&f->recv, &f->subscription, &f->value));
    } while (f->ret == 0);
    VG_RETURN(f->ret);
}

static struct listener *listener(struct listener *f, struct vg_broadcast *channel)
{
    VG_SETUP(f, listener);
    vg_broadcast_subscribe(&f->subscription, channel);
    return f;
}

struct speaker {
    VG_FRAME(int);
    unsigned listeners, i;
    uint64_t left, slots[SLOTS];
    struct vg_broadcast channel;
    struct vg_yield yield;
    struct vg_task_wait wait;
    struct vg_handle listener[SUBSCRIBERS_MAX];
};

static void begin(struct speaker *f)
{
    vg_broadcast_init(&f->channel, "bench", f->slots, SLOTS);
    for (f->i = 0; f->i < f->listeners; f->i++) {
        int rc = VG_SPAWN(vg_exec_current(), &f->listener[f->i], listener, &f->channel);
        VG_ASSERT(rc == 0);
    }
}

VG_ASYNC(speaker)
{
    VG_BEGIN(f);
    int rc;

    begin(f);
    for (; f->left > 0; f->left--) {
        rc = vg_broadcast_send(&f->channel, &f->left);
        VG_ASSERT(rc == 0);
        VG_AWAIT(rc, vg_yield(&f->yield));
    }
    vg_broadcast_close(&f->channel);
    while (f->i-- > 0) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->listener[f->i]));
        rc = VG_TASK_RET(&f->listener[f->i], struct listener);
        VG_ASSERT(rc == -EPIPE);
        vg_task_release(&f->listener[f->i]);
    }
    vg_broadcast_fini(&f->channel);
    VG_RETURN(0);
}

static struct speaker *speaker(struct speaker *f, unsigned listeners)
{
    VG_SETUP(f, speaker);
    f->listeners = listeners;
    f->left = BENCH_BATCH / listeners;
    return f;
}

static void broadcast(struct bench_run *run, int64_t listeners)
{
    struct vg_exec *exec = bench_open(run);
    struct speaker root;

    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &speaker(&root, (unsigned)listeners)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_broadcast[] = {
    {"broadcast_try", broadcast_try, 0, 1},
    {"broadcast/1", broadcast, 1, 1},
    {"broadcast/8", broadcast, 8, 1},
    {NULL, NULL, 0, 0},
};
