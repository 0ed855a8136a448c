/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_WHEEL_H
#define VIGIL_CORE_WHEEL_H

#include <vigil/time.h>

#include "vg_atomic.h"

/*
 * A hierarchical timer wheel: VG_WHEEL_LEVELS levels of 64 slots; a slot of level l spans 64^l ticks. A timer
 * sits in the level of the highest group of six bits in which its tick differs from the wheel's, so inserting
 * and removing take constant time, and each timer moves down at most once a level. Eight levels are enough for
 * every tick that a clock of 64 bits can name.
 *
 * Each worker has one. Its guard makes removal by another worker, and firing by a thief of overdue timers,
 * as simple as by the owner; it is uncontended otherwise.
 *
 * next  The earliest tick at which something is to be done (a timer fires or moves down), VG_NEVER if
 *       nothing. Written under the guard (release), read without it: a reader that sees an old value comes too
 *       early or, if the timer was inserted after its look, is told by the insertion.
 */

enum { VG_WHEEL_LEVELS = 8, VG_WHEEL_SLOTS = 64 };
#define VG_TICK_NS UINT64_C(1000000)

struct vg_wheel {
    struct vg_spin guard;
    VG_ATOMIC(uint64_t) next;
    uint64_t tick; /* everything due up to and including this tick has fired */
    uint64_t occupied[VG_WHEEL_LEVELS];
    struct vg_timer *slots[VG_WHEEL_LEVELS][VG_WHEEL_SLOTS];
};

void vg_wheel_init(struct vg_wheel *wheel, uint64_t now);

/* Arms the timer: its waiter is woken once the clock has reached its deadline. */
void vg_wheel_insert(struct vg_wheel *wheel, struct vg_timer *timer);

/* Takes the timer off whatever wheel it is on. Afterwards it will not wake; it may have done so. */
void vg_wheel_remove(struct vg_timer *timer);

/* Wakes everything that is due at `now`. Any thread. Returns how many, at most VG_WHEEL_BATCH. */
enum { VG_WHEEL_BATCH = 256 };
unsigned vg_wheel_fire(struct vg_wheel *wheel, uint64_t now);

/* Shows a task with a timer that should have fired before `than`, if it finds one: it looks at a few only. Until `look` returns the
 * task lives. Any thread. */
void vg_wheel_late(struct vg_wheel *wheel, uint64_t than, void (*look)(struct vg_task *, void *),
                   void *arg);

/* The time at which the wheel wants to be looked at again. */
static inline uint64_t vg_wheel_deadline(const struct vg_wheel *wheel)
{
    uint64_t tick = vg_load((VG_ATOMIC(uint64_t) *)&wheel->next, relaxed);

    return tick == VG_NEVER ? VG_NEVER : tick * VG_TICK_NS;
}

#endif
