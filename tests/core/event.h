/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_CORE_EVENT_H
#define VIGIL_TESTS_CORE_EVENT_H

#include <errno.h>

#include <vigil/future.h>

#include "vg_spin.h"

/*
 * The plainest source there is: an event that anybody sets, from any thread, and that one future waits for.
 * The future can be woken for nothing, too, and a hook sees each of its polls.
 */
struct event {
    struct vg_spin guard;
    bool set;
    struct vg_waiter *waiter;
};

struct event_wait {
    struct vg_future fut;
    int ret; /* 0, or -ECANCELED */
    struct event *event;
    void (*hook)(void *arg); /* after each poll, while its task is being polled */
    void *arg;
    struct vg_waiter waiter;
};

/* The caller has the guard. */
static inline struct vg_notice event_release(struct event *event)
{
    struct vg_waiter *const waiter = event->waiter;

    event->waiter = NULL;
    if (waiter == NULL)
        return (struct vg_notice){NULL};
    waiter->queued = 0;
    return vg_wake(waiter);
}

static inline void event_set(struct event *event)
{
    struct vg_notice notice;

    vg_spin_lock(&event->guard);
    event->set = true;
    notice = event_release(event);
    vg_spin_unlock(&event->guard);
    vg_notify(notice);
}

/* Wakes whoever waits, for nothing. */
static inline void event_poke(struct event *event)
{
    struct vg_notice notice;

    vg_spin_lock(&event->guard);
    notice = event_release(event);
    vg_spin_unlock(&event->guard);
    vg_notify(notice);
}

/* The caller has the guard. */
static inline void event_unqueue(struct event_wait *wait)
{
    if (wait->waiter.queued)
        wait->event->waiter = NULL;
    wait->waiter.queued = 0;
}

static inline vg_poll event_wait_try(struct event_wait *wait, struct vg_cx *cx)
{
    struct vg_future *const fut = &wait->fut;
    struct event *const event = wait->event;

    vg_spin_lock(&event->guard);
    if (!event->set && !vg_cancelled(fut)) {
        if (!wait->waiter.queued) {
            vg_disarm(&wait->waiter, cx); /* it was woken for nothing */
            vg_arm(&wait->waiter, fut, cx);
            wait->waiter.queued = 1;
            event->waiter = &wait->waiter;
        }
        vg_spin_unlock(&event->guard);
        return VG_PENDING;
    }
    event_unqueue(wait);
    wait->ret = event->set ? 0 : -ECANCELED;
    vg_spin_unlock(&event->guard);
    vg_disarm(&wait->waiter, cx);
    return VG_READY;
}

static inline vg_poll event_wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct event_wait *const wait = (struct event_wait *)(void *)fut;
    const vg_poll result = event_wait_try(wait, cx);

    if (wait->hook != NULL)
        wait->hook(wait->arg);
    return result;
}

static inline void event_wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct event_wait *const wait = (struct event_wait *)(void *)fut;

    vg_spin_lock(&wait->event->guard);
    event_unqueue(wait);
    vg_spin_unlock(&wait->event->guard);
    vg_kick(&wait->waiter, cx);
}

static inline struct event_wait *event_wait(struct event_wait *wait, struct event *event)
{
    static const struct vg_ops ops = {
        .poll = event_wait_poll,
        .cancel = event_wait_cancel,
        .name = "event_wait",
        .size = sizeof(struct event_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    wait->ret = 0;
    wait->event = event;
    wait->hook = NULL;
    wait->waiter.queued = 0;
    wait->waiter.flags = 0;
    return wait;
}

static inline struct event_wait *event_wait_hooked(struct event_wait *wait, struct event *event,
                                                   void (*hook)(void *arg), void *arg)
{
    event_wait(wait, event);
    wait->hook = hook;
    wait->arg = arg;
    return wait;
}

static inline void event_count_poll(void *counter)
{
    ++*(unsigned *)counter;
}

static inline struct event_wait *event_wait_counted(struct event_wait *wait, struct event *event,
                                                    unsigned *polls)
{
    return event_wait_hooked(wait, event, event_count_poll, polls);
}

#endif
