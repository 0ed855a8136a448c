/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_WAKER_H
#define VIGIL_WAKER_H

#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Wakers that may outlive what they wake: for callbacks of foreign libraries, threads of your own,
 * anything that has no lock to take a waiter back under.
 *
 *     in the leaf's poll:    rc = vg_waker_arm(&leaf->waker, &leaf->fut, cx);   then hand out a copy
 *     in the callback:       vg_waker_wake(copy);
 *     in the leaf's cancel:  vg_waker_wake(leaf->waker);         it is polled soon, and ends
 *     when the leaf ends:    vg_waker_disarm(&leaf->waker, cx);
 *
 * A waker is a slot number and a generation, by value; copies are free. Waking one whose future has
 * ended, or that was woken before, does nothing; a copy that was handed out before the same waker was armed
 * again wakes the new arming.
 *
 * Memory   Slots are the executor's and are reused. Nothing to free. Wakers must not be used after
 *          vg_exec_close().
 * Threads  vg_waker_wake() from any thread, not from signal handlers. The others only inside polls.
 * Errors   vg_waker_arm(): -ENOMEM. The waker is as it was, and may be armed later.
 * Cost     Two compare-and-swaps a wake. A waiter under a lock (<vigil/future.h>) needs one.
 */

struct vg_waker {
    struct vg_slot *slot;
    uint64_t generation;
};

/* Takes a slot for one wake of `fut`. The waker must be zero, disarmed, or woken and answered. */
VG_API VG_MUST_USE int vg_waker_arm(struct vg_waker *waker, struct vg_future *fut,
                                    struct vg_cx *cx);

/* Takes the slot back, whether or not it was woken, and zeroes the waker. A wake that is under way
 * elsewhere is harmless: the task's memory stays until it has arrived. */
VG_API void vg_waker_disarm(struct vg_waker *waker, struct vg_cx *cx);

/* Wakes the future, once. What the caller wrote before is visible to the poll that follows, also if
 * somebody else's wake came first. */
VG_API void vg_waker_wake(struct vg_waker waker);

#ifdef __cplusplus
}
#endif
#endif
