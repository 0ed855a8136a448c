/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/future.h>

#include "drop.h"
#include "start.h"
#include "task.h"
#include "worker.h"

/*
 * Start, adoption and end of futures. "Adopting" a running child only tells it who waits: its own wakes
 * poll it, and its end polls its `up`. That is why a wake costs the same at any depth.
 */

static void check_not_live(const struct vg_future *fut)
{
#if VG_DEBUG
    if (fut->seq == vg_life_mark(fut) && fut->state > VG_INIT && fut->state < VG_DONE)
        vg_panic("a future is constructed over the live %s at the same address", fut->ops->name);
#else
    (void)fut;
#endif
}

void vg_future_init(struct vg_future *fut, const struct vg_ops *ops)
{
    check_not_live(fut);
    *fut = (struct vg_future){.ops = ops};
}

static VG_COLD void note_reentry(const struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_probe *const probe = cx->task->exec->probe;
    const struct vg_reentry reentry = {cx->task, fut, vg_worker_of(cx)->waking};

    if (reentry.resource != NULL && probe != NULL && probe->reentered != NULL)
        probe->reentered(probe, vg_worker_of(cx)->index, &reentry, cx->now);
}

static VG_COLD void attach_warily(struct vg_future *fut, struct vg_cx *cx)
{
    note_reentry(fut, cx);
    if (cx->self != NULL && vg_is_opaque(cx->self))
        cx->self->kids++;
}

static inline void attach(struct vg_future *fut, struct vg_cx *cx)
{
    fut->up = cx->self;
    if (vg_is_wary(cx))
        attach_warily(fut, cx);
}

/* The future has been started by another one: is it one of several that its task waits for? */
static inline void note_beside(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_future *const self = cx->self;

    if (self == NULL || (self->ops->kind == VG_KIND_ASYNC && !(self->flags & VG_F_BESIDE)))
        return;
    fut->flags |= VG_F_BESIDE;
    vg_count(&vg_worker_of(cx)->counts.children_begun, 1);
}

static VG_COLD void finish_warily(struct vg_future *fut, struct vg_cx *cx)
{
    if (fut == cx->unarmed)
        cx->unarmed = NULL; /* it was cancelled */
    if (fut == cx->spinner)
        cx->spun = 0; /* it has got somewhere after all, and may be gone */
    if (vg_is_opaque(fut)) {
        if (fut->kids > 0)
            vg_panic("%s has ended with %u running children; use vg_leave()", fut->ops->name,
                     fut->kids);
        cx->task->fences--;
    }
    if (fut->up != NULL && vg_is_opaque(fut->up))
        fut->up->kids--;
}

void vg_future_finish(struct vg_future *fut, struct vg_cx *cx)
{
    if (vg_is_wary(cx))
        finish_warily(fut, cx);
    fut->state = VG_DONE;
    cx->progress++;
    if (fut->flags & VG_F_BESIDE) {
        vg_count(&vg_worker_of(cx)->counts.children_ended, 1);
        vg_drop_ended(fut, cx);
    }
    vg_mark_dead(fut);
}

static VG_COLD vg_poll enter_opaque(struct vg_future *fut, struct vg_cx *cx)
{
    const bool rootdown = cx->rootdown;
    vg_poll result;

    note_reentry(fut, cx);
    cx->rootdown = true;
    fut->seq = ++cx->task->takes;
    result = fut->ops->poll(fut, cx);
    cx->rootdown = rootdown;
    return result;
}

static inline __attribute__((always_inline)) vg_poll enter(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_future *const self = cx->self;
    vg_poll result;

    cx->self = fut;
    result = VG_UNLIKELY(vg_is_opaque(fut)) ? enter_opaque(fut, cx) : fut->ops->poll(fut, cx);
    cx->self = self;
    if (result.ready)
        vg_future_finish(fut, cx);
    return result;
}

vg_poll vg_future_enter(struct vg_future *fut, struct vg_cx *cx)
{
    return enter(fut, cx);
}

void vg_future_unlist(struct vg_future *fut)
{
    struct vg_future **list = &((struct vg_async *)(void *)fut->up)->bg;

    while (*list != fut)
        list = &(*list)->next;
    *list = fut->next;
}

/* Takes a kept or parked child off its frame's list, because somebody awaits it again. */
static VG_COLD void reclaim(struct vg_future *fut, struct vg_cx *cx)
{
    const bool parked = fut->state == VG_PARKED;

    vg_future_unlist(fut);
    fut->state = VG_RUNNING;
    fut->flags &= (uint8_t)~VG_F_PAUSES;
    attach(fut, cx);
    if (parked) {
        cx->task->fences--;
        vg_task_unskip(cx->task);
    }
}

void vg_note_unarmed(const struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_probe *const probe = cx->task->exec->probe;

#if VG_DEBUG
    if (fut->ops->kind == VG_KIND_LEAF && (probe == NULL || probe->unarmed == NULL))
        vg_panic("%s is pending and has armed no waiter: nothing can ever wake it", fut->ops->name);
#endif
    if (probe != NULL && cx->unarmed == NULL)
        cx->unarmed = fut;
    cx->wary |= VG_WARY_ODD;
}

/* Nothing is known of its children, but how many there are. */
static __attribute__((noinline)) vg_poll start_opaque(struct vg_future *fut, struct vg_cx *cx)
{
    const uint32_t armings = cx->armings;
    vg_poll result;

    fut->state = VG_RUNNING;
    attach(fut, cx);
    vg_fence_added(cx);
    note_beside(fut, cx);
    result = enter(fut, cx);
    if (!result.ready && cx->armings == armings && fut->kids == 0)
        vg_note_unarmed(fut, cx);
    return result;
}

static inline vg_poll start(struct vg_future *fut, struct vg_cx *cx)
{
    if (VG_UNLIKELY(vg_is_opaque(fut)))
        return start_opaque(fut, cx);
    if (vg_is_wary(cx))
        attach_warily(fut, cx);
    note_beside(fut, cx);
    return vg_start_plainly(fut, cx->self, cx);
}

vg_poll vg_poll_future(struct vg_future *fut, struct vg_cx *cx)
{
    if (fut->state == VG_DONE)
        return VG_READY;
    if (fut->state == VG_INIT)
        return start(fut, cx);
    if (fut->state != VG_RUNNING)
        reclaim(fut, cx);
    else if (VG_UNLIKELY(fut->up != cx->self))
        vg_panic("%s is awaited by two futures at once", fut->ops->name);
    return cx->rootdown ? enter(fut, cx) : VG_PENDING;
}

vg_poll vg_poll_child(struct vg_future *fut, struct vg_cx *cx)
{
    if (VG_UNLIKELY(fut->state == VG_DONE))
        vg_panic("%s is polled after it has ended", fut->ops->name);
    return vg_poll_future(fut, cx);
}

void vg_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    if (fut->state == VG_DONE || fut->flags & VG_F_CANCEL)
        return;
    fut->flags |= VG_F_CANCEL;
    if (fut->state == VG_INIT)
        return;
    if (fut->state == VG_PARKED) { /* from now on its wakes drive it to its end */
        fut->state = VG_KEPT;
        cx->task->fences--;
        vg_task_unskip(cx->task);
    }
    if (fut->ops->cancel != NULL)
        fut->ops->cancel(fut, cx);
}

void vg_settle(struct vg_future *fut, struct vg_cx *cx)
{
    if (fut->state == VG_RUNNING && fut->ops->kind == VG_KIND_LEAF)
        (void)enter(fut, cx);
}

/* The member is free for it: a child that nobody awaits has no running children of its own to count,
 * unless it is opaque. */
static void note_site(struct vg_future *fut, const struct vg_site *site, const struct vg_exec *exec)
{
    const uintptr_t begin = (uintptr_t)exec->sites, at = (uintptr_t)site;
    const uintptr_t index = (at - begin) / sizeof *site;

    if (vg_is_opaque(fut))
        return;
    fut->kids = 0;
    if (at >= begin && at < (uintptr_t)exec->sites_end && index < UINT16_MAX)
        fut->kids = (uint16_t)(index + 1);
}

const struct vg_site *vg_left_at(const struct vg_task *task, const struct vg_future *fut)
{
    if (vg_is_opaque(fut) || fut->kids == 0 || (fut->state != VG_KEPT && fut->state != VG_PARKED))
        return NULL;
    return &task->exec->sites[fut->kids - 1];
}

void vg_leave(struct vg_future *fut, enum vg_state state, struct vg_cx *cx)
{
    struct vg_async *frame = (struct vg_async *)(void *)(uintptr_t)vg_frame_of(cx->self);

    VG_ASSERT(state == VG_KEPT || state == VG_PARKED);
    VG_ASSERT(fut->state == VG_RUNNING);
    if (frame == NULL)
        vg_panic("%s would go on without a frame above it: only an async function can keep or park",
                 fut->ops->name);
    if (fut->up != NULL && vg_is_opaque(fut->up)) {
        fut->up->kids--;
        /* Its wake was left to the opaque future, which may not have come to it. */
        vg_task_unskip(cx->task);
    }
    note_site(fut, frame->at, cx->task->exec);
    fut->next = frame->bg;
    frame->bg = fut;
    fut->up = &frame->fut;
    fut->state = (uint8_t)state;
    if (state == VG_PARKED)
        vg_fence_added(cx);
    if (frame->fut.flags & VG_F_CANCEL)
        vg_cancel(fut, cx);
}
