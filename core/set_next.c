/* SPDX-License-Identifier: MIT */
#include <vigil/set.h>

#include <errno.h>

#include "set.h"
#include "task.h"

/* Nothing has ended. True: nothing will. */
static bool is_hopeless(struct vg_set_next *next, const struct vg_set *set)
{
    if (vg_cancelled(&next->fut))
        next->ret = -ECANCELED;
    else if (set->running == NULL)
        next->ret = -ENOENT;
    else
        return false;
    return true;
}

static void let_go(struct vg_set_next *next, struct vg_cx *cx)
{
    if (next->set->waiting == next)
        next->set->waiting = NULL;
    vg_disarm(&next->waiter, cx);
}

static void wait_for_one(struct vg_set_next *next, struct vg_cx *cx)
{
    struct vg_set *const set = next->set;

    if (set->waiting == next)
        return;
    if (VG_UNLIKELY(set->waiting != NULL))
        vg_panic("two futures wait for what ends next in one set");
    let_go(next, cx);
    vg_arm(&next->waiter, &next->fut, cx);
    set->waiting = next;
}

static vg_poll next_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_set_next *const next = (struct vg_set_next *)(void *)fut;
    struct vg_set *const set = next->set;

    if (set->ended != NULL && !vg_cancelled(fut)) {
        let_go(next, cx);
        if (!vg_coop(&next->waiter, fut, cx))
            return VG_PENDING;
        next->item = vg_set_take_ended(set);
        next->ret = 0;
        return VG_READY;
    }
    if (is_hopeless(next, set)) {
        let_go(next, cx);
        return VG_READY;
    }
    wait_for_one(next, cx);
    return VG_PENDING;
}

static void next_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_set_next *const next = (struct vg_set_next *)(void *)fut;

    if (next->set->waiting == next)
        next->set->waiting = NULL;
    vg_kick(&next->waiter, cx);
}

static const struct vg_ops next_ops = {
    .poll = next_poll,
    .cancel = next_cancel,
    .name = "set_next",
    .size = sizeof(struct vg_set_next),
    .kind = VG_KIND_LEAF,
};

struct vg_set_next *vg_set_next(struct vg_set_next *next, struct vg_set *set)
{
    vg_future_init(&next->fut, &next_ops);
    next->ret = 0;
    next->item = NULL;
    next->set = set;
    next->waiter.task = NULL;
    next->waiter.flags = 0;
    return next;
}
