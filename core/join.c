/* SPDX-License-Identifier: MIT */
#include <vigil/combine.h>

#include <errno.h>

#include "task.h"

/* Polls every child: at the start, and below an opaque future. */
static vg_poll poll_all(struct vg_join *join, struct vg_cx *cx)
{
    unsigned i;

    join->left = 0;
    for (i = 0; i < join->count; i++)
        join->left = (uint16_t)(join->left + !vg_poll_future(join->children[i], cx).ready);
    return (vg_poll){join->left == 0};
}

static vg_poll join_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_join *join = (struct vg_join *)(void *)fut;
    const bool starts = join->left > join->count;
    unsigned i;

    if (starts)
        for (i = 0; i < join->count && fut->flags & VG_F_CANCEL; i++)
            vg_cancel(join->children[i], cx);
    if (starts || cx->rootdown) {
        if (!poll_all(join, cx).ready)
            return VG_PENDING;
    } else if (--join->left > 0) {
        return VG_PENDING; /* one child has ended: that is what we are polled for */
    }
    join->ret = fut->flags & VG_F_CANCEL ? -ECANCELED : 0;
    for (i = 0; i < join->count; i++)
        join->children[i]->flags |= VG_F_TAKEN;
    return VG_READY;
}

static void join_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_join *join = (struct vg_join *)(void *)fut;
    unsigned i;

    for (i = 0; i < join->count; i++)
        vg_cancel(join->children[i], cx);
}

static struct vg_future *join_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_join *join = (const struct vg_join *)(const void *)fut;

    return i < join->count ? join->children[i] : NULL;
}

static const struct vg_ops join_ops = {
    .poll = join_poll,
    .cancel = join_cancel,
    .child = join_child,
    .name = "join",
    .size = sizeof(struct vg_join),
    .kind = VG_KIND_NODE,
};

struct vg_join *vg_join(struct vg_join *join, struct vg_future **storage,
                        struct vg_future *const *children, size_t count)
{
    size_t i;

    VG_ASSERT(count < UINT16_MAX);
    vg_future_init(&join->fut, &join_ops);
    join->ret = 0;
    join->count = (uint16_t)count;
    join->left = UINT16_MAX; /* not started */
    join->children = storage;
    for (i = 0; i < count; i++)
        storage[i] = children[i];
    return join;
}
