/* SPDX-License-Identifier: MIT */
#include "mpsc.h"
#include "vg_spin.h"

/* Guard held. Lets the receive wait, once; it may be polled again while it does. */
static void wait_for_sender(struct vg_mpsc_recv *recv, struct vg_cx *cx)
{
    struct vg_mpsc *channel = recv->channel;

    if (channel->receiver == &recv->waiter)
        return;
    if (channel->receiver)
        vg_panic("two receives wait for channel %s", vg_mpsc_name(channel));
    vg_disarm(&recv->waiter, cx); /* polled early, below an opaque future */
    vg_arm(&recv->waiter, &recv->fut, cx);
    recv->waiter.queued = 1;
    channel->receiver = &recv->waiter;
}

/* Guard held. Whether there is a result, which is then in place. */
static bool receive(struct vg_mpsc_recv *recv, struct vg_notices *notices, struct vg_cx *cx)
{
    uint32_t n = vg_mpsc_take(recv->channel, recv->values, recv->max, notices);

    if (n > 0) {
        recv->ret = recv->many ? (int)n : 0;
    } else if (vg_mpsc_is_over(recv->channel)) {
        recv->ret = -EPIPE;
    } else {
        wait_for_sender(recv, cx);
        return false;
    }
    return true;
}

/* What one critical section leaves over: it takes no more than it can give notice of. */
static void receive_rest(struct vg_mpsc_recv *recv)
{
    struct vg_mpsc *channel = recv->channel;
    uint32_t n = VG_NOTICES_MAX, done = n;

    for (; n == VG_NOTICES_MAX && done < recv->max; done += n) {
        struct vg_notices notices;

        vg_notices_init(&notices);
        vg_spin_lock(&channel->senders.guard);
        n = vg_mpsc_take(channel, (char *)recv->values + (size_t)done * channel->ring.size,
                         recv->max - done, &notices);
        vg_spin_unlock(&channel->senders.guard);
        vg_notices_send(&notices);
    }
    recv->ret = (int)done;
}

static void stop_waiting(struct vg_mpsc_recv *recv)
{
    struct vg_mpsc *channel = recv->channel;

    vg_spin_lock(&channel->senders.guard);
    if (channel->receiver == &recv->waiter) {
        channel->receiver = NULL;
        recv->waiter.queued = 0;
    }
    vg_spin_unlock(&channel->senders.guard);
}

/* Charges the budget when it begins, not when it has been woken. */
static bool may_begin(struct vg_mpsc_recv *recv, struct vg_cx *cx)
{
    if (recv->waiter.flags & VG_W_ARMED)
        return true;
    vg_disarm(&recv->waiter, cx); /* of an earlier poll that had no budget */
    return vg_coop(&recv->waiter, &recv->fut, cx);
}

static vg_poll end(struct vg_mpsc_recv *recv, struct vg_cx *cx)
{
    vg_disarm(&recv->waiter, cx);
    return VG_READY;
}

static vg_poll recv_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpsc_recv *recv = (struct vg_mpsc_recv *)(void *)fut;
    struct vg_notices notices;
    bool ready;

    if (vg_cancelled(fut)) {
        stop_waiting(recv);
        recv->ret = -ECANCELED;
        return end(recv, cx);
    }
    if (!may_begin(recv, cx))
        return VG_PENDING;
    vg_notices_init(&notices);
    vg_spin_lock(&recv->channel->senders.guard);
    ready = receive(recv, &notices, cx);
    vg_spin_unlock(&recv->channel->senders.guard);
    vg_notices_send(&notices);
    if (recv->many && recv->ret == VG_NOTICES_MAX)
        receive_rest(recv);
    return ready ? end(recv, cx) : VG_PENDING;
}

static void recv_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpsc_recv *recv = (struct vg_mpsc_recv *)(void *)fut;

    stop_waiting(recv);
    vg_kick(&recv->waiter, cx);
}

static bool recv_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_mpsc_recv *recv = (const struct vg_mpsc_recv *)(const void *)fut;
    struct vg_mpsc *channel = recv->channel;

    vg_spin_lock(&channel->senders.guard);
    *wait = (struct vg_wait){
        .resource = &channel->resource,
        .want = 1,
        .state = channel->receiver == &recv->waiter ? VG_WAIT_QUEUED : VG_WAIT_GRANTED,
    };
    vg_spin_unlock(&channel->senders.guard);
    return true;
}

const struct vg_ops vg_mpsc_recv_ops_ = {
    .poll = recv_poll,
    .cancel = recv_cancel,
    .waits = recv_waits,
    .name = "vg_mpsc_recv",
    .size = sizeof(struct vg_mpsc_recv),
    .kind = VG_KIND_LEAF,
};

static struct vg_mpsc_recv *prepare(struct vg_mpsc_recv *recv, struct vg_mpsc *channel,
                                    void *values, size_t max, bool many)
{
    if (max == 0)
        vg_panic("vg_mpsc_recv_many: nothing is to be received from channel %s",
                 vg_mpsc_name(channel));
    vg_future_init(&recv->fut, &vg_mpsc_recv_ops_);
    recv->ret = 0;
    recv->many = many;
    recv->max = max < INT32_MAX ? (uint32_t)max : INT32_MAX;
    recv->channel = channel;
    recv->values = values;
    recv->waiter.flags = 0;
    recv->waiter.queued = 0;
    return recv;
}

struct vg_mpsc_recv *vg_mpsc_recv(struct vg_mpsc_recv *recv, struct vg_mpsc *channel, void *value)
{
    return prepare(recv, channel, value, 1, false);
}

struct vg_mpsc_recv *vg_mpsc_recv_many(struct vg_mpsc_recv *recv, struct vg_mpsc *channel,
                                       void *values, size_t max)
{
    return prepare(recv, channel, values, max, true);
}
