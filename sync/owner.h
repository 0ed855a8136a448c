/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_OWNER_H
#define VIGIL_SYNC_OWNER_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

#include "vg_atomic.h"

/*
 * The record of who holds a lock: see struct vg_owner_cell. Its writers follow one another as the
 * lock's owners do, so a writer may read what it is about to change without any order.
 */

/* By the new owner, after it has taken the lock. An owner without a task leaves no record. */
static inline void vg_owner_set(struct vg_owner_cell *cell, const struct vg_owner *owner)
{
    if (owner->task == 0)
        return;
    /* Each release pairs with the acquire of the same member in vg_owner_get(): who reads a new
     * value reads a new seq after it. */
    vg_store(&cell->task, owner->task, release);
    vg_store(&cell->frame, owner->frame, release);
    vg_store(&cell->site, owner->site, release);
    /* Pairs with the first load of seq in vg_owner_get(): the record is complete. */
    vg_store(&cell->seq, vg_load(&cell->seq, relaxed) + 1, release);
}

/* By the owner, or for it, before the lock is given up. */
static inline void vg_owner_clear(struct vg_owner_cell *cell)
{
    uint32_t seq = vg_load(&cell->seq, relaxed);

    /* Relaxed: giving the lock up orders it before the next owner's record. */
    if (seq & 1)
        vg_store(&cell->seq, seq + 1, relaxed);
}

/* From any thread. False if there is no record, or it changed while it was read. */
static inline bool vg_owner_get(struct vg_owner_cell *cell, struct vg_owner *owner)
{
    /* The acquires pair with the releases in vg_owner_set(). */
    uint32_t seq = vg_load(&cell->seq, acquire);

    owner->task = vg_load(&cell->task, acquire);
    owner->frame = vg_load(&cell->frame, acquire);
    owner->site = vg_load(&cell->site, acquire);
    return (seq & 1) && vg_load(&cell->seq, relaxed) == seq;
}

#endif
