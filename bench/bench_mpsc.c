/* SPDX-License-Identifier: MIT */
/*
 * mpsc_S_1/W: a million messages of a word from S tasks to one through 64 slots, on W workers, by VG_MPSC_SEND and VG_MPSC_RECV;
 * one iteration is a message.
 * mpsc_many_S_1: the receiver takes as many as there are. mpsc_try: vg_mpsc_try_send() and vg_mpsc_try_recv().
 */
#include <vigil/async.h>
#include <vigil/mpsc.h>

#include "runner.h"

enum { SLOTS = 64, SENDERS_MAX = 8 };

static void mpsc_try(struct bench_run *run, int64_t arg)
{
    uint64_t slots[SLOTS], value = 1;
    struct vg_mpsc channel;

    (void)arg;
    vg_mpsc_init(&channel, "bench", slots, SLOTS);
    BENCH_REPEAT (run)
        if (vg_mpsc_try_send(&channel, &value) < 0 || vg_mpsc_try_recv(&channel, &value) < 0)
            bench_fail(run, "vg_mpsc_try");
    vg_mpsc_fini(&channel);
}

struct sender {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    uint64_t i, count;
    struct vg_mpsc_send send;
};

VG_ASYNC(sender)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 1; f->i <= f->count; f->i++) {
        VG_MPSC_SEND(rc, &f->send, f->channel, &f->i);
        if (rc < 0)
            VG_RETURN(rc);
    }
    VG_RETURN(0);
}

static struct sender *sender(struct sender *f, struct vg_mpsc *channel, uint64_t count)
{
    VG_SETUP(f, sender);
    f->channel = channel;
    f->count = count;
    return f;
}

struct receiver {
    VG_FRAME(int);
    unsigned senders, i;
    uint64_t left, sum, values[SLOTS];
    bool many;
    uint64_t each; /* what a sender sends */
    struct vg_mpsc channel;
    uint64_t slots[SLOTS];
    struct vg_receive recv;
    struct vg_task_wait wait;
    struct vg_handle sender[SENDERS_MAX];
};

static void begin(struct receiver *f)
{
    vg_mpsc_init(&f->channel, "bench", f->slots, SLOTS);
    for (f->i = 0; f->i < f->senders; f->i++) {
        int rc = VG_SPAWN(vg_exec_current(), &f->sender[f->i], sender, &f->channel, f->each);
        VG_ASSERT(rc == 0);
    }
}

VG_ASYNC(receiver)
{
    VG_BEGIN(f);
    int rc;

    begin(f);
    while (f->left > 0 && !f->many) {
        VG_MPSC_RECV(rc, &f->recv, &f->channel, f->values);
        if (rc < 0)
            VG_RETURN(rc);
        f->sum += f->values[0];
        f->left--;
    }
    while (f->left > 0) {
        VG_TRY(rc, vg_mpsc_recv_many(&f->recv, &f->channel, f->values, SLOTS));
        for (int i = 0; i < rc; i++)
            f->sum += f->values[i];
        f->left -= (uint64_t)rc;
    }
    while (f->i-- > 0) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->sender[f->i]));
        vg_task_release(&f->sender[f->i]);
    }
    vg_mpsc_fini(&f->channel);
    VG_RETURN(0);
}

static struct receiver *receiver(struct receiver *f, unsigned senders, bool many, int64_t values)
{
    VG_SETUP(f, receiver);
    f->senders = senders;
    f->many = many;
    f->each = (uint64_t)values / senders;
    f->left = f->each * senders;
    f->sum = 0;
    return f;
}

static void channel(struct bench_run *run, unsigned senders, bool many)
{
    const int64_t values = bench_scaled(run, 1000000) / senders * senders + senders;
    struct vg_exec *exec = bench_open(run);
    struct receiver root;

    while (exec != NULL && bench_next(run, values))
        if (!bench_batch(run, exec, &receiver(&root, senders, many, values)->fut))
            break;
    bench_close(exec);
}

static void mpsc_1_1(struct bench_run *run, int64_t arg)
{
    (void)arg;
    channel(run, 1, false);
}

static void mpsc_8_1(struct bench_run *run, int64_t arg)
{
    (void)arg;
    channel(run, 8, false);
}

static void mpsc_many_1_1(struct bench_run *run, int64_t arg)
{
    (void)arg;
    channel(run, 1, true);
}

static void mpsc_many_8_1(struct bench_run *run, int64_t arg)
{
    (void)arg;
    channel(run, 8, true);
}

const struct bench bench_mpsc[] = {
    {"mpsc_try", mpsc_try, 0, 1},
    {"mpsc_1_1", mpsc_1_1, 0, BENCH_MANY},

    {"mpsc_8_1", mpsc_8_1, 0, BENCH_MANY},

    {"mpsc_many_1_1", mpsc_many_1_1, 0, BENCH_MANY},

    {"mpsc_many_8_1", mpsc_many_8_1, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
