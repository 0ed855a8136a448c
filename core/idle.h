/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_IDLE_H
#define VIGIL_CORE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include <vigil/base.h>

#include "line.h"
#include "vg_atomic.h"

/*
 * Who sleeps, who looks for work, and whom to wake when there is some.
 *
 * A worker is running, searching or sleeping. Searching means that it has nothing to do and looks
 * through the queues of the others. As long as somebody searches nobody need be woken: whoever searches
 * will find the new work, or look again before it sleeps. So a push usually costs one fence and one load.
 *
 * word  searching | sleeping << 16: how many workers do either. A worker counted in neither runs.
 *       searching  + 1 by a worker that begins a search, or by the waker on behalf of the sleeper it picked.
 *                  - 1 by the worker when it found something, or when it goes to sleep.
 *       sleeping   The length of the list of sleepers; changes under the guard, with the list.
 *       A sleep moves a searcher from one count to the other in one step, as does a wake: there is no
 *       moment at which a worker that may still fall asleep is in neither.
 *
 * parker, one for each worker
 *       RUNNING   The worker is not about to sleep. Whoever has a message for it need not ring.
 *       PARKED    Set by the worker before it looks at its queues for the last time. It will park in its driver.
 *       NOTIFIED  Set by whoever finds PARKED, and that one alone rings the driver's doorbell. The
 *                 worker sets it back to RUNNING when it has returned from the driver.
 *
 * No wake is lost, because both sides write first and read after, with a full fence between:
 *
 *     producer                                   sleeper
 *     push the task or message                   enter the list of sleepers, PARKED
 *     fence                                      fence
 *     read word (or parker); ring                look at ALL queues and messages; park
 *
 * so that at least one of them sees what the other wrote. What a worker must do for that:
 *
 *     searching = vg_idle_start_search(idle);
 *     for (;;) {
 *         if (find work) {
 *             if (searching && vg_idle_stop_search(idle))
 *                 if (after a fence, there is more work)
 *                     ring(vg_idle_notify(idle));    (the last searcher: others relied on it, so one takes over)
 *             run it; searching = false; ...
 *         }
 *         vg_idle_prepare_park(idle, me, searching);
 *         if (nothing in any queue, nothing in my inbox)
 *             if (vg_idle_may_park(idle, me))
 *                 park in the driver;
 *         searching = vg_idle_end_park(idle, me) || vg_idle_start_search(idle);
 *     }
 *
 * A worker that sees work in its last look becomes a searcher again like this; if others search
 * already it may take the work uncounted, since they answer for the rest. The last searcher that stops
 * for another reason than work found must go through vg_idle_prepare_park() and the last look.
 *
 * Order     The worker that went to sleep last is woken first: its caches are the warmest.
 * Threads   Worker numbers below: the worker itself. vg_idle_notify*: any thread.
 * Cost      Notify: one fence, one load, unless somebody sleeps and nobody searches. Sleep and wake: a
 *           short critical section, next to the system call that they precede or follow.
 */

#define VG_IDLE_MAX 64

enum vg_parker { VG_RUNNING_, VG_PARKED_, VG_NOTIFIED_ };

struct vg_idle_parker {
    _Alignas(VG_LINE) VG_ATOMIC(uint32_t) state; /* enum vg_parker */
};

struct vg_idle {
    _Alignas(VG_LINE) VG_ATOMIC(uint32_t) word;
    _Alignas(VG_LINE) struct vg_spin guard; /* of sleepers, and of the count of them in word */
    uint32_t workers;
    uint8_t sleepers[VG_IDLE_MAX]; /* in the order of falling asleep */
    struct vg_idle_parker parkers[VG_IDLE_MAX];
};

enum { VG_IDLE_SEARCHING_ = 1, VG_IDLE_SLEEPING_ = 1 << 16 };

static inline uint32_t vg_idle_searching_(uint32_t word)
{
    return word % VG_IDLE_SLEEPING_;
}

static inline uint32_t vg_idle_sleeping_(uint32_t word)
{
    return word / VG_IDLE_SLEEPING_;
}

/* All workers run. 1 <= workers <= VG_IDLE_MAX. */
void vg_idle_init(struct vg_idle *idle, unsigned workers);

/* The calling worker begins to search. False: enough others do; it may sleep. At most half search. */
VG_MUST_USE bool vg_idle_start_search(struct vg_idle *idle);

/* The calling worker, a searcher, has found work. True: it was the last one and must notify. */
VG_MUST_USE bool vg_idle_stop_search(struct vg_idle *idle);

/* Announces sleep. Includes the full fence: what the caller reads next is its last look. */
void vg_idle_prepare_park(struct vg_idle *idle, unsigned worker, bool searching);

/* Whether the announced worker has not been notified yet, so that parking makes sense. */
static inline bool vg_idle_may_park(struct vg_idle *idle, unsigned worker)
{
    return vg_load(&idle->parkers[worker].state, relaxed) == VG_PARKED_;
}

/*
 * Takes the announcement back, after parking or instead of it. True: vg_idle_notify() has picked this
 * worker meanwhile and counted it as a searcher. A doorbell may still ring; that wakes a later park in vain.
 */
VG_MUST_USE bool vg_idle_end_park(struct vg_idle *idle, unsigned worker);

/* The part of vg_idle_notify() that is taken when somebody sleeps and nobody searches. */
VG_MUST_USE int vg_idle_pick_(struct vg_idle *idle);

/*
 * After work has been put where any worker finds it. The number of a worker whose doorbell the caller must
 * ring, or -1.
 */
static inline VG_MUST_USE int vg_idle_notify(struct vg_idle *idle)
{
    uint32_t word;

    vg_fence(); /* pairs with the fence in prepare_park */
    word = vg_load(&idle->word, relaxed);
    if (VG_LIKELY(vg_idle_searching_(word) > 0 || vg_idle_sleeping_(word) == 0))
        return -1;
    return vg_idle_pick_(idle);
}

/* Claims the right to ring a worker's doorbell. True: the caller must ring. */
static inline bool vg_idle_claim_(struct vg_idle *idle, unsigned worker)
{
    uint32_t parked = VG_PARKED_;

    /* The release pairs with the exchange in end_park: the woken worker sees the work. */
    return vg_cas(&idle->parkers[worker].state, &parked, VG_NOTIFIED_, acq_rel, relaxed);
}

/*
 * After a message for that one worker has been put into its inbox. True: the caller must ring its
 * doorbell. The worker is not counted as a searcher.
 */
static inline VG_MUST_USE bool vg_idle_notify_worker(struct vg_idle *idle, unsigned worker)
{
    vg_fence(); /* pairs with the fence in prepare_park */
    if (vg_load(&idle->parkers[worker].state, relaxed) != VG_PARKED_)
        return false;
    return vg_idle_claim_(idle, worker);
}

#endif
