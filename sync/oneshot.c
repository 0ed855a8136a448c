/* SPDX-License-Identifier: MIT */
#include <vigil/oneshot.h>

#include <errno.h>

#include "vg_spin.h"

/*
 * The states of a oneshot, guarded like its other members:
 * EMPTY     Nothing was sent. The only state in which a receive waits.
 * SENT      The value lies in the oneshot.
 * RECEIVED  The value was taken out, by the poll of a receive or by a drop.
 * CLOSED    The sender ended without a value.
 * DROPPED   The receiver ended while nothing had been sent.
 * Leaving EMPTY wakes the receive that waits, under the guard: its poll takes the guard too, so it
 * cannot end, and free the oneshot and its waiter, before the sender has let go of both.
 */
enum { EMPTY, SENT, RECEIVED, CLOSED, DROPPED };

static const char *name_of(const struct vg_oneshot *oneshot)
{
    return oneshot->resource.name ? oneshot->resource.name : "(unnamed)";
}

/* Guard held. */
static struct vg_notice leave_empty(struct vg_oneshot *oneshot, uint8_t state)
{
    struct vg_waiter *waiter = oneshot->waiter;

    oneshot->state = state;
    oneshot->waiter = NULL;
    if (!waiter)
        return (struct vg_notice){NULL};
    waiter->queued = 0;
    return vg_wake(waiter);
}

void vg_oneshot_init_at(struct vg_oneshot *oneshot, const char *name, const struct vg_place *place)
{
    *oneshot = (struct vg_oneshot){.resource = {&vg_oneshot_resource_, name, place}};
}

void vg_oneshot_fini(struct vg_oneshot *oneshot)
{
    vg_spin_lock(&oneshot->guard);
    if (oneshot->waiter)
        vg_panic("vg_oneshot_fini: a receive waits for oneshot %s", name_of(oneshot));
    vg_spin_unlock(&oneshot->guard);
}

/* Guard held. The sender ends, in state SENT or CLOSED. */
static struct vg_notice end_sender(struct vg_oneshot *oneshot, uint8_t state)
{
    if (oneshot->state == DROPPED)
        return (struct vg_notice){NULL};
    if (oneshot->state != EMPTY)
        vg_panic("the sender of oneshot %s has sent or closed before", name_of(oneshot));
    return leave_empty(oneshot, state);
}

int vg_oneshot_send(struct vg_oneshot *oneshot, void *value)
{
    struct vg_notice notice;
    bool sent;

    vg_spin_lock(&oneshot->guard);
    oneshot->value = value;
    notice = end_sender(oneshot, SENT);
    sent = oneshot->state == SENT;
    vg_spin_unlock(&oneshot->guard); /* the last access: the receiver may free it */
    vg_notify(notice);
    return sent ? 0 : -EPIPE;
}

void vg_oneshot_close(struct vg_oneshot *oneshot)
{
    struct vg_notice notice;

    vg_spin_lock(&oneshot->guard);
    notice = end_sender(oneshot, CLOSED);
    vg_spin_unlock(&oneshot->guard);
    vg_notify(notice);
}

void *vg_oneshot_drop(struct vg_oneshot *oneshot)
{
    void *value = NULL;

    vg_spin_lock(&oneshot->guard);
    if (oneshot->waiter)
        vg_panic("vg_oneshot_drop: a receive waits for oneshot %s", name_of(oneshot));
    if (oneshot->state == EMPTY) {
        oneshot->state = DROPPED;
    } else if (oneshot->state == SENT) {
        value = oneshot->value;
        oneshot->state = RECEIVED;
    }
    vg_spin_unlock(&oneshot->guard);
    return value;
}

/* ---- the future ---------------------------------------------------------------------------- */

/* Guard held. Lets the receive wait, once; it may be polled again while it does. */
static void wait_for_sender(struct vg_oneshot_recv *recv, struct vg_cx *cx)
{
    struct vg_oneshot *oneshot = recv->oneshot;

    if (oneshot->waiter == &recv->waiter)
        return;
    if (oneshot->waiter)
        vg_panic("two receives wait for oneshot %s", name_of(oneshot));
    vg_arm(&recv->waiter, &recv->fut, cx);
    recv->waiter.queued = 1;
    oneshot->waiter = &recv->waiter;
}

/* Guard held. Whether there is a result, which is then in place. */
static bool receive(struct vg_oneshot_recv *recv, struct vg_cx *cx)
{
    struct vg_oneshot *oneshot = recv->oneshot;

    switch (oneshot->state) {
    case EMPTY:
        wait_for_sender(recv, cx);
        return false;
    case SENT:
        oneshot->state = RECEIVED;
        recv->value = oneshot->value;
        recv->ret = 0;
        return true;
    case DROPPED:
        vg_panic("receive from oneshot %s, which the receiver has dropped", name_of(oneshot));
    default:
        recv->ret = -EPIPE;
        return true;
    }
}

/* Nobody will wake it from here on. */
static void stop_waiting(struct vg_oneshot_recv *recv)
{
    struct vg_oneshot *oneshot = recv->oneshot;

    vg_spin_lock(&oneshot->guard);
    if (oneshot->waiter == &recv->waiter) {
        oneshot->waiter = NULL;
        recv->waiter.queued = 0;
    }
    vg_spin_unlock(&oneshot->guard);
}

static vg_poll recv_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_oneshot_recv *recv = (struct vg_oneshot_recv *)(void *)fut;
    bool ready = true;

    if (vg_cancelled(fut)) {
        stop_waiting(recv);
        recv->ret = -ECANCELED;
    } else {
        vg_spin_lock(&recv->oneshot->guard);
        ready = receive(recv, cx);
        vg_spin_unlock(&recv->oneshot->guard);
    }
    if (ready)
        vg_disarm(&recv->waiter, cx);
    return ready ? VG_READY : VG_PENDING;
}

static void recv_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_oneshot_recv *recv = (struct vg_oneshot_recv *)(void *)fut;

    stop_waiting(recv);
    vg_kick(&recv->waiter, cx);
}

static bool recv_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_oneshot_recv *recv = (const struct vg_oneshot_recv *)(const void *)fut;
    struct vg_oneshot *oneshot = recv->oneshot;

    vg_spin_lock(&oneshot->guard);
    *wait = (struct vg_wait){
        .resource = &oneshot->resource,
        .want = 1,
        .state = oneshot->state == EMPTY ? VG_WAIT_QUEUED : VG_WAIT_GRANTED,
    };
    vg_spin_unlock(&oneshot->guard);
    return true;
}

static const struct vg_ops recv_ops = {
    .poll = recv_poll,
    .cancel = recv_cancel,
    .waits = recv_waits,
    .name = "vg_oneshot_recv",
    .size = sizeof(struct vg_oneshot_recv),
    .kind = VG_KIND_LEAF,
};

struct vg_oneshot_recv *vg_oneshot_recv(struct vg_oneshot_recv *recv, struct vg_oneshot *oneshot)
{
    vg_future_init(&recv->fut, &recv_ops);
    recv->ret = 0;
    recv->value = NULL;
    recv->oneshot = oneshot;
    recv->waiter = (struct vg_waiter){0};
    return recv;
}

/* ---- the resource -------------------------------------------------------------------------- */

/* The sender is not known before it sends. */
static bool resource_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    (void)resource, (void)owner;
    return false;
}

static bool resource_ahead(struct vg_resource *resource, const struct vg_future *first,
                           const struct vg_future *second)
{
    (void)resource, (void)first, (void)second;
    return false;
}

static unsigned resource_waiters(struct vg_resource *resource)
{
    struct vg_oneshot *oneshot = (struct vg_oneshot *)(void *)resource;
    unsigned waiters;

    vg_spin_lock(&oneshot->guard);
    waiters = oneshot->waiter ? 1 : 0;
    vg_spin_unlock(&oneshot->guard);
    return waiters;
}

const struct vg_resource_ops vg_oneshot_resource_ = {
    .kind = "oneshot",
    .owner = resource_owner,
    .ahead = resource_ahead,
    .waiters = resource_waiters,
};
