/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_HOLDERS_H
#define VIGIL_SYNC_HOLDERS_H

#include <vigil/semaphore.h>

#include "vg_atomic.h"

/*
 * Which tasks have the permits of a small semaphore: a slot for each permit. See struct vg_holders. A holder writes its task
 * down after it has taken the permit, and strikes it out before it gives it back; so there are never more entries than
 * permits that are out, and an observer that counts as many as are out has read all of them.
 *
 * Nothing is ordered by it: who reads them reads everything again later (instrument/waitfor.h).
 */

static inline bool vg_holders_known(const struct vg_semaphore *semaphore)
{
    return semaphore->permits.total > 1 && semaphore->permits.total <= VG_HOLDERS_MAX;
}

/* Puts `to` in place of one `from`. False: there is none. */
static inline bool vg_holders_replace_(struct vg_holders *holders, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < VG_HOLDERS_MAX; i++) {
        uint64_t seen = from;

        if (vg_load(&holders->task[i], relaxed) == from &&
            vg_cas(&holders->task[i], &seen, to, acq_rel, relaxed))
            return true;
    }
    return false;
}

/* The task has taken, or is about to give back, so many. Somebody without a task, or who gives back what others took,
 * makes them unknown for good. */
static inline void vg_holders_change_(struct vg_semaphore *semaphore, uint64_t from, uint64_t to,
                                      uint32_t count)
{
    for (; count > 0; count--)
        if (from == to || !vg_holders_replace_(&semaphore->holders, from, to))
            vg_store(&semaphore->holders.unknown, 1u, relaxed);
}

static inline void vg_holders_add(struct vg_semaphore *semaphore, uint64_t task, uint32_t count)
{
    if (VG_UNLIKELY(vg_holders_known(semaphore)))
        vg_holders_change_(semaphore, 0, task, count);
}

static inline void vg_holders_remove(struct vg_semaphore *semaphore, uint64_t task, uint32_t count)
{
    vg_holders_change_(semaphore, task, 0, count);
}

#endif
