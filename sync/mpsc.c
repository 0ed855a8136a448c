/* SPDX-License-Identifier: MIT */
#include "mpsc.h"

#include <vigil/probe.h>

#include "owner.h"
#include "vg_spin.h"

void vg_mpsc_init_at(struct vg_mpsc *channel, const char *name, void *slots, size_t size,
                     size_t capacity, const struct vg_place *place)
{
    *channel = (struct vg_mpsc){.resource = {&vg_mpsc_resource_, name, place}};
    vg_ring_init(&channel->ring, slots, size, capacity);
}

void vg_mpsc_fini(struct vg_mpsc *channel)
{
    vg_spin_lock(&channel->senders.guard);
    if (channel->receiver)
        vg_panic("vg_mpsc_fini: a receive waits for channel %s", vg_mpsc_name(channel));
    if (channel->senders.length > 0)
        vg_panic("vg_mpsc_fini: %u futures wait to send to channel %s", channel->senders.length,
                 vg_mpsc_name(channel));
    if (channel->reserved > 0)
        vg_panic("vg_mpsc_fini: %u slots of channel %s are reserved", channel->reserved,
                 vg_mpsc_name(channel));
    vg_spin_unlock(&channel->senders.guard);
}

size_t vg_mpsc_length(struct vg_mpsc *channel)
{
    size_t length;

    vg_spin_lock(&channel->senders.guard);
    length = channel->ring.length;
    vg_spin_unlock(&channel->senders.guard);
    return length;
}

/* ---- values -------------------------------------------------------------------------------- */

void vg_mpsc_fill(struct vg_mpsc *channel, struct vg_notices *notices)
{
    struct vg_wait_entry *entry = vg_waitlist_oldest(&channel->senders);
    struct vg_mpsc_send *send;

    if (!entry)
        return;
    send = vg_mpsc_send_of(entry);
    if (!send->value) {
        vg_notices_add(notices, vg_waitlist_grant(&channel->senders, 1).notice);
        return;
    }
    vg_notices_add(notices, vg_mpsc_put(channel, send->value));
    send->ret = 0;
    vg_notices_add(notices, vg_waitlist_serve(&channel->senders, entry));
}

uint32_t vg_mpsc_take(struct vg_mpsc *channel, void *values, uint32_t max,
                      struct vg_notices *notices)
{
    uint32_t n = channel->ring.length < max ? channel->ring.length : max;
    unsigned char *value = values;

    if (n > VG_NOTICES_MAX)
        n = VG_NOTICES_MAX;
    for (uint32_t i = 0; i < n; i++, value += channel->ring.size)
        vg_ring_pop(&channel->ring, value);
    for (uint32_t i = 0; i < n && channel->senders.length > 0; i++)
        vg_mpsc_fill(channel, notices);
    return n;
}

int vg_mpsc_try_send(struct vg_mpsc *channel, const void *value)
{
    struct vg_notice notice = {NULL};
    int rc;

    vg_spin_lock(&channel->senders.guard);
    rc = vg_mpsc_admit(channel);
    if (rc == 0)
        notice = vg_mpsc_put(channel, value);
    vg_spin_unlock(&channel->senders.guard);
    vg_notify_any(notice);
    return rc;
}

int vg_mpsc_try_recv(struct vg_mpsc *channel, void *value)
{
    struct vg_notices notices;
    int rc = 0;

    vg_notices_init(&notices);
    vg_spin_lock(&channel->senders.guard);
    if (vg_mpsc_take(channel, value, 1, &notices) == 0)
        rc = vg_mpsc_is_over(channel) ? -EPIPE : -EAGAIN;
    vg_spin_unlock(&channel->senders.guard);
    vg_notices_send(&notices);
    return rc;
}

/* ---- permits ------------------------------------------------------------------------------- */

void vg_mpsc_hold(struct vg_mpsc *channel, const struct vg_owner *owner)
{
    if (channel->reserved++ == 0)
        vg_owner_set(&channel->holder, owner);
    else
        vg_owner_clear(&channel->holder); /* which of them comes first is not known */
}

int vg_mpsc_try_reserve(struct vg_mpsc *channel)
{
    const struct vg_owner owner = vg_owner_current();
    int rc;

    vg_spin_lock(&channel->senders.guard);
    rc = vg_mpsc_admit(channel);
    if (rc == 0)
        vg_mpsc_hold(channel, &owner);
    vg_spin_unlock(&channel->senders.guard);
    return rc;
}

/* Guard held. */
static void release(struct vg_mpsc *channel)
{
    if (channel->reserved == 0)
        vg_panic("a permit of channel %s is used or returned that nobody has",
                 vg_mpsc_name(channel));
    vg_owner_clear(&channel->holder);
    channel->reserved--;
}

void vg_mpsc_send_reserved(struct vg_mpsc *channel, const void *value)
{
    struct vg_notice notice;

    vg_spin_lock(&channel->senders.guard);
    release(channel);
    notice = vg_mpsc_put(channel, value);
    vg_spin_unlock(&channel->senders.guard);
    vg_notify_any(notice);
}

void vg_mpsc_unreserve(struct vg_mpsc *channel)
{
    struct vg_notices notices;

    vg_notices_init(&notices);
    vg_spin_lock(&channel->senders.guard);
    release(channel);
    vg_mpsc_fill(channel, &notices);
    if (vg_mpsc_is_over(channel))
        vg_notices_add(&notices, vg_mpsc_wake_receiver(channel));
    vg_spin_unlock(&channel->senders.guard);
    vg_notices_send(&notices);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Guard held. Ends the wait of as many as one section may wake; true: of all. */
static bool turn_away(struct vg_mpsc *channel, struct vg_notices *notices)
{
    struct vg_wait_entry *entry;

    while ((entry = channel->senders.first) != NULL && notices->count < VG_NOTICES_MAX - 1) {
        vg_mpsc_send_of(entry)->ret = -EPIPE;
        vg_notices_add(notices, vg_waitlist_serve(&channel->senders, entry));
    }
    return entry == NULL;
}

/* Guard held. Those that waited to send are gone, so this is the last section of the closing. */
static void finish_closing(struct vg_mpsc *channel, struct vg_notices *notices)
{
    channel->phase = VG_MPSC_CLOSED;
    if (vg_mpsc_is_over(channel))
        vg_notices_add(notices, vg_mpsc_wake_receiver(channel));
}

void vg_mpsc_close(struct vg_mpsc *channel)
{
    bool mine, over = false;

    vg_spin_lock(&channel->senders.guard);
    mine = channel->phase == VG_MPSC_OPEN;
    if (mine)
        channel->phase = VG_MPSC_CLOSING;
    vg_spin_unlock(&channel->senders.guard);
    while (mine && !over) {
        struct vg_notices notices;

        vg_notices_init(&notices);
        vg_spin_lock(&channel->senders.guard);
        over = turn_away(channel, &notices);
        if (over)
            finish_closing(channel, &notices);
        vg_spin_unlock(&channel->senders.guard); /* when over, the last access to the channel */
        vg_notices_send(&notices);
    }
}

/* ---- the resource -------------------------------------------------------------------------- */

static struct vg_mpsc *channel_of(struct vg_resource *resource)
{
    return (struct vg_mpsc *)(void *)resource;
}

/* Only where nobody else can let a sender go on: all slots are reserved, by one. */
static bool resource_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    struct vg_mpsc *channel = channel_of(resource);
    bool held;

    vg_spin_lock(&channel->senders.guard);
    held = channel->reserved == channel->ring.capacity;
    vg_spin_unlock(&channel->senders.guard);
    if (held && !vg_owner_get(&channel->holder, owner))
        *owner = (struct vg_owner){0};
    return held;
}

/* A send holds up nobody. The receive of a channel with values holds up all that wait to send. */
static bool resource_ahead(struct vg_resource *resource, const struct vg_future *first,
                           const struct vg_future *second)
{
    struct vg_mpsc *channel = channel_of(resource);
    bool full;

    if (first->ops == &vg_mpsc_reserve_ops_)
        return vg_waitlist_ahead(&channel->senders, first, second);
    if (first->ops != &vg_mpsc_recv_ops_ || second->ops == &vg_mpsc_recv_ops_)
        return false;
    vg_spin_lock(&channel->senders.guard);
    full = channel->ring.length > 0 && !vg_mpsc_has_room(channel);
    vg_spin_unlock(&channel->senders.guard);
    return full;
}

static unsigned resource_waiters(struct vg_resource *resource)
{
    struct vg_mpsc *channel = channel_of(resource);
    unsigned waiters;

    vg_spin_lock(&channel->senders.guard);
    waiters = channel->senders.length + (channel->receiver ? 1 : 0);
    vg_spin_unlock(&channel->senders.guard);
    return waiters;
}

const struct vg_resource_ops vg_mpsc_resource_ = {
    .kind = "channel",
    .owner = resource_owner,
    .ahead = resource_ahead,
    .waiters = resource_waiters,
};
