/* SPDX-License-Identifier: MIT */
#include <vigil/broadcast.h>

#include <errno.h>

#include "look.h"
#include "ring.h"
#include "vg_spin.h"

static const char *name_of(const struct vg_broadcast *channel)
{
    return channel->resource.name ? channel->resource.name : "(unnamed)";
}

void vg_broadcast_init_at(struct vg_broadcast *channel, const char *name, void *slots, size_t size,
                          size_t capacity, const struct vg_place *place)
{
    vg_value_check_size(size);
    vg_value_check_capacity(capacity);
    *channel = (struct vg_broadcast){.resource = {&vg_broadcast_resource_, name, place},
                                     .slots = slots,
                                     .size = (uint32_t)size,
                                     .capacity = (uint32_t)capacity};
}

void vg_broadcast_fini(struct vg_broadcast *channel)
{
    vg_spin_lock(&channel->receivers.guard);
    if (channel->receivers.length > 0)
        vg_panic("vg_broadcast_fini: %u futures wait to receive from channel %s",
                 channel->receivers.length, name_of(channel));
    vg_spin_unlock(&channel->receivers.guard);
}

static unsigned char *slot(const struct vg_broadcast *channel, uint64_t i)
{
    return channel->slots + (size_t)(i % channel->capacity) * channel->size;
}

int vg_broadcast_send(struct vg_broadcast *channel, const void *value)
{
    vg_spin_lock(&channel->receivers.guard);
    if (channel->closed) {
        vg_spin_unlock(&channel->receivers.guard);
        return -EPIPE;
    }
    vg_value_copy(slot(channel, channel->sent), value, channel->size);
    channel->sent++;
    vg_look_wake_all(&channel->receivers.guard, &channel->receivers);
    return 0;
}

void vg_broadcast_close(struct vg_broadcast *channel)
{
    vg_spin_lock(&channel->receivers.guard);
    channel->closed = true;
    vg_look_wake_all(&channel->receivers.guard, &channel->receivers);
}

void vg_broadcast_subscribe(struct vg_subscription *subscription, struct vg_broadcast *channel)
{
    vg_spin_lock(&channel->receivers.guard);
    *subscription = (struct vg_subscription){.channel = channel, .next = channel->sent};
    vg_spin_unlock(&channel->receivers.guard);
}

/* Guard held. */
static int take(struct vg_subscription *subscription, void *value)
{
    struct vg_broadcast *channel = subscription->channel;
    uint64_t behind = channel->sent - subscription->next;

    if (behind == 0)
        return channel->closed ? -EPIPE : -EAGAIN;
    if (behind > channel->capacity) {
        subscription->lost = behind - channel->capacity;
        subscription->next += subscription->lost;
        return -EOVERFLOW;
    }
    vg_value_copy(value, slot(channel, subscription->next), channel->size);
    subscription->next++;
    return 0;
}

int vg_broadcast_try_recv(struct vg_subscription *subscription, void *value)
{
    int rc;

    vg_spin_lock(&subscription->channel->receivers.guard);
    rc = take(subscription, value);
    vg_spin_unlock(&subscription->channel->receivers.guard);
    return rc;
}

/* ---- the future ---------------------------------------------------------------------------- */

static bool look(struct vg_future *fut)
{
    struct vg_broadcast_recv *recv = (struct vg_broadcast_recv *)(void *)fut;

    recv->ret = take(recv->subscription, recv->value);
    return recv->ret != -EAGAIN;
}

static struct vg_look look_of(struct vg_broadcast_recv *recv)
{
    struct vg_waitlist *list = &recv->subscription->channel->receivers;

    return (struct vg_look){&list->guard, list, &recv->entry, &recv->ret, look};
}

static vg_poll recv_poll(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_look l = look_of((struct vg_broadcast_recv *)(void *)fut);

    return vg_look_poll(&l, fut, cx);
}

static void recv_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_look l = look_of((struct vg_broadcast_recv *)(void *)fut);

    vg_look_cancel(&l, cx);
}

static bool recv_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_broadcast_recv *recv = (const struct vg_broadcast_recv *)(const void *)fut;
    struct vg_broadcast *channel = recv->subscription->channel;

    wait->resource = &channel->resource;
    return vg_look_waits(&channel->receivers.guard, &recv->entry, wait);
}

static const struct vg_ops recv_ops = {
    .poll = recv_poll,
    .cancel = recv_cancel,
    .waits = recv_waits,
    .name = "vg_broadcast_recv",
    .size = sizeof(struct vg_broadcast_recv),
    .kind = VG_KIND_LEAF,
};

struct vg_broadcast_recv *vg_broadcast_recv(struct vg_broadcast_recv *recv,
                                            struct vg_subscription *subscription, void *value)
{
    vg_future_init(&recv->fut, &recv_ops);
    recv->ret = 0;
    recv->subscription = subscription;
    recv->value = value;
    vg_waitlist_entry_init(&recv->entry);
    return recv;
}

/* ---- the resource -------------------------------------------------------------------------- */

static unsigned resource_waiters(struct vg_resource *resource)
{
    return vg_waitlist_waiters(&((struct vg_broadcast *)(void *)resource)->receivers);
}

const struct vg_resource_ops vg_broadcast_resource_ = {
    .kind = "broadcast",
    .owner = vg_look_owner,
    .ahead = vg_look_ahead,
    .waiters = resource_waiters,
};
