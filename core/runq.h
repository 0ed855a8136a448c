/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_RUNQ_H
#define VIGIL_CORE_RUNQ_H

#include <stdbool.h>
#include <stdint.h>

#include "line.h"
#include "vg_atomic.h"

/*
 * A worker's run queue, first in first out: its owner pushes and pops, any other worker steals half
 * of it at once. A ring of fixed size; when it is full the owner puts the task on its overflow list.
 *
 * Elements are the slots head, ..., tail - 1, each index modulo the size.
 * tail  Written by the owner only. The release store that moves it hands over slots and tasks.
 * head  Moved by the owner and by thieves, by compare-and-swap: whoever moves it by n owns the n
 *       elements that were there. A thief copies the slots into its own ring first and moves head
 *       after, so there is no moment at which a stopped thief holds up anybody: it just loses.
 *
 * Wrap: indices are 32-bit and wrap; only their differences and remainders are used, and the size
 * divides 2^32. A compare-and-swap on a head that has come round (ABA) needs 2^32 pops between its
 * load and itself, some ten seconds of a worker doing nothing else while the thief is stopped in a window of
 * a few instructions. It would then take elements by stale copies of slots; hence never fewer bits than these.
 *
 * Size: a thousand tasks, which is what a busy server has awake at a time, go round without a lock; the
 * overflow list costs one for each push and each pop.
 *
 * Threads   _owner: the owning worker. _any: every thread. Steal: the caller owns the ring `to`.
 * Cost      Push: two loads, two stores. Pop: one compare-and-swap. Steal: one for the whole half.
 */

#ifndef VG_RUNQ_SIZE
#define VG_RUNQ_SIZE 1024
#endif

_Static_assert(VG_RUNQ_SIZE > 0 && (VG_RUNQ_SIZE & (VG_RUNQ_SIZE - 1)) == 0,
               "the size is a power of two");

struct vg_task;

struct vg_runq {
    _Alignas(VG_LINE) VG_ATOMIC(uint32_t) head;
    _Alignas(VG_LINE) VG_ATOMIC(uint32_t) tail;
    VG_ATOMIC(struct vg_task *) slots[VG_RUNQ_SIZE];
};

/* Attempts of one steal; each failed one means that another thread moved the victim's head. */
enum { VG_RUNQ_STEAL_TRIES_ = 4 };

/* Before any other thread knows the ring. */
static inline void vg_runq_init(struct vg_runq *runq)
{
    vg_store(&runq->head, 0, relaxed);
    vg_store(&runq->tail, 0, relaxed);
}

/* An estimate from any thread; exact for the owner as long as nobody steals. */
static inline uint32_t vg_runq_length_any(struct vg_runq *runq)
{
    uint32_t head = vg_load(&runq->head, relaxed);
    uint32_t length = vg_load(&runq->tail, relaxed) - head;

    /* Read apart, the two may not fit: a head newer than the tail makes a huge difference. */
    return length <= VG_RUNQ_SIZE ? length : 0;
}

/*
 * Whether there is nothing to steal. A worker that has announced its sleep, with the full fence of
 * that, may rely on it: a push that this does not see will see the sleeper.
 */
static inline bool vg_runq_empty_any(struct vg_runq *runq)
{
    return vg_load(&runq->head, relaxed) == vg_load(&runq->tail, relaxed);
}

/* Free slots; never too many, as head only moves on. */
static inline uint32_t vg_runq_room_(struct vg_runq *runq, uint32_t tail)
{
    /* Pairs with the compare-and-swaps on head: who took the old elements has read their slots. */
    return VG_RUNQ_SIZE - (tail - vg_load(&runq->head, acquire));
}

static inline bool vg_runq_has_room_owner(struct vg_runq *runq)
{
    return vg_runq_room_(runq, vg_load(&runq->tail, relaxed)) > 0;
}

/* False: full, nothing was pushed. */
static inline bool vg_runq_push_owner(struct vg_runq *runq, struct vg_task *task)
{
    uint32_t tail = vg_load(&runq->tail, relaxed);

    if (vg_runq_room_(runq, tail) == 0)
        return false;
    vg_store(&runq->slots[tail % VG_RUNQ_SIZE], task, relaxed);
    /* Pairs with the load of tail in steal: hands over the slot and the task. */
    vg_store(&runq->tail, tail + 1, release);
    return true;
}

/* The oldest element, or NULL. Every round but the last is one in which a thief got something, and
 * there are at most VG_RUNQ_SIZE elements to get. */
static inline struct vg_task *vg_runq_pop_owner(struct vg_runq *runq)
{
    uint32_t head = vg_load(&runq->head, relaxed);
    uint32_t tail = vg_load(&runq->tail, relaxed);

    while (head != tail) {
        struct vg_task *task = vg_load(&runq->slots[head % VG_RUNQ_SIZE], relaxed);
        /* Pairs with the compare-and-swap of thieves: each element has one taker. */
        if (vg_cas(&runq->head, &head, head + 1, acq_rel, relaxed))
            return task;
    }
    return NULL;
}

/* The same where there are no other threads that could steal. */
static inline struct vg_task *vg_runq_pop_alone(struct vg_runq *runq)
{
    const uint32_t head = vg_load(&runq->head, relaxed);

    if (head == vg_load(&runq->tail, relaxed))
        return NULL;
    vg_store(&runq->head, head + 1, relaxed);
    return vg_load(&runq->slots[head % VG_RUNQ_SIZE], relaxed);
}

/* A guess at what the next pop returns; NULL: nothing. Not to be followed. */
static inline struct vg_task *vg_runq_peek_owner(struct vg_runq *runq)
{
    const uint32_t head = vg_load(&runq->head, relaxed);

    if (head == vg_load(&runq->tail, relaxed))
        return NULL;
    return vg_load(&runq->slots[head % VG_RUNQ_SIZE], relaxed);
}

/* The oldest element, as of a moment ago; NULL: there was none. It may have been taken since, so its memory must be such that it
 * may be read all the same. */
static inline struct vg_task *vg_runq_first_any(struct vg_runq *runq)
{
    const uint32_t head = vg_load(&runq->head, relaxed);

    /* Pairs with the release stores of tail: what the element points to has been made. */
    if (head == vg_load(&runq->tail, acquire))
        return NULL;
    return vg_load(&runq->slots[head % VG_RUNQ_SIZE], relaxed);
}

/* How many of the victim's elements to take: half, rounded up, and no more than there is room for,
 * the first of them needing none. */
static inline uint32_t vg_runq_share_(uint32_t length, uint32_t room)
{
    uint32_t half = length - length / 2;

    return half <= room + 1 ? half : room + 1;
}

/* Copies the n - 1 elements behind the first to the end of `to`, beyond its tail, where nobody looks yet. */
static inline void vg_runq_copy_(struct vg_runq *from, uint32_t head, uint32_t n,
                                 struct vg_runq *to, uint32_t tail)
{
    for (uint32_t i = 1; i < n; i++) {
        struct vg_task *task = vg_load(&from->slots[(head + i) % VG_RUNQ_SIZE], relaxed);
        vg_store(&to->slots[(tail + i - 1) % VG_RUNQ_SIZE], task, relaxed);
    }
}

/*
 * Moves half of the elements of `from`. The oldest is returned, to be run at once; the others go to
 * the end of `to`. NULL: there was nothing, or others were faster VG_RUNQ_STEAL_TRIES_ times; so NULL
 * does not prove that the ring is empty, see vg_runq_empty_any().
 */
static inline struct vg_task *vg_runq_steal_half_any(struct vg_runq *from, struct vg_runq *to)
{
    uint32_t tail = vg_load(&to->tail, relaxed);
    uint32_t room = vg_runq_room_(to, tail);

    for (int i = 0; i < VG_RUNQ_STEAL_TRIES_; i++) {
        /* Pairs with the compare-and-swap that moved head here: the tail read next is as new. */
        uint32_t head = vg_load(&from->head, acquire);
        /* Pairs with the release stores of tail in push and below. */
        uint32_t length = vg_load(&from->tail, acquire) - head;
        uint32_t n = vg_runq_share_(length, room);
        struct vg_task *first;

        if (length == 0)
            return NULL;
        if (length > VG_RUNQ_SIZE)
            continue; /* head has moved: the compare-and-swap would fail */
        first = vg_load(&from->slots[head % VG_RUNQ_SIZE], relaxed);
        vg_runq_copy_(from, head, n, to, tail);
        /* Pairs with the other compare-and-swaps on head; as a release, with the load of head in push:
         * the victim does not reuse a slot before it was copied. */
        if (!vg_cas(&from->head, &head, head + n, acq_rel, relaxed))
            continue;
        /* Pairs with the load of tail above, by those who steal from us in turn. */
        if (n > 1)
            vg_store(&to->tail, tail + n - 1, release);
        return first;
    }
    return NULL;
}

#endif
