/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_GATE_H
#define VIGIL_TESTS_GATE_H

#include <errno.h>

#include <vigil/future.h>

/*
 * The simplest event source there is: one waiter, opened by anybody, closed by whoever passes. It has no
 * lock, so it is for the simulator only.
 */
struct gate {
    struct vg_waiter *waiter;
    bool open;
};

struct gate_pass {
    struct vg_future fut;
    int ret; /* 0 or -ECANCELED */
    struct gate *gate;
    struct vg_waiter waiter;
};

static inline void gate_open(struct gate *gate)
{
    struct vg_waiter *waiter = gate->waiter;

    gate->open = true;
    gate->waiter = NULL;
    if (!waiter)
        return;
    waiter->queued = 0;
    vg_notify(vg_wake(waiter));
}

static inline vg_poll gate_pass_end(struct gate_pass *pass, int ret, struct vg_cx *cx)
{
    if (pass->waiter.queued) {
        pass->waiter.queued = 0;
        pass->gate->waiter = NULL;
    }
    vg_disarm(&pass->waiter, cx);
    pass->ret = ret;
    return VG_READY;
}

static inline vg_poll gate_pass_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct gate_pass *pass = (struct gate_pass *)(void *)fut;

    if (pass->gate->open) {
        /* Still armed: entered from above, before its wake was collected. */
        if (!(pass->waiter.flags & VG_W_ARMED) && !vg_coop(&pass->waiter, fut, cx))
            return VG_PENDING;
        pass->gate->open = false;
        return gate_pass_end(pass, 0, cx);
    }
    if (vg_cancelled(fut))
        return gate_pass_end(pass, -ECANCELED, cx);
    if (!pass->waiter.queued) {
        vg_arm(&pass->waiter, fut, cx);
        pass->waiter.queued = 1;
        pass->gate->waiter = &pass->waiter;
    }
    return VG_PENDING;
}

static inline void gate_pass_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct gate_pass *pass = (struct gate_pass *)(void *)fut;

    if (!pass->waiter.queued)
        return; /* woken, and about to be polled */
    pass->waiter.queued = 0;
    pass->gate->waiter = NULL;
    vg_kick(&pass->waiter, cx);
}

static inline struct gate_pass *gate_pass(struct gate_pass *pass, struct gate *gate)
{
    static const struct vg_ops ops = {.poll = gate_pass_poll,
                                      .cancel = gate_pass_cancel,
                                      .name = "gate_pass",
                                      .size = sizeof(struct gate_pass),
                                      .kind = VG_KIND_LEAF};

    vg_future_init(&pass->fut, &ops);
    pass->gate = gate;
    pass->waiter.task = NULL;
    pass->waiter.queued = 0;
    pass->waiter.flags = 0;
    return pass;
}

#endif
