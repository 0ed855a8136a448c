/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_DEQUE_H
#define VIGIL_CORE_DEQUE_H

#include <stdbool.h>
#include <stdint.h>

#include "line.h"
#include "vg_atomic.h"

/*
 * The Chase-Lev deque: its owner pushes and takes at the bottom, last in first out; any thread steals
 * the oldest element at the top. Of fixed capacity: when it is full the owner puts the task elsewhere,
 * so no array is ever replaced under a thief.
 *
 * Elements are the slots top, top + 1, ..., bottom - 1, each index modulo the capacity.
 * bottom  Written by the owner only. Every store releases: a thief that reads any value of bottom
 *         has seen the slots, and the tasks in them, below that value. It is not enough that the push
 *         releases; under C++20 a later plain store by the owner does not carry the push's release
 *         on, and a thief that reads the value stored by a take would see stale slots.
 * top     Only grows, by one, by compare-and-swap. Whoever moves it owns the element that was there.
 *
 * The owner takes without a compare-and-swap unless one element is left. That rests on the two
 * fences: the owner lowers bottom, then looks at top; a thief looks at top, then at bottom. With full
 * fences between, one of them sees the other, so that they do not both get an element unless both
 * go for the last one, where the compare-and-swap decides.
 *
 * Wrap: indices are 64-bit and only differences and remainders of them are used. At a push every
 * nanosecond they last for 292 years, so a thief's compare-and-swap cannot succeed on a top that has
 * come round (no ABA). They are signed because a take from a new, empty deque stores -1 for a moment.
 * A slot is overwritten only after top has passed its index, and a thief that read it too late
 * then fails its compare-and-swap: slots are atomic, so what it read is dropped, not torn.
 *
 * Threads   _owner: the owning worker. _any: every thread, owner included.
 * Cost      Push: two loads, two stores. Take: one fence. Steal: one fence, one compare-and-swap.
 */

#ifndef VG_DEQUE_CAPACITY
#define VG_DEQUE_CAPACITY 256
#endif

_Static_assert(VG_DEQUE_CAPACITY > 0 && (VG_DEQUE_CAPACITY & (VG_DEQUE_CAPACITY - 1)) == 0,
               "the capacity is a power of two");

struct vg_task;

struct vg_deque {
    _Alignas(VG_LINE) VG_ATOMIC(int64_t) top;
    _Alignas(VG_LINE) VG_ATOMIC(int64_t) bottom;
    _Alignas(VG_LINE) VG_ATOMIC(struct vg_task *) slots[VG_DEQUE_CAPACITY];
};

enum vg_steal {
    VG_STEAL_EMPTY,
    VG_STEAL_LOST, /* another thread got that element; there may be more */
    VG_STEAL_GOT,
};

static inline VG_ATOMIC(struct vg_task *) *vg_deque_slot_(struct vg_deque *deque, int64_t index)
{
    return &deque->slots[(uint64_t)index % VG_DEQUE_CAPACITY];
}

/* Before any other thread knows the deque. */
static inline void vg_deque_init(struct vg_deque *deque)
{
    vg_store(&deque->top, 0, relaxed);
    vg_store(&deque->bottom, 0, relaxed);
}

/* False: full, nothing was pushed. */
static inline bool vg_deque_push_owner(struct vg_deque *deque, struct vg_task *task)
{
    int64_t bottom = vg_load(&deque->bottom, relaxed);
    /* Pairs with the compare-and-swap of steal: the thief has read the slot that is reused here. */
    int64_t top = vg_load(&deque->top, acquire);

    if (bottom - top >= VG_DEQUE_CAPACITY)
        return false;
    vg_store(vg_deque_slot_(deque, bottom), task, relaxed);
    /* Pairs with the load of bottom in steal: hands over the slot and the task. */
    vg_store(&deque->bottom, bottom + 1, release);
    return true;
}

/* The last element, which a thief may be about to steal: whoever moves top has it. */
static inline bool vg_deque_win_last_(struct vg_deque *deque, int64_t top)
{
    /* Pairs with the compare-and-swap of steal. One order over all of them decides; never weaken it below
     * release, which some processors need although no model of the language shows why. */
    return vg_cas(&deque->top, &top, top + 1, seq_cst, relaxed);
}

/* The newest element, or NULL. */
static inline struct vg_task *vg_deque_take_owner(struct vg_deque *deque)
{
    int64_t bottom = vg_load(&deque->bottom, relaxed) - 1;
    struct vg_task *task = NULL;
    int64_t top;

    /* Empty for certain: the top that others have moved on can only be higher. */
    if (vg_load(&deque->top, relaxed) > bottom)
        return NULL;
    /* Pairs with the load of bottom in steal: what is below the new bottom was pushed before. */
    vg_store(&deque->bottom, bottom, release);
    vg_fence(); /* pairs with the fence in steal */
    top = vg_load(&deque->top, relaxed);
    if (top < bottom)
        return vg_load(vg_deque_slot_(deque, bottom), relaxed);
    if (top == bottom) {
        task = vg_load(vg_deque_slot_(deque, bottom), relaxed);
        if (!vg_deque_win_last_(deque, top))
            task = NULL;
    }
    /* Empty now, or it was. Pairs with the load of bottom in steal, as above. */
    vg_store(&deque->bottom, bottom + 1, release);
    return task;
}

/* The same where there are no other threads that could steal. */
static inline struct vg_task *vg_deque_take_alone(struct vg_deque *deque)
{
    const int64_t bottom = vg_load(&deque->bottom, relaxed) - 1;

    if (vg_load(&deque->top, relaxed) > bottom)
        return NULL;
    vg_store(&deque->bottom, bottom, relaxed);
    return vg_load(vg_deque_slot_(deque, bottom), relaxed);
}

/* On VG_STEAL_GOT the oldest element is in *task. */
static inline enum vg_steal vg_deque_steal_any(struct vg_deque *deque, struct vg_task **task)
{
    /* Pairs with the compare-and-swap of the thread that moved top here. */
    int64_t top = vg_load(&deque->top, acquire);
    int64_t bottom;

    vg_fence(); /* pairs with the fence in take */
    /* Pairs with every store of bottom. */
    bottom = vg_load(&deque->bottom, acquire);
    if (top >= bottom)
        return VG_STEAL_EMPTY;
    *task = vg_load(vg_deque_slot_(deque, top), relaxed);
    /* Pairs with that of take and of other thieves, and, as a release, with the load of top in push. */
    if (!vg_cas(&deque->top, &top, top + 1, seq_cst, relaxed))
        return VG_STEAL_LOST;
    return VG_STEAL_GOT;
}

/* An estimate from any thread. */
static inline uint32_t vg_deque_length_any(struct vg_deque *deque)
{
    const int64_t length = vg_load(&deque->bottom, relaxed) - vg_load(&deque->top, relaxed);

    return length > 0 ? (uint32_t)length : 0;
}

/* Says which element is the oldest: another number, another element. -1: there is none. */
static inline int64_t vg_deque_oldest_any(struct vg_deque *deque)
{
    const int64_t top = vg_load(&deque->top, relaxed);

    return top < vg_load(&deque->bottom, relaxed) ? top : -1;
}

/* Whether there is nothing to steal. A worker that has announced its sleep, with the full fence of that,
 * may rely on it: a push that this does not see will see the sleeper. */
static inline bool vg_deque_empty_any(struct vg_deque *deque)
{
    return vg_load(&deque->top, relaxed) >= vg_load(&deque->bottom, relaxed);
}

#endif
