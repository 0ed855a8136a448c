/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_MPSC_H
#define VIGIL_SYNC_MPSC_H

#include <vigil/mpsc.h>

#include "inbox.h"
#include "ring.h"

/*
 * Steps of a bounded channel, shared by its calls and its futures. All are made with the guard held.
 *
 * Each slot is free, holds a value, is granted to a reservation, or is reserved. Whenever the guard is free:
 *   - no send that waits and no eligible reservation is in the list while a slot is free;
 *   - no receive waits while there is a value, or once the channel is CLOSED and drained.
 * A send in the list is QUEUED and never WOKEN: it leaves the list when it is woken, its value having been moved,
 * and finds itself TAKEN. So it cannot be passed over, and holds up nobody.
 *
 * The phases:
 * OPEN
 * CLOSING  Nothing more may come in but what there are permits for. Somebody is emptying the list.
 * CLOSED   The list is empty, and whoever emptied it will not touch the channel again: a receive may
 *          end with -EPIPE.
 */

enum { VG_MPSC_OPEN, VG_MPSC_CLOSING, VG_MPSC_CLOSED };

static inline struct vg_mpsc_send *vg_mpsc_send_of(struct vg_wait_entry *entry)
{
    return (struct vg_mpsc_send *)(void *)((char *)entry - offsetof(struct vg_mpsc_send, entry));
}

static inline bool vg_mpsc_has_room(const struct vg_mpsc *channel)
{
    return channel->ring.length + channel->reserved + channel->inbox.senders.granted <
           channel->ring.capacity;
}

/* No value will come any more. Those that are left are received first. */
static inline bool vg_mpsc_is_over(const struct vg_mpsc *channel)
{
    return channel->phase == VG_MPSC_CLOSED && channel->reserved == 0;
}

/* There is room. */
static inline struct vg_notice vg_mpsc_put(struct vg_mpsc *channel, const void *value)
{
    vg_ring_push(&channel->ring, value);
    return vg_inbox_wake(&channel->inbox);
}

/* A slot has become free: moves the value of the oldest that waits, or grants it the slot. */
void vg_mpsc_fill(struct vg_mpsc *channel, struct vg_notices *notices);

/* Room, and nobody is before the caller: 0, and he may put a value or have a permit; else -EAGAIN or -EPIPE. */
static inline int vg_mpsc_admit(const struct vg_mpsc *channel)
{
    if (VG_UNLIKELY(channel->phase != VG_MPSC_OPEN))
        return -EPIPE;
    return VG_LIKELY(vg_mpsc_has_room(channel)) ? 0 : -EAGAIN;
}

/* A permit is handed out to `owner`. */
void vg_mpsc_hold(struct vg_mpsc *channel, const struct vg_owner *owner);

/* For vg_resource_ops. */
bool vg_mpsc_owner(struct vg_resource *resource, struct vg_owner *owner);
bool vg_mpsc_ahead(struct vg_resource *resource, const struct vg_future *first,
                   const struct vg_future *second);

extern const struct vg_ops vg_mpsc_reserve_ops_;

#endif
