/* SPDX-License-Identifier: MIT */
#include <vigil/exec.h>
#include <vigil/probe.h>

#include "mpmc.h"
#include "vg_spin.h"

/* A poll that has got what it came for, or not. */
enum progress { WAITS, ENDS };

/* Guard held. The first look at the channel. */
static enum progress take_or_queue(struct vg_mpmc_recv *recv, struct vg_notices *notices,
                                   struct vg_cx *cx)
{
    recv->ret = vg_mpmc_take(recv->channel, recv->value, notices);
    if (recv->ret != -EAGAIN)
        return ENDS;
    vg_waitlist_add(&recv->channel->receivers, &recv->entry, 1, &recv->fut, cx);
    recv->queued = true;
    recv->heals = vg_exec_heals(vg_exec_current());
    return WAITS;
}

static bool is_listed(const struct vg_mpmc_recv *recv)
{
    return recv->entry.state == VG_WAITER_QUEUED || recv->entry.state == VG_WAITER_GRANTED;
}

/* Guard held. A value is set aside for it, or available while it is the oldest eligible. */
static enum progress take_turn(struct vg_mpmc_recv *recv, struct vg_notices *notices,
                               struct vg_cx *cx)
{
    struct vg_mpmc *channel = recv->channel;
    bool turn;

    if (!is_listed(recv))
        return ENDS; /* cancelled or dismissed */
    turn = vg_waitlist_visit(&channel->receivers, &recv->entry);
    if (turn && (recv->entry.state == VG_WAITER_GRANTED ||
                 channel->channel.ring.length > channel->receivers.granted)) {
        vg_waitlist_take(&channel->receivers, &recv->entry);
        recv->ret = vg_mpmc_take(channel, recv->value, notices);
        VG_ASSERT(recv->ret == 0);
        return ENDS;
    }
    vg_waitlist_stay(&recv->entry, &recv->fut, cx);
    return WAITS;
}

/* Under the guard, even if it was dismissed: whoever did that may still hold it. */
static enum progress look(struct vg_mpmc_recv *recv, struct vg_cx *cx)
{
    struct vg_notices notices;
    enum progress progress;
    bool drained;

    vg_notices_init(&notices);
    vg_spin_lock(vg_mpmc_guard(recv->channel));
    progress = recv->queued ? take_turn(recv, &notices, cx) : take_or_queue(recv, &notices, cx);
    drained = vg_mpmc_is_drained(recv->channel);
    vg_spin_unlock(vg_mpmc_guard(recv->channel));
    vg_notices_send(&notices);
    if (VG_UNLIKELY(progress == ENDS && recv->ret == 0 && drained))
        vg_mpmc_dismiss(recv->channel);
    return progress;
}

static vg_poll recv_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpmc_recv *recv = (struct vg_mpmc_recv *)(void *)fut;

    if (!recv->queued) {
        vg_disarm(&recv->entry.waiter, cx); /* of an earlier poll that had no budget */
        if (vg_cancelled(fut)) {
            recv->ret = -ECANCELED;
            return VG_READY;
        }
        if (!vg_coop(&recv->entry.waiter, fut, cx))
            return VG_PENDING;
    }
    if (look(recv, cx) == WAITS)
        return VG_PENDING;
    if (recv->ret == 0)
        vg_took(fut);
    vg_disarm(&recv->entry.waiter, cx);
    return VG_READY;
}

static void recv_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpmc_recv *recv = (struct vg_mpmc_recv *)(void *)fut;
    struct vg_notice notice = {NULL};

    if (!recv->queued)
        return; /* it yielded: it is polled again in any case */
    vg_spin_lock(vg_mpmc_guard(recv->channel));
    if (is_listed(recv)) {
        if (vg_waitlist_leave(&recv->channel->receivers, &recv->entry) > 0)
            notice = vg_inbox_wake(&recv->channel->channel.inbox);
        recv->ret = -ECANCELED;
    }
    vg_spin_unlock(vg_mpmc_guard(recv->channel));
    vg_notify_any(notice);
    vg_kick(&recv->entry.waiter, cx);
}

static enum vg_pass recv_passed_over(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_mpmc_recv *recv = (struct vg_mpmc_recv *)(void *)fut;
    struct vg_notice notice = {NULL};
    enum vg_pass pass = VG_PASS_NONE;

    (void)cx;
    if (!recv->queued)
        return pass;
    vg_spin_lock(vg_mpmc_guard(recv->channel));
    if (is_listed(recv))
        pass = vg_waitlist_pass_over(&recv->channel->receivers, &recv->entry, recv->heals);
    if (pass == VG_PASS_REVOKED)
        notice = vg_inbox_wake(&recv->channel->channel.inbox);
    vg_spin_unlock(vg_mpmc_guard(recv->channel));
    vg_notify_any(notice);
    return pass;
}

static bool recv_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_mpmc_recv *recv = (const struct vg_mpmc_recv *)(const void *)fut;
    struct vg_mpmc *channel = recv->channel;

    if (!recv->queued)
        return false;
    *wait = (struct vg_wait){
        .resource = &channel->channel.inbox.resource, .want = 1, .healing = recv->heals};
    vg_spin_lock(vg_mpmc_guard(channel));
    wait->state = recv->entry.state == VG_WAITER_QUEUED ? VG_WAIT_QUEUED : VG_WAIT_GRANTED;
    vg_spin_unlock(vg_mpmc_guard(channel));
    return true;
}

static bool recv_is_ready(const struct vg_future *fut)
{
    struct vg_mpmc *channel = ((const struct vg_mpmc_recv *)(const void *)fut)->channel;
    bool ready;

    vg_spin_lock(vg_mpmc_guard(channel));
    ready = channel->channel.ring.length > channel->receivers.granted;
    vg_spin_unlock(vg_mpmc_guard(channel));
    return ready;
}

const struct vg_ops vg_mpmc_recv_ops_ = {
    .is_ready = recv_is_ready,
    .poll = recv_poll,
    .cancel = recv_cancel,
    .passed_over = recv_passed_over,
    .waits = recv_waits,
    .name = "vg_mpmc_recv",
    .size = sizeof(struct vg_mpmc_recv),
    .kind = VG_KIND_LEAF,
};

struct vg_mpmc_recv *vg_mpmc_recv(struct vg_mpmc_recv *recv, struct vg_mpmc *channel, void *value)
{
    vg_future_init(&recv->fut, &vg_mpmc_recv_ops_);
    recv->ret = 0;
    recv->queued = false;
    recv->channel = channel;
    recv->value = value;
    vg_waitlist_entry_init(&recv->entry);
    return recv;
}
