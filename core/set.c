/* SPDX-License-Identifier: MIT */
#include <vigil/set.h>

#include <errno.h>

#include "set.h"
#include "task.h"

/*
 * Between the set and each child is an item, a node of its own: the end of the child polls the item, which so knows
 * whose end it was. The set is polled after it, only to see whether that was the last.
 */

static void link_running(struct vg_set *set, struct vg_set_item *item)
{
    item->next = set->running;
    item->link = &set->running;
    if (item->next != NULL)
        item->next->link = &item->next;
    set->running = item;
    set->at = NULL;
}

static void unlink_running(struct vg_set *set, struct vg_set_item *item)
{
    *item->link = item->next;
    if (item->next != NULL)
        item->next->link = item->link;
    set->at = NULL;
}

/* To those that have ended. Whoever waits for one is visited in this very poll. */
static void put_ended(struct vg_set *set, struct vg_set_item *item)
{
    item->next = NULL;
    *set->ended_end = item;
    set->ended_end = &item->next;
    if (set->waiting != NULL)
        vg_notify(vg_wake(&set->waiting->waiter));
    set->waiting = NULL;
}

struct vg_set_item *vg_set_take_ended(struct vg_set *set)
{
    struct vg_set_item *const item = set->ended;

    set->ended = item->next;
    if (set->ended == NULL)
        set->ended_end = &set->ended;
    return item;
}

/* ---- items ---------------------------------------------------------------------------------- */

static vg_poll item_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_set_item *const item = (struct vg_set_item *)(void *)fut;
    const bool starts = item->link == NULL;

    if (starts && vg_cancelled(fut))
        vg_cancel(item->child, cx);
    if (!vg_poll_future(item->child, cx).ready) {
        if (starts)
            link_running(item->set, item);
        return VG_PENDING;
    }
    if (!starts)
        unlink_running(item->set, item);
    item->child->flags |= VG_F_TAKEN;
    put_ended(item->set, item);
    return VG_READY;
}

static void item_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(((struct vg_set_item *)(void *)fut)->child, cx);
}

static struct vg_future *item_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? ((const struct vg_set_item *)(const void *)fut)->child : NULL;
}

static const struct vg_ops item_ops = {
    .poll = item_poll,
    .cancel = item_cancel,
    .child = item_child,
    .name = "set_item",
    .size = sizeof(struct vg_set_item),
    .kind = VG_KIND_NODE,
};

/* ---- the set -------------------------------------------------------------------------------- */

static void poll_all(struct vg_set *set, struct vg_cx *cx)
{
    struct vg_set_item *item, *next;

    for (item = set->running; item != NULL; item = next) {
        next = item->next;
        (void)vg_poll_future(&item->fut, cx);
    }
}

static vg_poll set_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_set *const set = (struct vg_set *)(void *)fut;

    if (VG_UNLIKELY(cx->rootdown))
        poll_all(set, cx);
    if (set->running != NULL)
        return VG_PENDING;
    set->ret = vg_cancelled(fut) ? -ECANCELED : 0;
    return VG_READY;
}

static void set_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_set_item *item;

    for (item = ((struct vg_set *)(void *)fut)->running; item != NULL; item = item->next)
        vg_cancel(&item->fut, cx);
}

/* Whoever asks for the next one has it in one step. Only the owner of the task asks. */
static struct vg_future *set_child(const struct vg_future *fut, unsigned i)
{
    struct vg_set *const set = (struct vg_set *)(uintptr_t)fut;

    if (set->at == NULL || i < set->at_index) {
        set->at = set->running;
        set->at_index = 0;
    }
    for (; set->at != NULL && set->at_index < i; set->at_index++)
        set->at = set->at->next;
    return set->at != NULL ? &set->at->fut : NULL;
}

static const struct vg_ops set_ops = {
    .poll = set_poll,
    .cancel = set_cancel,
    .child = set_child,
    .name = "set",
    .size = sizeof(struct vg_set),
    .kind = VG_KIND_NODE,
};

void vg_set_init(struct vg_set *set)
{
    vg_future_init(&set->fut, &set_ops);
    set->ret = 0;
    set->task = NULL;
    set->running = set->ended = set->at = NULL;
    set->ended_end = &set->ended;
    set->waiting = NULL;
}

static bool is_live(const struct vg_set *set)
{
    return set->fut.state != VG_INIT && set->fut.state != VG_DONE;
}

/* Nobody keeps it: from now on the pushing frame does. */
static void prepare(struct vg_set *set, struct vg_cx *cx)
{
    const bool cancelled = set->fut.state == VG_INIT && vg_cancelled(&set->fut);

    vg_future_init(&set->fut, &set_ops);
    if (cancelled)
        set->fut.flags |= VG_F_CANCEL;
    set->task = cx->task;
}

static void start_item(struct vg_set *set, struct vg_set_item *item, struct vg_cx *cx)
{
    struct vg_future *const self = cx->self;

    if (vg_cancelled(&set->fut) || vg_cancelled(self))
        vg_cancel(&item->fut, cx);
    cx->self = &set->fut;
    (void)vg_poll_future(&item->fut, cx);
    cx->self = self;
}

void vg_set_push(struct vg_set *set, struct vg_set_item *item, struct vg_future *child,
                 struct vg_cx *cx)
{
    if (!is_live(set))
        prepare(set, cx);
    else if (VG_UNLIKELY(set->task != cx->task))
        vg_panic("%s is pushed to a set of another task", child->ops->name);
    vg_future_init(&item->fut, &item_ops);
    item->child = child;
    item->set = set;
    item->link = NULL;
    start_item(set, item, cx);
    if (is_live(set) || set->running == NULL)
        return;
    if (!vg_poll_future(&set->fut, cx).ready)
        vg_leave(&set->fut, VG_KEPT, cx);
}
