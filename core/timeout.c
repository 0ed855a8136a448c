/* SPDX-License-Identifier: MIT */
#include <vigil/combine.h>

#include <errno.h>

#include "drop.h"
#include "task.h"

static void start_nap(struct vg_timeout *timeout, struct vg_cx *cx)
{
    (void)vg_poll_future(&vg_sleep(&timeout->nap, timeout->after)->fut, cx);
    /* What is woken in the same batch as the deadline has come in time. */
    if (timeout->nap.waiter.flags & VG_W_ARMED)
        timeout->nap.waiter.flags |= VG_W_LATE;
}

static vg_poll timeout_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_timeout *timeout = (struct vg_timeout *)(void *)fut;
    struct vg_future *nap = &timeout->nap.fut, *child = timeout->child;

    if (fut->flags & VG_F_CANCEL)
        vg_cancel(child, cx);
    if (!vg_poll_future(child, cx).ready) {
        if (nap->state == VG_INIT)
            start_nap(timeout, cx);
        if (!vg_poll_future(nap, cx).ready || timeout->ret < 0)
            return VG_PENDING;
        timeout->ret = -ETIMEDOUT;
        vg_future_drop(child, true, cx);
        if (child->state != VG_DONE)
            return VG_PENDING;
    }
    child->flags |= VG_F_TAKEN;
    if (nap->state == VG_RUNNING) {
        vg_cancel(nap, cx);
        vg_settle(nap, cx);
    }
    return VG_READY;
}

static void timeout_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(((struct vg_timeout *)(void *)fut)->child, cx);
}

static struct vg_future *timeout_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_timeout *timeout = (const struct vg_timeout *)(const void *)fut;

    return i == 0   ? timeout->child
           : i == 1 ? (struct vg_future *)(uintptr_t)&timeout->nap.fut
                    : NULL;
}

static const struct vg_ops timeout_ops = {
    .poll = timeout_poll,
    .cancel = timeout_cancel,
    .child = timeout_child,
    .name = "timeout",
    .size = sizeof(struct vg_timeout),
    .kind = VG_KIND_NODE,
};

struct vg_timeout *vg_timeout_fut(struct vg_timeout *timeout, uint64_t after,
                                  struct vg_future *child)
{
    vg_future_init(&timeout->fut, &timeout_ops);
    timeout->ret = 0;
    timeout->child = child;
    timeout->after = after;
    vg_sleep(&timeout->nap, after);
    return timeout;
}
