/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_WAITLIST_H
#define VIGIL_WAITLIST_H

#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the locks of this module are made of. Complete only so that locks can be embedded: programs
 * have no use for it, and its members are private.
 */

struct vg_site;

/* One place in a queue. Everything behind the waiter is guarded by the list's guard, but for `woken`. */
struct vg_wait_entry {
    struct vg_waiter waiter;
    struct vg_wait_entry *next, *prev;
    struct vg_wait_entry *woken; /* who is to be notified next: sync/waitlist.h, struct vg_wakes */
    uint32_t want;               /* units asked for: 1 for a lock */
    uint8_t state;               /* idle, queued, granted, taken, dismissed */
    uint8_t marks;               /* woken, passed, let go */
};

/* Entries in order of arrival. Zero is an empty list. */
struct vg_waitlist {
    struct vg_spin guard;
    uint32_t length;
    uint32_t granted; /* units set aside for granted entries */
    uint32_t let_go;  /* entries that were let go, and have not been polled since */
    struct vg_wait_entry *first, *last;
};

/*
 * Who holds a lock, as instruments see it. Written only by the owner, read by anybody at any time.
 * seq  Odd: the other members describe the owner. Even: there is none, or it is about to be
 *      written, or it is a thread outside. Counts up by one when the lock is taken and by one when
 *      it is given up, so a reader that finds the same odd value before and after has read one
 *      owner, not parts of two.
 */
struct vg_owner_cell {
    VG_ATOMIC(uint32_t) seq;
    VG_ATOMIC(uint64_t) task;
    VG_ATOMIC(const struct vg_future *) frame;
    VG_ATOMIC(const struct vg_site *) site;
};

#ifdef __cplusplus
}
#endif
#endif
