/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_PERMITS_H
#define VIGIL_PERMITS_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What locks, semaphores and notifications have in common: a number of units, and futures that wait for some of
 * them. Complete only so that primitives can embed it: programs have no use for it, and its members are private.
 */

struct vg_permits {
    struct vg_resource resource; /* first: instruments know the primitive by it */
    struct vg_waitlist waiters;
    struct vg_owner_cell
        owner; /* of whoever has taken all units at once, if the primitive says so */
    /*
     * QUEUE   Bit 0. Whoever holds the guard has the word to himself; set while the guard is held by one
     *         who changes something, while futures wait, and for ever once the units were closed.
     * FREE    The other bits: how many units are neither taken nor granted.
     * Without QUEUE anybody may change the word, by compare-and-swap: less FREE is to take, more FREE is to
     * give. With QUEUE both of those fail, and go through the guard.
     */
    VG_ATOMIC(uint32_t) word;
    uint32_t total;  /* FREE is never more; constant */
    uint8_t healing; /* as the executor, on, off; guarded */
    bool closed;     /* nothing is taken any more; guarded */
};

/* A leaf that waits for units. The futures of primitives begin with one. */
struct vg_claim {
    struct vg_future fut;
    uint32_t want;
    bool queued;    /* has a place in the list; the polling worker's own copy */
    bool heals;     /* the executor's choice */
    bool dismissed; /* ended without units, because it was let go */
    struct vg_permits *permits;
    struct vg_wait_entry entry;
};

/* For static storage. */
#define VG_PERMITS_INIT_(ops, name, free, total)                                                   \
    {                                                                                              \
        {(ops), (name), NULL}, {{0}, 0, 0, 0, NULL, NULL}, {0, 0, NULL, NULL}, (free) << 1,        \
            (total), 0, false                                                                      \
    }

#ifdef __cplusplus
}
#endif
#endif
