/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_INJECT_H
#define VIGIL_CORE_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "line.h"
#include "link.h"
#include "vg_atomic.h"

/*
 * An inbox: any thread pushes, whoever serves it takes everything at once. Used for tasks that come
 * from outside the workers and for messages from one worker to another.
 *
 * word  The newest element's address, its link leading to older ones, and one flag.
 *       CLOSED  Set once, by vg_inject_close(). Pushes are refused from then on; what was pushed
 *               before is still there to be taken. Never cleared: taking keeps it.
 *
 * The taker gets the chain in the order of pushing. What it does not want now belongs on a list
 * of its own: pushing it back would reverse it again and again, at a cost quadratic in its length.
 *
 * Elements are taken all together, never one, so a push cannot mistake a re-pushed element for the one it
 * read (no ABA): it links whatever word it replaces, and never reads through it.
 *
 * Memory    An element's link belongs to the inbox from the push to the take, its memory to the pusher.
 * Threads   Any, for everything.
 * Cost      Push: one compare-and-swap. Take: one atomic operation for all, and a walk.
 */
struct vg_inject {
    _Alignas(VG_LINE) VG_ATOMIC(uintptr_t) word;
};

enum { VG_INJECT_CLOSED_ = 1 };

/* Before any other thread knows the inbox. */
static inline void vg_inject_init(struct vg_inject *inject)
{
    vg_store(&inject->word, 0, relaxed);
}

/* False: closed, the element is still the caller's. A failed round is another thread's success. */
static inline VG_MUST_USE bool vg_inject_push(struct vg_inject *inject, struct vg_link *link)
{
    uintptr_t word = vg_load(&inject->word, relaxed);

    do {
        if (word & VG_INJECT_CLOSED_)
            return false;
        vg_link_set(link, (struct vg_link *)word);
        /* The release hands the element over: pairs with the acquire in take. */
    } while (!vg_cas(&inject->word, &word, (uintptr_t)link, acq_rel, relaxed));
    return true;
}

/*
 * Whether there is nothing to take. A worker that has announced its sleep, with the full fence of
 * that, may rely on it: a push that this does not see will see the sleeper.
 */
static inline bool vg_inject_empty(struct vg_inject *inject)
{
    return (vg_load(&inject->word, relaxed) & ~(uintptr_t)VG_INJECT_CLOSED_) == 0;
}

/* The chain of all elements, the oldest first; NULL if there are none. */
static inline struct vg_link *vg_inject_take(struct vg_inject *inject)
{
    uintptr_t word;

    if (vg_inject_empty(inject))
        return NULL;
    /* The acquire pairs with the release of every push in the chain: each continues the sequence that the one
     * before it began. The release part pairs with nothing. */
    word = vg_fetch_and(&inject->word, (uintptr_t)VG_INJECT_CLOSED_, acq_rel);
    return vg_link_reverse((struct vg_link *)(word & ~(uintptr_t)VG_INJECT_CLOSED_));
}

/* Refuses all later pushes. Idempotent. Every push that succeeded before can still be taken. */
static inline void vg_inject_close(struct vg_inject *inject)
{
    /* A flag, and no hand-over: pairs with nothing, but must keep what the pushes before it released. */
    vg_fetch_or(&inject->word, (uintptr_t)VG_INJECT_CLOSED_, acq_rel);
}

#endif
