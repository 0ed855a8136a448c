/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_SLOT_H
#define VIGIL_CORE_SLOT_H

#include <vigil/future.h>

#include "vg_atomic.h"

/*
 * A waker slot: the waiter of a wake that no lock orders against the end of its future. Slots are type-stable:
 * once allocated, a slot's state word stays a state word for as long as the executor lives.
 *
 * state is generation << 2 | phase.
 *
 * FREE   Nobody waits through it. The generation is that of its next use.
 * ARMED  A future waits. Set by the owner, who is the worker that polls the future's task.
 * FIRED  A waker has won, and it alone pushes the slot's waiter on the task. From here on the slot and its
 *        task stay as they are until the waiter has been collected from the task's stack: only the owner
 *        moves the slot on, and only after that.
 *
 * The generation grows when the slot is freed, so that copies of an old waker find nothing.
 */
struct vg_slot {
    struct vg_waiter waiter;
    VG_ATOMIC(uint64_t) state;
    struct vg_slot *next; /* free list */
};

enum { VG_SLOT_FREE, VG_SLOT_ARMED, VG_SLOT_FIRED, VG_SLOT_PHASES = 3 };

static inline uint64_t vg_slot_word(uint64_t generation, unsigned phase)
{
    return generation << 2 | phase;
}

/* Owner: arms a free slot, or one that has fired and was collected. Returns the generation. */
static inline uint64_t vg_slot_arm(struct vg_slot *slot)
{
    uint64_t generation = vg_load(&slot->state, relaxed) >> 2;

    /* Acquire: the writes of wakers that found it FIRED. Release: the waiter, for the waker that wins. */
    (void)vg_xchg(&slot->state, vg_slot_word(generation, VG_SLOT_ARMED), acq_rel);
    return generation;
}

/* Any thread: true if the caller has won, and must push the slot's waiter. */
static inline bool vg_slot_fire(struct vg_slot *slot, uint64_t generation)
{
    uint64_t seen = vg_load(&slot->state, relaxed);

    while (seen == vg_slot_word(generation, VG_SLOT_ARMED) ||
           seen == vg_slot_word(generation, VG_SLOT_FIRED)) {
        /* Release: what the waker wrote, for the owner's next exchange; also when it changes nothing.
         * Acquire: pairs with vg_slot_arm(), so the waiter is complete. */
        if (vg_cas(&slot->state, &seen, vg_slot_word(generation, VG_SLOT_FIRED), acq_rel, relaxed))
            return (seen & VG_SLOT_PHASES) == VG_SLOT_ARMED;
    }
    return false;
}

/* Owner: ends an armed slot. False: it has fired, and its waiter is on the stack or on its way. */
static inline bool vg_slot_disarm(struct vg_slot *slot, uint64_t generation)
{
    uint64_t armed = vg_slot_word(generation, VG_SLOT_ARMED);

    /* Release: the slot goes to another task next. */
    return vg_cas(&slot->state, &armed, vg_slot_word(generation + 1, VG_SLOT_FREE), acq_rel,
                  relaxed);
}

/* Owner: frees a fired slot whose waiter has been collected. */
static inline void vg_slot_free(struct vg_slot *slot)
{
    uint64_t generation = vg_load(&slot->state, relaxed) >> 2;

    /* Acquire and release as in vg_slot_arm(). */
    (void)vg_xchg(&slot->state, vg_slot_word(generation + 1, VG_SLOT_FREE), acq_rel);
}

#endif
