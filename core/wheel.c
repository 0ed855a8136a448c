/* SPDX-License-Identifier: MIT */
#include "wheel.h"

#include <string.h>

#include "vg_spin.h"

enum { BITS = 6, MASK = VG_WHEEL_SLOTS - 1, NOTICES = 32 };

_Static_assert(UINT64_MAX / VG_TICK_NS >> (BITS * VG_WHEEL_LEVELS) == 0, "a tick has a level");

void vg_wheel_init(struct vg_wheel *wheel, uint64_t now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = now / VG_TICK_NS;
    vg_store(&wheel->next, VG_NEVER, relaxed);
}

/* The first tick that is not before the deadline. */
static uint64_t tick_of(uint64_t deadline)
{
    return deadline / VG_TICK_NS + (deadline % VG_TICK_NS != 0);
}

static unsigned level_of(uint64_t tick, uint64_t now)
{
    const uint64_t differ = (tick ^ now) | 1;

    return (63 - (unsigned)__builtin_clzll(differ)) / BITS;
}

static void link_timer(struct vg_wheel *wheel, struct vg_timer *timer)
{
    uint64_t tick = tick_of(timer->deadline);
    unsigned level, slot;

    if (tick < wheel->tick)
        tick = wheel->tick;
    level = level_of(tick, wheel->tick);
    slot = (unsigned)(tick >> (BITS * level)) & MASK;
    timer->next = wheel->slots[level][slot];
    timer->link = &wheel->slots[level][slot];
    if (timer->next != NULL)
        timer->next->link = &timer->next;
    wheel->slots[level][slot] = timer;
    wheel->occupied[level] |= UINT64_C(1) << slot;
}

/* The next tick at which a slot comes up, and its level; VG_NEVER if all are empty. A slot of a lower level
 * comes before any of a higher one. */
static uint64_t next_tick(const struct vg_wheel *wheel, unsigned *level)
{
    unsigned l, slot;
    uint64_t ahead, base;

    for (l = 0; l < VG_WHEEL_LEVELS; l++) {
        if (wheel->occupied[l] == 0)
            continue;
        slot = (unsigned)(wheel->tick >> (BITS * l)) & MASK;
        ahead = wheel->occupied[l] & (~UINT64_C(0) << slot);
        if (ahead == 0)
            continue;
        *level = l;
        base = wheel->tick >> (BITS * (l + 1)) << (BITS * (l + 1));
        return base | (uint64_t)__builtin_ctzll(ahead) << (BITS * l);
    }
    return VG_NEVER;
}

static void publish_next(struct vg_wheel *wheel)
{
    unsigned level;

    /* Release only for tidiness: readers use it as a hint. */
    vg_store(&wheel->next, next_tick(wheel, &level), release);
}

void vg_wheel_insert(struct vg_wheel *wheel, struct vg_timer *timer)
{
    timer->wheel = wheel;
    timer->link = NULL;
    if (timer->deadline == VG_NEVER)
        return;
    vg_spin_lock(&wheel->guard);
    link_timer(wheel, timer);
    publish_next(wheel);
    vg_spin_unlock(&wheel->guard);
}

static void unlink_timer(struct vg_wheel *wheel, struct vg_timer *timer)
{
    struct vg_timer **const link = timer->link;
    struct vg_timer **const first = &wheel->slots[0][0];

    *link = timer->next;
    if (timer->next != NULL)
        timer->next->link = link;
    timer->link = NULL;
    if (*link == NULL && link >= first && link < first + VG_WHEEL_LEVELS * VG_WHEEL_SLOTS) {
        const size_t index = (size_t)(link - first);

        wheel->occupied[index / VG_WHEEL_SLOTS] &= ~(UINT64_C(1) << index % VG_WHEEL_SLOTS);
    }
}

void vg_wheel_remove(struct vg_timer *timer)
{
    struct vg_wheel *const wheel = timer->wheel;

    vg_spin_lock(&wheel->guard);
    if (timer->link != NULL) {
        unlink_timer(wheel, timer);
        publish_next(wheel);
    }
    vg_spin_unlock(&wheel->guard);
}

/* Moves the timers of a higher level's slot, whose first tick has come, down. */
static void cascade(struct vg_wheel *wheel, struct vg_timer **slot)
{
    struct vg_timer *timer;

    while ((timer = *slot) != NULL) {
        unlink_timer(wheel, timer);
        link_timer(wheel, timer);
    }
}

/* Wakes up to NOTICES timers of a lowest-level slot: all of its timers are due. */
static unsigned expire(struct vg_wheel *wheel, struct vg_timer **slot, struct vg_notice *notices)
{
    struct vg_timer *timer;
    unsigned n = 0;

    while (n < NOTICES && (timer = *slot) != NULL) {
        unlink_timer(wheel, timer);
        notices[n++] = vg_wake(timer->waiter);
    }
    return n;
}

/* Fires some of what is due; false: nothing is left. */
static bool fire_some(struct vg_wheel *wheel, uint64_t now_tick, struct vg_notice *notices,
                      unsigned *count)
{
    unsigned level = 0;
    const uint64_t tick = next_tick(wheel, &level);
    struct vg_timer **slot;

    *count = 0;
    if (tick > now_tick) {
        /* Nothing is due before: the next insertion counts from here. */
        if (wheel->tick < now_tick)
            wheel->tick = now_tick;
        return false;
    }
    wheel->tick = tick;
    slot = &wheel->slots[level][tick >> (BITS * level) & MASK];
    if (level > 0)
        cascade(wheel, slot);
    else
        *count = expire(wheel, slot, notices);
    return true;
}

unsigned vg_wheel_fire(struct vg_wheel *wheel, uint64_t now)
{
    struct vg_notice notices[NOTICES];
    unsigned fired = 0, count, i;
    bool more = true;

    while (more && fired < VG_WHEEL_BATCH) {
        vg_spin_lock(&wheel->guard);
        more = fire_some(wheel, now / VG_TICK_NS, notices, &count);
        publish_next(wheel);
        vg_spin_unlock(&wheel->guard);
        for (i = 0; i < count; i++)
            vg_notify(notices[i]);
        fired += count;
    }
    return fired;
}

static struct vg_timer *find_late(const struct vg_wheel *wheel, uint64_t than)
{
    enum { LOOKS = 64 };
    unsigned looks = 0;

    for (unsigned i = 0; i < VG_WHEEL_LEVELS * VG_WHEEL_SLOTS && looks < LOOKS; i++)
        for (struct vg_timer *timer = wheel->slots[i / VG_WHEEL_SLOTS][i % VG_WHEEL_SLOTS];
             timer != NULL && looks < LOOKS; timer = timer->next, looks++)
            if (timer->deadline < than)
                return timer;
    return NULL;
}

void vg_wheel_late(struct vg_wheel *wheel, uint64_t than, void (*look)(struct vg_task *, void *),
                   void *arg)
{
    const struct vg_timer *timer;

    vg_spin_lock(&wheel->guard);
    timer = find_late(wheel, than);
    if (timer != NULL)
        look(timer->waiter->task, arg);
    vg_spin_unlock(&wheel->guard);
}
