/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_WORD_H
#define VIGIL_CORE_WORD_H

#include <vigil/future.h>

#include "vg_atomic.h"

/*
 * The task word: who owns the task, and the stack of waiters that were woken since its last poll. A wake
 * pushes its waiter, and the push is the notification: there is nothing else to set or to test.
 *
 * The word is a pointer to the newest woken waiter (16-byte aligned) with flags in its low bits.
 *
 * S   The task belongs to somebody: a run queue, the worker that polls it, or an observer that reads it.
 *     Set by the push that finds 0, and whoever made that push, and nobody else, must queue the task; set
 *     by spawn, and by an observer's claim. Cleared only by the end of a poll or of a claim. While it is
 *     set the task neither runs elsewhere nor dies.
 * N   Something was pushed while S was set. Set by every such push, also if N is set already: each wake
 *     must publish what its waker wrote. Cleared only by the owner's detach, which stores S alone.
 * CO  The task has finished, or the slot is free: alone in the word. Pushes and claims are refused.
 *
 *     0       idle
 *     S       owned, nothing woken: spawned, detached, or claimed
 *     w|S     woken once since it was idle. Its owner may already have taken w: then the word equals the
 *             owner's `base`
 *     w|S|N   pushed upon since there was no N
 *
 * A waiter's `next` keeps the whole word that its push replaced. The first link without N therefore ends
 * the segment that is new to the owner, whatever it points to. That last word is compared with `base`,
 * never followed when equal: its waiter was taken before and may be gone. For the same reason a waiter that
 * is armed and pushed again within one poll cannot be mistaken for its former self: its second push sets N.
 *
 * A wake and the poll that answers it cost two read-modify-writes in all: the push, and the end.
 */

enum { VG_WORD_S = 1, VG_WORD_N = 2, VG_WORD_CO = 4, VG_WORD_FLAGS = 15 };

enum vg_push {
    VG_PUSH_REFUSED, /* the task has finished */
    VG_PUSH_NOTED,   /* its owner will find the waiter */
    VG_PUSH_ENQUEUE, /* the caller now owns the task, and must queue it */
};

static inline struct vg_wnode *vg_word_node(uintptr_t word)
{
    return (struct vg_wnode *)(word & ~(uintptr_t)VG_WORD_FLAGS);
}

/* Any thread. */
static inline enum vg_push vg_word_push(VG_ATOMIC(uintptr_t) *word, struct vg_wnode *node)
{
    uintptr_t old = vg_load(word, relaxed), new;

    do {
        if (old & VG_WORD_CO)
            return VG_PUSH_REFUSED;
        VG_WR(&node->next);
        node->next = old;
        new = (uintptr_t)node | VG_WORD_S | (old & VG_WORD_S ? (uintptr_t)VG_WORD_N : 0);
        /* Release: publishes the waiter and what the waker wrote to the take's acquire. Acquire: a push that
         * finds 0 hands the task on, so it must see what the last owner released at its end. */
    } while (!vg_cas(word, &old, new, acq_rel, relaxed));
    return old & VG_WORD_S ? VG_PUSH_NOTED : VG_PUSH_ENQUEUE;
}

/* Owner only, before a take: the word. If it is equal to `base` nothing was pushed since the last take. */
static inline uintptr_t vg_word_look(VG_ATOMIC(uintptr_t) *word)
{
    /* Pairs with the release of the pushes, and with the end of an observer's claim: do not relax it. */
    return vg_load(word, acquire);
}

/* Owner only: what was pushed since the last take, oldest first, linked by next; NULL if nothing. `seen` is what
 * vg_word_look() has just said. */
static inline struct vg_wnode *vg_word_take_seen(VG_ATOMIC(uintptr_t) *word, uintptr_t *base,
                                                 uintptr_t seen)
{
    struct vg_wnode *list = NULL, *node;

    if (!(seen & VG_WORD_N)) {
        if (seen == *base)
            return NULL;
        *base = seen;
        return vg_word_node(seen); /* it replaced 0, so its next is NULL */
    }
    /* Acquire: every push of the segment. Release: nothing here, but the word is a chain of hand-overs. */
    seen = vg_xchg(word, (uintptr_t)VG_WORD_S, acq_rel);
    for (; seen & VG_WORD_N; list = node) {
        node = vg_word_node(seen);
        VG_RD(&node->next);
        seen = node->next;
        node->next = (uintptr_t)list;
    }
    if (seen != *base && (node = vg_word_node(seen)) != NULL) {
        node->next = (uintptr_t)list;
        list = node;
    }
    *base = VG_WORD_S;
    return list;
}

static inline struct vg_wnode *vg_word_take(VG_ATOMIC(uintptr_t) *word, uintptr_t *base)
{
    return vg_word_take_seen(word, base, vg_word_look(word));
}

/* Owner only: gives the task back. True: it is idle, and may at once run elsewhere or be freed, so nothing
 * of it may be touched. False: it was woken since the last take; the caller still owns it. */
static inline bool vg_word_end(VG_ATOMIC(uintptr_t) *word, uintptr_t *base)
{
    uintptr_t expected = *base;
    const uintptr_t kept = expected;

    VG_WR(base);
    *base = 0;
    /* Release: this poll's writes, for the push that finds 0 and so for the next owner. */
    if (vg_cas(word, &expected, (uintptr_t)0, acq_rel, relaxed))
        return true;
    *base = kept;
    return false;
}

/* Owner only: nothing will ever be pushed again. What is pushed at this moment, which can only be a cancel, comes too late and is
 * forgotten. Relaxed: who finds CO reads nothing; the slot is handed on by `refs`. */
static inline void vg_word_finish(VG_ATOMIC(uintptr_t) *word)
{
    vg_store(word, (uintptr_t)VG_WORD_CO, relaxed);
}

/* An observer takes an idle task, to read its frames; false if somebody owns it, or it has finished. */
static inline bool vg_word_claim(VG_ATOMIC(uintptr_t) *word)
{
    uintptr_t idle = 0;

    /* Acquire: pairs with the release in vg_word_end(), so the frames are complete. */
    return vg_load(word, relaxed) == 0 &&
           vg_cas(word, &idle, (uintptr_t)VG_WORD_S, acq_rel, relaxed);
}

/* Ends a claim. False: the task was woken meanwhile; the caller must queue it. */
static inline bool vg_word_unclaim(VG_ATOMIC(uintptr_t) *word)
{
    uintptr_t owned = VG_WORD_S;

    /* Release: the observer's reads come before the writes of the next poll, whose take acquires. */
    return vg_cas(word, &owned, (uintptr_t)0, acq_rel, relaxed);
}

#endif
