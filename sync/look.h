/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_LOOK_H
#define VIGIL_SYNC_LOOK_H

#include <vigil/waitlist.h>

#include "waitlist.h"

/*
 * Leaves that wait until they find something: nobody hands them anything, and one that is not polled keeps nothing
 * from the others. They wait in a list, QUEUED and never WOKEN: whoever has something new takes them off it and wakes
 * them, and they look again. The guard need not be the list's own.
 */

struct vg_look {
    struct vg_spin *guard;
    struct vg_waitlist *list;
    struct vg_wait_entry *entry;
    int *ret;
    /* Guard held. True: it has found something, and the result is in place. */
    bool (*look)(struct vg_future *fut);
};

vg_poll vg_look_poll(const struct vg_look *look, struct vg_future *fut, struct vg_cx *cx);
void vg_look_cancel(const struct vg_look *look, struct vg_cx *cx);

/* For vg_ops.waits: fills in all but the resource. False: it does not wait. */
bool vg_look_waits(struct vg_spin *guard, const struct vg_wait_entry *entry, struct vg_wait *wait);

/* For vg_resource_ops: who will have something new is not known, and nobody is before anybody. */
bool vg_look_owner(struct vg_resource *resource, struct vg_owner *owner);
bool vg_look_ahead(struct vg_resource *resource, const struct vg_future *first,
                   const struct vg_future *second);

/* Guard held, and released: wakes all that are in the list now, at most VG_NOTICES_MAX in one section. If there are not
 * more, the release is the last access to the list. */
void vg_look_wake_all(struct vg_spin *guard, struct vg_waitlist *list);

#endif
