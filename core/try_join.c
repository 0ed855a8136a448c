/* SPDX-License-Identifier: MIT */
#include <vigil/combine.h>

#include <errno.h>

#include "task.h"

static int64_t result_of(const struct vg_tried *tried)
{
    return tried->size == sizeof(int64_t) ? *(const int64_t *)tried->ret
                                          : *(const int32_t *)tried->ret;
}

/* The child has ended. True: it is the first that has failed. */
static bool take(struct vg_try_join *join, const struct vg_tried *tried)
{
    int64_t result;

    if (tried->fut->flags & VG_F_TAKEN)
        return false;
    tried->fut->flags |= VG_F_TAKEN;
    result = result_of(tried);
    if (result >= 0 || join->ret < 0)
        return false;
    join->ret = (int)result;
    return true;
}

static void cancel_others(struct vg_try_join *join, struct vg_cx *cx)
{
    for (unsigned i = 0; i < join->count; i++) {
        struct vg_future *const fut = join->children[i].fut;

        if (fut->state == VG_INIT || fut->state == VG_DONE)
            continue;
        vg_cancel(fut, cx);
        vg_settle(fut, cx);
    }
}

/* Whether the child has ended, or is not worth starting any more. */
static bool has_ended(struct vg_try_join *join, struct vg_future *fut, struct vg_cx *cx)
{
    if (fut->state == VG_INIT && join->ret < 0)
        return true;
    if (fut->state == VG_RUNNING && !cx->rootdown)
        return false;
    return vg_poll_future(fut, cx).ready;
}

/* Starts the children, or looks at those that have ended. */
static void visit(struct vg_try_join *join, struct vg_cx *cx)
{
    for (unsigned i = 0; i < join->count; i++) {
        const struct vg_tried *const tried = &join->children[i];

        if (vg_cancelled(&join->fut))
            vg_cancel(tried->fut, cx);
        if (has_ended(join, tried->fut, cx) && vg_done(tried->fut) && take(join, tried))
            cancel_others(join, cx);
    }
}

static vg_poll try_join_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_try_join *const join = (struct vg_try_join *)(void *)fut;
    bool ended = true;

    visit(join, cx);
    for (unsigned i = 0; i < join->count; i++)
        ended = ended && (vg_done(join->children[i].fut) || !vg_started(join->children[i].fut));
    return (vg_poll){ended};
}

static void try_join_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_try_join *const join = (struct vg_try_join *)(void *)fut;

    for (unsigned i = 0; i < join->count; i++)
        vg_cancel(join->children[i].fut, cx);
}

static struct vg_future *try_join_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_try_join *const join = (const struct vg_try_join *)(const void *)fut;

    return i < join->count ? join->children[i].fut : NULL;
}

static const struct vg_ops try_join_ops = {
    .poll = try_join_poll,
    .cancel = try_join_cancel,
    .child = try_join_child,
    .name = "try_join",
    .size = sizeof(struct vg_try_join),
    .kind = VG_KIND_NODE,
};

struct vg_try_join *vg_try_join(struct vg_try_join *join, struct vg_tried *storage,
                                const struct vg_tried *children, size_t count)
{
    VG_ASSERT(count < UINT16_MAX);
    vg_future_init(&join->fut, &try_join_ops);
    join->ret = 0;
    join->count = (uint16_t)count;
    join->children = storage;
    for (size_t i = 0; i < count; i++)
        storage[i] = children[i];
    return join;
}
