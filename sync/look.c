/* SPDX-License-Identifier: MIT */
#include "look.h"

#include <errno.h>

#include "notices.h"
#include "vg_spin.h"

/* Off the list: nobody will wake it from here on. */
static void stop_waiting(const struct vg_look *look)
{
    vg_spin_lock(look->guard);
    if (look->entry->state == VG_WAITER_QUEUED)
        (void)vg_waitlist_leave(look->list, look->entry);
    vg_spin_unlock(look->guard);
}

/* Charges the budget when it begins, not when it has been woken. */
static bool may_begin(const struct vg_look *look, struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_waiter *waiter = &look->entry->waiter;

    if (waiter->flags & VG_W_ARMED)
        return true;
    vg_disarm(waiter, cx); /* of an earlier poll that had no budget */
    return vg_coop(waiter, fut, cx);
}

/* Guard held. */
static bool look_or_wait(const struct vg_look *look, struct vg_future *fut, struct vg_cx *cx)
{
    if (look->entry->state == VG_WAITER_QUEUED)
        return false; /* polled without need */
    if (look->look(fut))
        return true;
    vg_disarm(&look->entry->waiter, cx); /* polled early, below an opaque future */
    look->entry->state = VG_WAITER_IDLE;
    vg_waitlist_add(look->list, look->entry, 1, fut, cx);
    return false;
}

vg_poll vg_look_poll(const struct vg_look *look, struct vg_future *fut, struct vg_cx *cx)
{
    bool ready = true;

    if (vg_cancelled(fut)) {
        stop_waiting(look);
        *look->ret = -ECANCELED;
    } else if (may_begin(look, fut, cx)) {
        vg_spin_lock(look->guard);
        ready = look_or_wait(look, fut, cx);
        vg_spin_unlock(look->guard);
    } else {
        return VG_PENDING;
    }
    if (ready)
        vg_disarm(&look->entry->waiter, cx);
    return (vg_poll){ready};
}

void vg_look_cancel(const struct vg_look *look, struct vg_cx *cx)
{
    stop_waiting(look);
    vg_kick(&look->entry->waiter, cx);
}

bool vg_look_waits(struct vg_spin *guard, const struct vg_wait_entry *entry, struct vg_wait *wait)
{
    bool listed;

    vg_spin_lock(guard);
    listed = entry->state == VG_WAITER_QUEUED;
    vg_spin_unlock(guard);
    wait->want = 1;
    wait->state = VG_WAIT_QUEUED;
    wait->healing = false;
    return listed;
}

void vg_look_wake_all(struct vg_spin *guard, struct vg_waitlist *list)
{
    uint32_t left = list->length;

    for (;;) {
        struct vg_notices notices;

        vg_notices_init(&notices);
        for (; left > 0 && list->first && notices.count < VG_NOTICES_MAX; left--)
            vg_notices_add(&notices, vg_waitlist_serve(list, list->first));
        if (!list->first)
            left = 0;
        vg_spin_unlock(guard);
        vg_notices_send(&notices);
        if (left == 0)
            return;
        vg_spin_lock(guard);
    }
}

bool vg_look_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    (void)resource, (void)owner;
    return false;
}

bool vg_look_ahead(struct vg_resource *resource, const struct vg_future *first,
                   const struct vg_future *second)
{
    (void)resource, (void)first, (void)second;
    return false;
}
