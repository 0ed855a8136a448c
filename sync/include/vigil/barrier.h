/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BARRIER_H
#define VIGIL_BARRIER_H

#include <vigil/permits.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A place where a fixed number of parties wait for each other, as often as they like.
 *
 *     VG_AWAIT(rc, vg_barrier_wait(&f->wait, &shared->barrier));
 *     if (rc < 0)
 *         VG_RETURN(rc);                  (cancelled: the others wait for a party that takes our place)
 *     if (rc == VG_BARRIER_LEADER)
 *         sum_up(shared);                 (once a round, by the last to arrive)
 *
 * Rounds    The last of the parties to arrive ends the round: it does not suspend, and is told that it is the leader. Who
 *           comes after that belongs to the next round, even if others of this one have not run yet.
 * Cancel    A party that is cancelled while it waits has not arrived: another one may take its place. When the round
 *           has ended before the cancel, the wait completes with 0.
 * Healing   There is nothing to take back: a party whose task leaves it unpolled has arrived all the same.
 * Memory    All storage is the caller's; nothing is allocated. The barrier must outlive every wait: the leader may not
 *           destroy it while others of its round have not run yet. Neither may be moved.
 * Threads   Any future on any worker may wait. vg_barrier_init() and vg_barrier_fini() must not race with other calls.
 * Ordering  What any party did before its wait happens before the end of all the waits of the round.
 * Errors    -ECANCELED is the only one. Destroying a barrier at which somebody waits panics.
 * Cost      A spin lock for a list edit; the last one pushes on the task of each of the others.
 */

enum { VG_BARRIER_LEADER = 1 };

struct vg_barrier {
    /* private */
    struct vg_permits permits; /* none are ever given: whoever waits is let go */
    uint32_t parties;
};

/* The future that vg_barrier_wait() prepares. */
struct vg_barrier_wait {
    union {
        struct vg_future fut;
        struct vg_claim claim; /* private */
    };
    int ret; /* 0, VG_BARRIER_LEADER or -ECANCELED; valid once the future is done */
};

extern VG_API const struct vg_resource_ops vg_barrier_resource_;

/* Makes a barrier at which nobody waits. The name is static storage or NULL; so is `place`. Panics if there are
 * no parties. */
VG_API void vg_barrier_init_at(struct vg_barrier *barrier, const char *name, uint32_t parties,
                               const struct vg_place *place);

/* vg_barrier_init_at() this line. */
#ifdef __cplusplus
#define vg_barrier_init(barrier, name, parties)                                                    \
    vg_barrier_init_at((barrier), (name), (parties), NULL)
#else
#define vg_barrier_init(barrier, name, parties)                                                    \
    vg_barrier_init_at((barrier), (name), (parties), VG_HERE)
#endif

/* Panics if somebody waits. Afterwards the storage may be reused. */
VG_API void vg_barrier_fini(struct vg_barrier *barrier);

/* Prepares `wait` as a future that completes when all parties have arrived, and returns it. Lazy: it arrives at its
 * first poll. */
VG_API struct vg_barrier_wait *vg_barrier_wait(struct vg_barrier_wait *wait,
                                               struct vg_barrier *barrier);

#ifdef __cplusplus
}
#endif
#endif
