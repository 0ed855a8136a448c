/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_MUTEX_H
#define VIGIL_SYNC_MUTEX_H

#include <vigil/mutex.h>

#include "vg_atomic.h"
#include "waitlist.h"

/* Transitions of a mutex's word, shared by the mutex and its future. struct vg_mutex has the
 * flags. */

enum { VG_MUTEX_LOCKED = 1, VG_MUTEX_QUEUE = 2 };

/* Values of vg_mutex.healing. */
enum { VG_MUTEX_HEALS_AS_EXECUTOR, VG_MUTEX_HEALS, VG_MUTEX_HEALS_NOT };

/* A free mutex without a queue: one compare-and-swap. On failure *seen is the word. */
static inline bool vg_mutex_take_fast(struct vg_mutex *mutex, uint32_t *seen)
{
    *seen = 0;
    /* Acquire: pairs with the release in vg_unlock() and in vg_mutex_give_on(). */
    return vg_cas(&mutex->word, seen, VG_MUTEX_LOCKED, acq_rel, relaxed);
}

/* Guard held. Takes the mutex if it is free, whoever waits: a free mutex has no eligible waiter.
 * Fails only if it is locked, because the word cannot change in any other way while the guard is
 * held. */
static inline bool vg_mutex_take_guarded(struct vg_mutex *mutex)
{
    uint32_t word = vg_load(&mutex->word, relaxed);

    if (word & VG_MUTEX_LOCKED)
        return false;
    VG_DEBUG_ASSERT(!mutex->waiters.granted);
    /* Acquire: as in vg_mutex_take_fast(). */
    return vg_cas(&mutex->word, &word, word | VG_MUTEX_LOCKED, acq_rel, relaxed);
}

/* Guard held; QUEUE is set, or the caller owns the mutex, so nobody else changes the word. */
static inline void vg_mutex_set_word(struct vg_mutex *mutex, uint32_t locked)
{
    uint32_t queue = mutex->waiters.length > 0 ? VG_MUTEX_QUEUE : 0;

    /* Release: pairs with the acquires above. Also when the mutex was free before: this store hides
     * the release of whoever freed it, so it must hand that on. */
    vg_store(&mutex->word, locked | queue, release);
}

/* Guard held; locked, but nobody's any more: grants it to the oldest eligible waiter, or frees
 * it. */
static inline struct vg_notice vg_mutex_give_on(struct vg_mutex *mutex)
{
    struct vg_grant grant = vg_waitlist_grant(&mutex->waiters, 1);

    if (grant.amount == 0)
        vg_mutex_set_word(mutex, 0);
    return grant.notice;
}

#endif
