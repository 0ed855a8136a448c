/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INBOX_H
#define VIGIL_INBOX_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What channels have in common: <vigil/mpsc.h>, <vigil/mpmc.h> and <vigil/unbounded.h>. Complete only so that it can
 * be embedded; programs name nothing of it but struct vg_receive.
 */

struct vg_inbox_ops;

/* The receiving end. The guard of the list guards it, and the whole channel. */
struct vg_inbox {
    struct vg_resource resource; /* first */
    const struct vg_inbox_ops *ops;
    struct vg_waitlist senders;     /* those that wait; empty if the channel is unbounded */
    struct vg_waiter *receiver;     /* of the receive that waits; NULL: none */
    struct vg_waitlist *receivers;  /* those that wait, where there may be several; else NULL */
    uint32_t size;                  /* bytes of a value */
    bool shared;                    /* several have received, or somebody without a task */
    struct vg_owner taker;          /* the only task that has received so far; none: nobody has */
    const struct vg_future *reader; /* that is to receive, and has not begun to; NULL: not known */
};

/* The future that receives: from vg_mpsc_recv(), vg_unbounded_recv() and their _many forms. */
struct vg_receive {
    struct vg_future fut;
    int ret; /* 0, or how many of several; -EPIPE or -ECANCELED; valid once the future is done */
    /* private */
    bool many;
    uint32_t max;
    struct vg_inbox *inbox;
    void *values;
    struct vg_waiter waiter;
};

#ifdef __cplusplus
}
#endif
#endif
