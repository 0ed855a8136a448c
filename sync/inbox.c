/* SPDX-License-Identifier: MIT */
#include "inbox.h"
#include "vg_spin.h"

/* Guard held. Lets the receive wait, once; it may be polled again while it does. */
static void wait_for_sender(struct vg_receive *recv, struct vg_cx *cx)
{
    struct vg_inbox *inbox = recv->inbox;

    if (inbox->receiver == &recv->waiter)
        return;
    if (inbox->receiver)
        vg_panic("two receives wait for channel %s", vg_inbox_name(inbox));
    vg_disarm(&recv->waiter, cx); /* polled early, below an opaque future */
    vg_arm(&recv->waiter, &recv->fut, cx);
    recv->waiter.queued = 1;
    inbox->receiver = &recv->waiter;
}

void vg_inbox_note_taker(struct vg_inbox *inbox, const struct vg_future *leaf, struct vg_cx *cx)
{
    inbox->shared = inbox->shared || inbox->taker.task != 0;
    inbox->reader = NULL;
    inbox->taker = vg_owner_here(leaf, cx);
}

bool vg_inbox_taker(const struct vg_inbox *inbox, struct vg_owner *taker)
{
    *taker = inbox->taker;
    return taker->task != 0 && !inbox->shared;
}

/* Guard held. Whether there is a result, which is then in place. */
static bool receive(struct vg_receive *recv, struct vg_notices *notices, struct vg_cx *cx)
{
    uint32_t n;

    if (VG_UNLIKELY(recv->inbox->taker.task != vg_task_id_here(cx)))
        vg_inbox_note_taker(recv->inbox, &recv->fut, cx);
    n = recv->inbox->ops->take(recv->inbox, recv->values, recv->max, notices);
    if (n > 0) {
        recv->ret = recv->many ? (int)n : 0;
    } else if (recv->inbox->ops->is_over(recv->inbox)) {
        recv->ret = -EPIPE;
    } else {
        wait_for_sender(recv, cx);
        return false;
    }
    return true;
}

/* What one critical section leaves over: it takes no more than it can give notice of. */
static void receive_rest(struct vg_receive *recv)
{
    struct vg_inbox *inbox = recv->inbox;
    uint32_t n = VG_SECTION_MAX, done = n;

    for (; n == VG_SECTION_MAX && done < recv->max; done += n) {
        struct vg_notices notices;

        vg_notices_init(&notices);
        vg_spin_lock(&inbox->senders.guard);
        n = inbox->ops->take(inbox, (char *)recv->values + (size_t)done * inbox->size,
                             recv->max - done, &notices);
        vg_spin_unlock(&inbox->senders.guard);
        vg_inbox_finish(inbox, inbox->ops, &notices);
    }
    recv->ret = (int)done;
}

static void stop_waiting(struct vg_receive *recv)
{
    struct vg_inbox *inbox = recv->inbox;

    vg_spin_lock(&inbox->senders.guard);
    if (inbox->receiver == &recv->waiter) {
        inbox->receiver = NULL;
        recv->waiter.queued = 0;
    }
    vg_spin_unlock(&inbox->senders.guard);
}

/* Charges the budget when it begins, not when it has been woken. */
static bool may_begin(struct vg_receive *recv, struct vg_cx *cx)
{
    if (recv->waiter.flags & VG_W_ARMED)
        return true;
    vg_disarm(&recv->waiter, cx); /* of an earlier poll that had no budget */
    return vg_coop(&recv->waiter, &recv->fut, cx);
}

static vg_poll end(struct vg_receive *recv, struct vg_cx *cx)
{
    vg_disarm(&recv->waiter, cx);
    return VG_READY;
}

static vg_poll recv_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_receive *recv = (struct vg_receive *)(void *)fut;
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
    vg_spin_lock(&recv->inbox->senders.guard);
    ready = receive(recv, &notices, cx);
    vg_spin_unlock(&recv->inbox->senders.guard);
    vg_inbox_finish(recv->inbox, recv->inbox->ops, &notices);
    if (recv->many && recv->ret == VG_SECTION_MAX)
        receive_rest(recv);
    if (!ready)
        return VG_PENDING;
    if (recv->ret >= 0)
        vg_took(fut);
    return end(recv, cx);
}

static void recv_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_receive *recv = (struct vg_receive *)(void *)fut;

    stop_waiting(recv);
    vg_kick(&recv->waiter, cx);
}

static bool recv_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_receive *recv = (const struct vg_receive *)(const void *)fut;
    struct vg_inbox *inbox = recv->inbox;

    vg_spin_lock(&inbox->senders.guard);
    *wait = (struct vg_wait){
        .resource = &inbox->resource,
        .want = 1,
        .state = inbox->receiver == &recv->waiter ? VG_WAIT_QUEUED : VG_WAIT_GRANTED,
    };
    vg_spin_unlock(&inbox->senders.guard);
    return true;
}

static bool recv_is_ready(const struct vg_future *fut)
{
    struct vg_inbox *inbox = ((const struct vg_receive *)(const void *)fut)->inbox;
    bool ready;

    vg_spin_lock(&inbox->senders.guard);
    ready = inbox->ops->has(inbox);
    vg_spin_unlock(&inbox->senders.guard);
    return ready;
}

const struct vg_ops vg_inbox_recv_ops_ = {
    .poll = recv_poll,
    .is_ready = recv_is_ready,
    .cancel = recv_cancel,
    .waits = recv_waits,
    .name = "vg_receive",
    .size = sizeof(struct vg_receive),
    .kind = VG_KIND_LEAF,
};

struct vg_receive *vg_inbox_recv(struct vg_receive *recv, struct vg_inbox *inbox, void *values,
                                 size_t max, bool many)
{
    if (max == 0)
        vg_panic("nothing is to be received from channel %s: there is no room for a value",
                 vg_inbox_name(inbox));
    vg_future_init(&recv->fut, &vg_inbox_recv_ops_);
    recv->ret = 0;
    recv->many = many;
    recv->max = max < INT32_MAX ? (uint32_t)max : INT32_MAX;
    recv->inbox = inbox;
    recv->values = values;
    recv->waiter.flags = 0;
    recv->waiter.queued = 0;
    return recv;
}

void vg_inbox_fini(const struct vg_inbox *inbox)
{
    if (inbox->receiver)
        vg_panic("a receive waits for channel %s, which is destroyed", vg_inbox_name(inbox));
}

unsigned vg_inbox_waiters(struct vg_resource *resource)
{
    struct vg_inbox *inbox = (struct vg_inbox *)(void *)resource;
    unsigned waiters;

    vg_spin_lock(&inbox->senders.guard);
    waiters = inbox->senders.length + (inbox->receiver ? 1 : 0);
    vg_spin_unlock(&inbox->senders.guard);
    return waiters;
}
