/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_MPMC_H
#define VIGIL_SYNC_MPMC_H

#include <vigil/mpmc.h>

#include "mpsc.h"

/*
 * A channel of mpsc.h whose values are units of a wait list of receivers. Each value in the ring is available, or
 * granted to a receiver; which one that is shows when the receiver takes it. Whenever the guard is free:
 *   - no eligible receiver is in the list while a value is available;
 *   - no receiver at all, once the channel is over and empty, but those that vg_mpmc_dismiss() is about to let go.
 */

static inline struct vg_spin *vg_mpmc_guard(struct vg_mpmc *channel)
{
    return &channel->channel.inbox.senders.guard;
}

/* Guard held. */
static inline bool vg_mpmc_is_drained(const struct vg_mpmc *channel)
{
    return vg_mpsc_is_over(&channel->channel) && channel->channel.ring.length == 0;
}

/* Guard held. Takes a value that is available: 0, -EAGAIN or -EPIPE. */
int vg_mpmc_take(struct vg_mpmc *channel, void *value, struct vg_notices *notices);

/* Without the guard. Ends the wait of all receivers if the channel is drained. */
void vg_mpmc_dismiss(struct vg_mpmc *channel);

extern const struct vg_ops vg_mpmc_recv_ops_;

#endif
