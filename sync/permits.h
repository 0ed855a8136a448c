/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_PERMITS_H
#define VIGIL_SYNC_PERMITS_H

#include <vigil/permits.h>

#include "owner.h"
#include "vg_atomic.h"
#include "vg_spin.h"
#include "waitlist.h"

/*
 * Units that are taken, granted and given back: what mutexes, semaphores, read-write locks and notifications do with
 * struct vg_permits, which has the flags of the word. Available, granted and taken units add up to the total,
 * except where units come from nowhere (vg_permits_add()) and go there (a claim that is not given back).
 */

enum { VG_PERMITS_QUEUE = 1 };

/* Values of vg_permits.healing. */
enum { VG_HEALS_AS_EXECUTOR, VG_HEALS, VG_HEALS_NOT };

/* Makes permits of so many units, `free` of which are there. The rest is the resource's. */
void vg_permits_init(struct vg_permits *permits, const struct vg_resource_ops *ops,
                     const char *name, const struct vg_place *place, uint32_t free, uint32_t total);

/* The name, for panics. */
const char *vg_permits_name(const struct vg_permits *permits);

/* What stands against destroying it. Goes through the guard: somebody may have given the last units back and not
 * released the guard yet. */
struct vg_permits_use {
    uint32_t taken; /* or granted */
    uint32_t
        waiters; /* also those that were let go and have not run since: they will come to the guard */
};
struct vg_permits_use vg_permits_use(struct vg_permits *permits);

void vg_permits_set_healing(struct vg_permits *permits, bool healing);

/* Takes the guard, and with it the word: until vg_permits_unlock() nobody else changes it. Returns
 * the free units. */
uint32_t vg_permits_lock(struct vg_permits *permits);

/* Sets the free units, and releases the guard: the last access, unless the caller owns units. */
void vg_permits_unlock(struct vg_permits *permits, uint32_t free);

/* Guard held. Grants of `free` units what fits. Returns what is free then; what exceeds the total is lost. */
uint32_t vg_permits_pump(struct vg_permits *permits, uint32_t free, struct vg_wakes *wakes);

/* Takes units without waiting. False if they are not there, or somebody waits for his. */
bool vg_permits_try(struct vg_permits *permits, uint32_t want);

/* Gives units back. False, and nothing has changed, if so many are not taken. */
bool vg_permits_give(struct vg_permits *permits, uint32_t units);

/* Makes units, at most up to the total. */
void vg_permits_add(struct vg_permits *permits, uint32_t units);

/* Lets all go that wait; with `close` all that come later, too. In the same step units become free that the
 * caller has taken. */
void vg_permits_dismiss(struct vg_permits *permits, bool close, uint32_t units);

/* Whether vg_permits_dismiss() has closed them. */
bool vg_permits_closed(struct vg_permits *permits);

/* For vg_resource_ops. */
bool vg_permits_ahead(struct vg_resource *resource, const struct vg_future *first,
                      const struct vg_future *second);
unsigned vg_permits_waiters(struct vg_resource *resource);
/* The one who took all units at once, if there is a record of it. */
bool vg_permits_state(struct vg_resource *resource, struct vg_resource_state *state);
bool vg_permits_owner(struct vg_resource *resource, struct vg_owner *owner);

/* Without the guard: one compare-and-swap if nobody waits. On failure *seen is the word. */
static inline bool vg_permits_take_fast(struct vg_permits *permits, uint32_t want, uint32_t *seen)
{
    *seen = vg_load(&permits->word, relaxed);
    while (!(*seen & VG_PERMITS_QUEUE) && *seen >> 1 >= want)
        /* Acquire: pairs with the releases in vg_permits_give_fast() and vg_permits_unlock(). */
        if (vg_cas(&permits->word, seen, *seen - (want << 1), acq_rel, relaxed))
            return true;
    return false;
}

/* The way back. False: *seen is the word; it has QUEUE, or so many are not taken. */
static inline bool vg_permits_give_fast(struct vg_permits *permits, uint32_t units, uint32_t *seen)
{
    const uint32_t total = permits->total;

    *seen = vg_load(&permits->word, relaxed);
    while (!(*seen & VG_PERMITS_QUEUE) && units <= total - (*seen >> 1))
        /* Release: pairs with the acquires of the next owner. On success the last access. */
        if (vg_cas(&permits->word, seen, *seen + (units << 1), acq_rel, relaxed))
            return true;
    return false;
}

#endif
