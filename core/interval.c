/* SPDX-License-Identifier: MIT */
#include <vigil/time.h>

#include "task.h"

static vg_poll interval_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_interval *interval = (struct vg_interval *)(void *)fut;
    uint64_t missed;

    if (fut->flags & VG_F_CANCEL)
        vg_cancel(&interval->nap.fut, cx);
    if (!vg_poll_future(&interval->nap.fut, cx).ready)
        return VG_PENDING;
    if (interval->nap.ret < 0) {
        interval->ret = interval->nap.ret;
        return VG_READY;
    }
    missed = cx->now > interval->due ? (cx->now - interval->due) / interval->period : 0;
    interval->due = interval->period < VG_NEVER - interval->due
                        ? interval->due + (missed + 1) * interval->period
                        : VG_NEVER;
    interval->ret = (int64_t)missed;
    return VG_READY;
}

static void interval_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct vg_interval *)(void *)fut)->nap.fut, cx);
}

static struct vg_future *interval_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_interval *interval = (const struct vg_interval *)(const void *)fut;

    return i == 0 ? (struct vg_future *)(uintptr_t)&interval->nap.fut : NULL;
}

static const struct vg_ops interval_ops = {
    .poll = interval_poll,
    .cancel = interval_cancel,
    .child = interval_child,
    .name = "interval",
    .size = sizeof(struct vg_interval),
    .kind = VG_KIND_NODE,
};

void vg_interval_init(struct vg_interval *interval, uint64_t period)
{
    VG_ASSERT(period > 0);
    interval->period = period;
    interval->due = period < VG_NEVER - vg_now() ? vg_now() + period : VG_NEVER;
    interval->fut = (struct vg_future){.ops = &interval_ops};
}

struct vg_interval *vg_interval_next(struct vg_interval *interval)
{
    vg_future_init(&interval->fut, &interval_ops);
    interval->ret = 0;
    vg_sleep_until(&interval->nap, interval->due);
    return interval;
}
