/* SPDX-License-Identifier: MIT */
#include "mpsc.h"

#include <vigil/probe.h>

#include "owner.h"
#include "vg_spin.h"

static const struct vg_inbox_ops inbox_ops;

/* The resource, and the inbox, come first in it. */
static struct vg_mpsc *channel_of(void *part)
{
    return part;
}

void vg_mpsc_init_at(struct vg_mpsc *channel, const char *name, void *slots, size_t size,
                     size_t capacity, const struct vg_place *place)
{
    *channel = (struct vg_mpsc){.inbox = {.resource = {&vg_mpsc_resource_, name, place},
                                          .ops = &inbox_ops,
                                          .size = (uint32_t)size}};
    vg_ring_init(&channel->ring, slots, size, capacity);
}

void vg_mpsc_fini(struct vg_mpsc *channel)
{
    vg_spin_lock(&channel->inbox.senders.guard);
    vg_inbox_fini(&channel->inbox);
    if (channel->inbox.senders.length > 0)
        vg_panic("vg_mpsc_fini: %u futures wait to send to channel %s",
                 channel->inbox.senders.length, vg_inbox_name(&channel->inbox));
    if (channel->reserved > 0)
        vg_panic("vg_mpsc_fini: %u slots of channel %s are reserved", channel->reserved,
                 vg_inbox_name(&channel->inbox));
    vg_spin_unlock(&channel->inbox.senders.guard);
}

size_t vg_mpsc_length(struct vg_mpsc *channel)
{
    size_t length;

    vg_spin_lock(&channel->inbox.senders.guard);
    length = channel->ring.length;
    vg_spin_unlock(&channel->inbox.senders.guard);
    return length;
}

/* ---- values -------------------------------------------------------------------------------- */

void vg_mpsc_fill(struct vg_mpsc *channel, struct vg_notices *notices)
{
    struct vg_wait_entry *entry = vg_waitlist_oldest(&channel->inbox.senders);
    struct vg_mpsc_send *send;

    if (!entry)
        return;
    send = vg_mpsc_send_of(entry);
    if (!send->value) {
        vg_notices_add(notices, vg_waitlist_grant_one(&channel->inbox.senders));
        return;
    }
    vg_notices_add(notices, vg_mpsc_put(channel, send->value));
    send->ret = 0;
    vg_notices_add(notices, vg_waitlist_serve(&channel->inbox.senders, entry));
}

static uint32_t take(struct vg_inbox *inbox, void *values, uint32_t max, struct vg_notices *notices)
{
    struct vg_mpsc *channel = channel_of(inbox);
    uint32_t n = channel->ring.length - vg_inbox_set_aside(inbox);
    unsigned char *value = values;

    if (n > max)
        n = max;
    if (n > VG_SECTION_MAX)
        n = VG_SECTION_MAX;
    for (uint32_t i = 0; i < n; i++, value += channel->ring.size)
        vg_ring_pop(&channel->ring, value);
    for (uint32_t i = 0; i < n && inbox->senders.length > 0; i++)
        vg_mpsc_fill(channel, notices);
    return n;
}

int vg_mpsc_try_send(struct vg_mpsc *channel, const void *value)
{
    struct vg_notice notice = {NULL};
    int rc;

    vg_spin_lock(&channel->inbox.senders.guard);
    rc = vg_mpsc_admit(channel);
    if (rc == 0)
        notice = vg_mpsc_put(channel, value);
    vg_spin_unlock(&channel->inbox.senders.guard);
    vg_notify_any(notice);
    if (rc == 0)
        vg_gave_here();
    return rc;
}

struct vg_receive *vg_mpsc_recv(struct vg_receive *recv, struct vg_mpsc *channel, void *value)
{
    return vg_inbox_recv(recv, &channel->inbox, value, 1, false);
}

struct vg_receive *vg_mpsc_recv_many(struct vg_receive *recv, struct vg_mpsc *channel, void *values,
                                     size_t max)
{
    return vg_inbox_recv(recv, &channel->inbox, values, max, true);
}

static bool is_over(const struct vg_inbox *inbox)
{
    return vg_mpsc_is_over((const struct vg_mpsc *)(const void *)inbox);
}

static bool has(const struct vg_inbox *inbox)
{
    return ((const struct vg_mpsc *)(const void *)inbox)->ring.length > vg_inbox_set_aside(inbox);
}

static const struct vg_inbox_ops inbox_ops = {.take = take, .has = has, .is_over = is_over};

int vg_mpsc_try_recv(struct vg_mpsc *channel, void *value)
{
    return vg_inbox_try_recv(&channel->inbox, &inbox_ops, value);
}

void vg_mpsc_set_reader(struct vg_mpsc *channel, const struct vg_future *reader)
{
    vg_spin_lock(&channel->inbox.senders.guard);
    channel->inbox.reader = channel->inbox.taker.task == 0 ? reader : NULL;
    vg_spin_unlock(&channel->inbox.senders.guard);
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

    vg_spin_lock(&channel->inbox.senders.guard);
    rc = vg_mpsc_admit(channel);
    if (rc == 0)
        vg_mpsc_hold(channel, &owner);
    vg_spin_unlock(&channel->inbox.senders.guard);
    return rc;
}

/* Guard held. */
static void release(struct vg_mpsc *channel)
{
    if (channel->reserved == 0)
        vg_panic("a permit of channel %s is used or returned that nobody has",
                 vg_inbox_name(&channel->inbox));
    vg_owner_clear(&channel->holder);
    channel->reserved--;
}

void vg_mpsc_send_reserved(struct vg_mpsc *channel, const void *value)
{
    struct vg_notice notice;

    vg_spin_lock(&channel->inbox.senders.guard);
    release(channel);
    notice = vg_mpsc_put(channel, value);
    vg_spin_unlock(&channel->inbox.senders.guard);
    vg_notify_any(notice);
    vg_gave_here();
}

void vg_mpsc_unreserve(struct vg_mpsc *channel)
{
    struct vg_notices notices;

    vg_notices_init(&notices);
    vg_spin_lock(&channel->inbox.senders.guard);
    release(channel);
    vg_mpsc_fill(channel, &notices);
    if (vg_mpsc_is_over(channel))
        vg_notices_add(&notices, vg_inbox_wake_one(&channel->inbox));
    vg_spin_unlock(&channel->inbox.senders.guard);
    vg_notices_send(&notices);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Guard held. Ends the wait of as many as one section may wake; true: of all. */
static bool turn_away(struct vg_mpsc *channel, struct vg_notices *notices)
{
    struct vg_wait_entry *entry;

    while ((entry = channel->inbox.senders.first) != NULL && notices->count < VG_NOTICES_MAX - 1) {
        vg_mpsc_send_of(entry)->ret = -EPIPE;
        vg_notices_add(notices, vg_waitlist_serve(&channel->inbox.senders, entry));
    }
    return entry == NULL;
}

/* Guard held. Those that waited to send are gone, so this is the last section of the closing. */
static void finish_closing(struct vg_mpsc *channel, struct vg_notices *notices)
{
    channel->phase = VG_MPSC_CLOSED;
    if (vg_mpsc_is_over(channel))
        vg_notices_add(notices, vg_inbox_wake_one(&channel->inbox));
}

void vg_mpsc_close(struct vg_mpsc *channel)
{
    bool mine, over = false;

    vg_spin_lock(&channel->inbox.senders.guard);
    mine = channel->phase == VG_MPSC_OPEN;
    if (mine)
        channel->phase = VG_MPSC_CLOSING;
    vg_spin_unlock(&channel->inbox.senders.guard);
    while (mine && !over) {
        struct vg_notices notices;

        vg_notices_init(&notices);
        vg_spin_lock(&channel->inbox.senders.guard);
        over = turn_away(channel, &notices);
        if (over)
            finish_closing(channel, &notices);
        vg_spin_unlock(
            &channel->inbox.senders.guard); /* when over, the last access to the channel */
        vg_notices_send(&notices);
    }
}

/* ---- the resource -------------------------------------------------------------------------- */

/* Only where nobody else can let a sender go on: all slots are reserved, by one. */
bool vg_mpsc_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    struct vg_mpsc *channel = channel_of(resource);
    bool held;

    vg_spin_lock(&channel->inbox.senders.guard);
    held = channel->reserved == channel->ring.capacity;
    vg_spin_unlock(&channel->inbox.senders.guard);
    if (held && !vg_owner_get(&channel->holder, owner))
        *owner = (struct vg_owner){0};
    return held;
}

/* A send holds up nobody. The receive of a channel with values holds up all that wait to send. */
bool vg_mpsc_ahead(struct vg_resource *resource, const struct vg_future *first,
                   const struct vg_future *second)
{
    struct vg_mpsc *channel = channel_of(resource);
    bool full;

    if (first->ops == &vg_mpsc_reserve_ops_)
        return vg_waitlist_ahead(&channel->inbox.senders, first, second);
    if (first->ops != &vg_inbox_recv_ops_ || second->ops == &vg_inbox_recv_ops_)
        return false;
    vg_spin_lock(&channel->inbox.senders.guard);
    full = channel->ring.length > 0 && !vg_mpsc_has_room(channel);
    vg_spin_unlock(&channel->inbox.senders.guard);
    return full;
}

/* A permit that is out may be given back, too: then only if it is all of them. */
static unsigned resource_holders(struct vg_resource *resource, struct vg_owner *holders,
                                 unsigned max)
{
    struct vg_mpsc *channel = channel_of(resource);
    struct vg_owner holder = {0};
    bool known;

    if (vg_mpsc_owner(resource, &holder)) {
        known = holder.task != 0;
    } else {
        vg_spin_lock(&channel->inbox.senders.guard);
        known = channel->reserved == 0 && vg_inbox_taker(&channel->inbox, &holder);
        vg_spin_unlock(&channel->inbox.senders.guard);
    }
    if (known && max > 0)
        holders[0] = holder;
    return known;
}

static const struct vg_future *resource_unpolled(struct vg_resource *resource)
{
    struct vg_mpsc *channel = channel_of(resource);
    const struct vg_future *reader;

    vg_spin_lock(&channel->inbox.senders.guard);
    reader = channel->inbox.reader;
    vg_spin_unlock(&channel->inbox.senders.guard);
    return reader;
}

const struct vg_resource_ops vg_mpsc_resource_ = {
    .kind = "channel",
    .loose = true,
    .unpolled = resource_unpolled,
    .holders = resource_holders,
    .owner = vg_mpsc_owner,
    .ahead = vg_mpsc_ahead,
    .waiters = vg_inbox_waiters,
};
