/* SPDX-License-Identifier: MIT */
#include "mpmc.h"

#include "vg_spin.h"

void vg_mpmc_init_at(struct vg_mpmc *channel, const char *name, void *slots, size_t size,
                     size_t capacity, const struct vg_place *place)
{
    vg_mpsc_init_at(&channel->channel, name, slots, size, capacity, place);
    channel->receivers = (struct vg_waitlist){.length = 0};
    channel->channel.inbox.resource.ops = &vg_mpmc_resource_;
    channel->channel.inbox.receivers = &channel->receivers;
}

void vg_mpmc_fini(struct vg_mpmc *channel)
{
    unsigned waiting;

    vg_spin_lock(vg_mpmc_guard(channel));
    waiting = channel->receivers.length;
    vg_spin_unlock(vg_mpmc_guard(channel));
    if (waiting > 0)
        vg_panic("vg_mpmc_fini: %u futures wait to receive from channel %s", waiting,
                 vg_inbox_name(&channel->channel.inbox));
    vg_mpsc_fini(&channel->channel);
}

size_t vg_mpmc_length(struct vg_mpmc *channel)
{
    return vg_mpsc_length(&channel->channel);
}

/* ---- senders ------------------------------------------------------------------------------- */

int vg_mpmc_try_send(struct vg_mpmc *channel, const void *value)
{
    return vg_mpsc_try_send(&channel->channel, value);
}

struct vg_mpsc_send *vg_mpmc_send(struct vg_mpsc_send *send, struct vg_mpmc *channel,
                                  const void *value)
{
    return vg_mpsc_send(send, &channel->channel, value);
}

struct vg_mpsc_send *vg_mpmc_reserve(struct vg_mpsc_send *send, struct vg_mpmc *channel)
{
    return vg_mpsc_reserve(send, &channel->channel);
}

int vg_mpmc_try_reserve(struct vg_mpmc *channel)
{
    return vg_mpsc_try_reserve(&channel->channel);
}

void vg_mpmc_send_reserved(struct vg_mpmc *channel, const void *value)
{
    vg_mpsc_send_reserved(&channel->channel, value);
}

void vg_mpmc_unreserve(struct vg_mpmc *channel)
{
    vg_mpsc_unreserve(&channel->channel);
    vg_mpmc_dismiss(channel);
}

/* ---- receivers ----------------------------------------------------------------------------- */

int vg_mpmc_take(struct vg_mpmc *channel, void *value, struct vg_notices *notices)
{
    struct vg_inbox *inbox = &channel->channel.inbox;

    if (inbox->ops->take(inbox, value, 1, notices) > 0)
        return 0;
    return vg_mpmc_is_drained(channel) ? -EPIPE : -EAGAIN;
}

int vg_mpmc_try_recv(struct vg_mpmc *channel, void *value)
{
    struct vg_notices notices;
    bool drained;
    int rc;

    vg_notices_init(&notices);
    vg_spin_lock(vg_mpmc_guard(channel));
    rc = vg_mpmc_take(channel, value, &notices);
    drained = vg_mpmc_is_drained(channel);
    vg_spin_unlock(vg_mpmc_guard(channel));
    vg_notices_send(&notices);
    if (VG_UNLIKELY(rc == 0 && drained))
        vg_mpmc_dismiss(channel);
    return rc;
}

static struct vg_mpmc_recv *recv_of(struct vg_wait_entry *entry)
{
    return (struct vg_mpmc_recv *)(void *)((char *)entry - offsetof(struct vg_mpmc_recv, entry));
}

/* Guard held. As many as one section may wake; true: there are more. */
static bool dismiss_some(struct vg_mpmc *channel, struct vg_notices *notices)
{
    struct vg_wait_entry *entry;

    if (!vg_mpmc_is_drained(channel))
        return false;
    while ((entry = channel->receivers.first) != NULL && notices->count < VG_NOTICES_MAX) {
        recv_of(entry)->ret = -EPIPE;
        vg_notices_add(notices, vg_waitlist_serve(&channel->receivers, entry));
    }
    return entry != NULL;
}

void vg_mpmc_dismiss(struct vg_mpmc *channel)
{
    struct vg_notices notices;
    bool more = true;

    while (more) {
        vg_notices_init(&notices);
        vg_spin_lock(vg_mpmc_guard(channel));
        more = dismiss_some(channel, &notices);
        vg_spin_unlock(vg_mpmc_guard(channel));
        vg_notices_send(&notices);
    }
}

void vg_mpmc_close(struct vg_mpmc *channel)
{
    vg_mpsc_close(&channel->channel);
    vg_mpmc_dismiss(channel);
}

/* ---- the resource -------------------------------------------------------------------------- */

/* Guard held. Whether the receive `first` holds up the receive `second`. */
static bool stands_before(const struct vg_waitlist *list, const struct vg_future *first,
                          const struct vg_future *second)
{
    const struct vg_wait_entry *entry = list->first;

    while (entry && entry->waiter.fut != first)
        entry = entry->next;
    if (!entry || entry->marks & VG_WAITER_PASSED)
        return false;
    if (entry->state == VG_WAITER_GRANTED)
        return true;
    while (entry && entry->waiter.fut != second)
        entry = entry->next;
    return entry != NULL;
}

static bool resource_ahead(struct vg_resource *resource, const struct vg_future *first,
                           const struct vg_future *second)
{
    struct vg_mpmc *channel = (struct vg_mpmc *)(void *)resource;
    bool ahead;

    if (first->ops != &vg_mpmc_recv_ops_)
        return vg_mpsc_ahead(resource, first, second);
    vg_spin_lock(vg_mpmc_guard(channel));
    ahead = stands_before(&channel->receivers, first, second);
    vg_spin_unlock(vg_mpmc_guard(channel));
    return ahead;
}

static unsigned resource_waiters(struct vg_resource *resource)
{
    struct vg_mpmc *channel = (struct vg_mpmc *)(void *)resource;
    unsigned waiters;

    vg_spin_lock(vg_mpmc_guard(channel));
    waiters = channel->channel.inbox.senders.length + channel->receivers.length;
    vg_spin_unlock(vg_mpmc_guard(channel));
    return waiters;
}

/* Anybody may receive. */
static unsigned resource_holders(struct vg_resource *resource, struct vg_owner *holders,
                                 unsigned max)
{
    (void)resource, (void)holders, (void)max;
    return 0;
}

const struct vg_resource_ops vg_mpmc_resource_ = {
    .kind = "channel",
    .loose = true,
    .holders = resource_holders,
    .owner = vg_mpsc_owner,
    .ahead = resource_ahead,
    .waiters = resource_waiters,
};
