/* SPDX-License-Identifier: MIT */
#include <vigil/time.h>

#include "task.h"

static vg_poll yield_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_yield *yield = (struct vg_yield *)(void *)fut;

    if (yield->waiter.task == NULL) {
        if (fut->flags & VG_F_CANCEL)
            return VG_READY;
        yield->poll = vg_load(&cx->task->polls, relaxed);
        vg_defer_unused(&yield->waiter, fut, cx);
        return VG_PENDING;
    }
    if (VG_LIKELY(!(yield->waiter.flags & VG_W_OWED))) /* visited */
        return VG_READY;
    /* Below an opaque future, or cancelled: maybe in the very poll that it is to end. */
    if (vg_load(&cx->task->polls, relaxed) == yield->poll)
        return VG_PENDING;
    vg_disarm(&yield->waiter, cx);
    return VG_READY;
}

static const struct vg_ops yield_ops = {
    .poll = yield_poll,
    .name = "yield",
    .size = sizeof(struct vg_yield),
    .kind = VG_KIND_LEAF,
    .is_timer = 1,
};

struct vg_yield *vg_yield(struct vg_yield *yield)
{
    vg_future_init(&yield->fut, &yield_ops);
    yield->ret = 0;
    yield->waiter.task = NULL;
    yield->waiter.flags = 0;
    return yield;
}
