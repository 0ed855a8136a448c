/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <errno.h>

static vg_poll event_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct event *event = (struct event *)(void *)fut;

    if (event->waiter.task == NULL) {
        if (vg_cancelled(fut)) {
            event->ret = -ECANCELED;
            return VG_READY;
        }
        vg_arm(&event->waiter, fut, cx);
        event->waiter.queued = 1;
        return VG_PENDING;
    }
    vg_disarm(&event->waiter, cx);
    return VG_READY;
}

static void event_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct event *event = (struct event *)(void *)fut;

    if (!event->waiter.queued)
        return;
    event->waiter.queued = 0;
    event->ret = -ECANCELED;
    vg_kick(&event->waiter, cx);
}

static const struct vg_ops event_ops = {
    .poll = event_poll,
    .cancel = event_cancel,
    .name = "event",
    .size = sizeof(struct event),
    .kind = VG_KIND_LEAF,
};

struct event *event(struct event *event)
{
    vg_future_init(&event->fut, &event_ops);
    event->ret = 0;
    event->waiter.task = NULL;
    event->waiter.flags = 0;
    event->waiter.queued = 0;
    return event;
}

bool event_set(struct event *event)
{
    if (!event->waiter.queued)
        return false;
    event->waiter.queued = 0;
    vg_notify(vg_wake(&event->waiter));
    return true;
}
