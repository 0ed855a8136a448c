/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>

#include "drop.h"
#include "start.h"
#include "task.h"

/* What an async function's awaits do. */

/* Below an opaque future nobody else polls the kept children. */
static VG_COLD void drive_background(struct vg_async *co, struct vg_cx *cx)
{
    struct vg_future *fut, *next;

    for (fut = co->bg; fut != NULL; fut = next) {
        next = fut->next;
        if (fut->state == VG_KEPT && vg_future_enter(fut, cx).ready)
            vg_future_unlist(fut);
    }
}

static vg_poll take(struct vg_async *co)
{
    co->child->flags |= VG_F_TAKEN;
    co->fut.flags |= VG_F_PASSED;
    return VG_READY;
}

static VG_COLD vg_poll await_rootdown(struct vg_async *co, struct vg_cx *cx)
{
    if (co->bg != NULL)
        drive_background(co, cx);
    return vg_poll_future(co->child, cx).ready ? take(co) : VG_PENDING;
}

static vg_poll poll_awaited(struct vg_async *co, struct vg_cx *cx)
{
    if (VG_UNLIKELY(cx->rootdown))
        return await_rootdown(co, cx);
    return vg_poll_future(co->child, cx).ready ? take(co) : VG_PENDING;
}

vg_poll vg_await_(struct vg_async *co, struct vg_cx *cx)
{
    /* Nobody looks at a frame's kept children but below an opaque future. */
    if (VG_UNLIKELY(cx->rootdown || co->child->state != VG_DONE))
        return poll_awaited(co, cx);
    return take(co);
}

vg_poll vg_await_shielded_(struct vg_async *co, struct vg_cx *cx)
{
    if (VG_UNLIKELY(!vg_is_plain_start(co->child, &co->fut, cx)))
        return poll_awaited(co, cx);
    return vg_start_plainly(co->child, &co->fut, cx).ready ? take(co) : VG_PENDING;
}

vg_poll vg_await_enter_(struct vg_async *co, struct vg_cx *cx)
{
    if (VG_UNLIKELY(co->fut.flags & VG_F_CANCEL))
        vg_cancel(co->child, cx);
    return vg_await_shielded_(co, cx);
}

vg_poll vg_await_cancel_(struct vg_async *co, struct vg_cx *cx)
{
    vg_cancel(co->child, cx);
    vg_drop_pending(co->child, cx);
    return poll_awaited(co, cx);
}

void vg_async_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_async *co = (struct vg_async *)(void *)fut;
    struct vg_future *bg, *next;

    for (bg = co->bg; bg != NULL; bg = next) {
        next = bg->next;
        vg_cancel(bg, cx);
    }
    if (!co->at->shield)
        vg_cancel(co->child, cx);
}

struct vg_future *vg_async_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_async *co = (const struct vg_async *)(const void *)fut;

    if (i == 0 && co->child != NULL)
        return co->child;
    return vg_frame_background(fut, co->child != NULL ? i - 1 : i);
}

void vg_return_with_live_child_(const struct vg_async *co)
{
    vg_panic("%s returns while its child %s is %s: await it, or VG_AWAIT_CANCEL() it first",
             co->fut.ops->name, co->bg->ops->name,
             co->bg->state == VG_PARKED ? "parked" : "kept and still runs");
}
