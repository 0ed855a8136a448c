/* SPDX-License-Identifier: MIT */
#include <vigil/exec.h>
#include <vigil/probe.h>

#include "mpsc.h"
#include "vg_spin.h"

/* Guard held. There is room, and it is this one's turn. */
static struct vg_notice place(struct vg_mpsc_send *send, struct vg_cx *cx)
{
    struct vg_owner owner;

    send->ret = 0;
    if (send->value)
        return vg_mpsc_put(send->channel, send->value);
    owner = vg_owner_here(&send->fut, cx);
    vg_mpsc_hold(send->channel, &owner);
    return (struct vg_notice){NULL};
}

/* Guard held. */
static void wait_for_room(struct vg_mpsc_send *send, struct vg_cx *cx)
{
    vg_waitlist_add(&send->channel->inbox.senders, &send->entry, 1, &send->fut, cx);
    send->queued = true;
    send->heals = vg_exec_heals(vg_exec_current());
}

static bool start(struct vg_mpsc_send *send, struct vg_cx *cx)
{
    struct vg_mpsc *channel = send->channel;
    struct vg_notice notice = {NULL};

    vg_disarm(&send->entry.waiter, cx); /* of an earlier poll that had no budget */
    if (vg_cancelled(&send->fut)) {
        send->ret = -ECANCELED;
        return true;
    }
    if (!vg_coop(&send->entry.waiter, &send->fut, cx))
        return false;
    vg_spin_lock(&channel->inbox.senders.guard);
    send->ret = vg_mpsc_admit(channel);
    if (send->ret == 0)
        notice = place(send, cx);
    else if (send->ret == -EAGAIN)
        wait_for_room(send, cx);
    vg_spin_unlock(&channel->inbox.senders.guard);
    vg_notify_any(notice);
    return !send->queued;
}

/* Guard held. Whether the wait is over. It always is for a send, which is polled when it has been served. */
static bool is_served(struct vg_mpsc_send *send, struct vg_cx *cx)
{
    struct vg_waitlist *list = &send->channel->inbox.senders;
    struct vg_wait_entry *entry = &send->entry;

    if (entry->state == VG_WAITER_IDLE || entry->state == VG_WAITER_TAKEN)
        return true; /* cancelled; or the value was moved, or the channel closed */
    if (!vg_waitlist_visit(list, entry) ||
        (entry->state == VG_WAITER_QUEUED && !vg_mpsc_has_room(send->channel))) {
        vg_waitlist_stay(entry, &send->fut, cx);
        return false;
    }
    vg_waitlist_take(list, entry);
    return true;
}

/* Through the guard, even if it has been served: whoever did that may still hold it. */
static bool go_on(struct vg_mpsc_send *send, struct vg_cx *cx)
{
    struct vg_mpsc *channel = send->channel;
    struct vg_notice notice = {NULL};
    bool served, by_itself;

    vg_spin_lock(&channel->inbox.senders.guard);
    by_itself = send->entry.state == VG_WAITER_QUEUED || send->entry.state == VG_WAITER_GRANTED;
    served = is_served(send, cx);
    if (served && by_itself)
        notice = place(send, cx);
    vg_spin_unlock(&channel->inbox.senders.guard);
    vg_notify_any(notice);
    if (served)
        vg_disarm(&send->entry.waiter, cx);
    return served;
}

static vg_poll send_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpsc_send *send = (struct vg_mpsc_send *)(void *)fut;

    const bool ready = send->queued ? go_on(send, cx) : start(send, cx);

    if (ready && send->ret == 0 && send->value)
        vg_gave(fut);
    return (vg_poll){ready};
}

/* Guard held. Gives up the place in the queue, and passes on what was granted there. */
static void leave(struct vg_mpsc_send *send, struct vg_notices *notices)
{
    struct vg_waitlist *list = &send->channel->inbox.senders;

    if (send->entry.state == VG_WAITER_TAKEN)
        return; /* what it got stands */
    if (vg_waitlist_leave(list, &send->entry) > 0)
        vg_mpsc_fill(send->channel, notices);
    send->ret = -ECANCELED;
}

static void send_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpsc_send *send = (struct vg_mpsc_send *)(void *)fut;
    struct vg_notices notices;

    if (!send->queued)
        return; /* it yielded: it is polled again in any case */
    vg_notices_init(&notices);
    vg_spin_lock(&send->channel->inbox.senders.guard);
    leave(send, &notices);
    vg_spin_unlock(&send->channel->inbox.senders.guard);
    vg_notices_send(&notices);
    vg_kick(&send->entry.waiter, cx);
}

static enum vg_pass reserve_passed_over(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpsc_send *send = (struct vg_mpsc_send *)(void *)fut;
    struct vg_notices notices;
    enum vg_pass pass = VG_PASS_NONE;

    (void)cx;
    if (!send->queued)
        return pass;
    vg_notices_init(&notices);
    vg_spin_lock(&send->channel->inbox.senders.guard);
    if (send->entry.state == VG_WAITER_QUEUED || send->entry.state == VG_WAITER_GRANTED)
        pass = vg_waitlist_pass_over(&send->channel->inbox.senders, &send->entry, send->heals);
    if (pass == VG_PASS_REVOKED)
        vg_mpsc_fill(send->channel, &notices);
    vg_spin_unlock(&send->channel->inbox.senders.guard);
    vg_notices_send(&notices);
    return pass;
}

static bool send_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_mpsc_send *send = (const struct vg_mpsc_send *)(const void *)fut;
    struct vg_mpsc *channel = send->channel;

    if (!send->queued)
        return false;
    *wait = (struct vg_wait){
        .resource = &channel->inbox.resource,
        .want = 1,
        .healing = send->heals,
        .by = VG_BY_HOLDERS,
    };
    vg_spin_lock(&channel->inbox.senders.guard);
    wait->state = send->entry.state == VG_WAITER_QUEUED ? VG_WAIT_QUEUED : VG_WAIT_GRANTED;
    vg_spin_unlock(&channel->inbox.senders.guard);
    return true;
}

static const struct vg_ops send_ops = {
    .poll = send_poll,
    .cancel = send_cancel,
    .waits = send_waits,
    .is_held = true,
    .gives = true,
    .name = "vg_mpsc_send",
    .size = sizeof(struct vg_mpsc_send),
    .kind = VG_KIND_LEAF,
};

const struct vg_ops vg_mpsc_reserve_ops_ = {
    .poll = send_poll,
    .cancel = send_cancel,
    .passed_over = reserve_passed_over,
    .waits = send_waits,
    .is_held = true,
    .name = "vg_mpsc_reserve",
    .size = sizeof(struct vg_mpsc_send),
    .kind = VG_KIND_LEAF,
};

static struct vg_mpsc_send *prepare(struct vg_mpsc_send *send, const struct vg_ops *ops,
                                    struct vg_mpsc *channel, const void *value)
{
    vg_future_init(&send->fut, ops);
    send->ret = 0;
    send->queued = false;
    send->channel = channel;
    send->value = value;
    vg_waitlist_entry_init(&send->entry);
    return send;
}

struct vg_mpsc_send *vg_mpsc_send(struct vg_mpsc_send *send, struct vg_mpsc *channel,
                                  const void *value)
{
    if (!value)
        vg_panic("vg_mpsc_send: no value for channel %s", vg_inbox_name(&channel->inbox));
    return prepare(send, &send_ops, channel, value);
}

struct vg_mpsc_send *vg_mpsc_reserve(struct vg_mpsc_send *send, struct vg_mpsc *channel)
{
    return prepare(send, &vg_mpsc_reserve_ops_, channel, NULL);
}
