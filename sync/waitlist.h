/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_WAITLIST_H
#define VIGIL_SYNC_WAITLIST_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

/*
 * First come, first served, with grants that can be taken back until they are taken up. Every call
 * here is made with the list's guard held, unless it says otherwise; amounts are in units of the
 * resource (a mutex has one).
 *
 * An entry is in one of five states:
 * IDLE     Not in the list: never polled, cancelled, or its task yielded before it got here.
 * QUEUED   In the list, at the place of its first poll.
 * GRANTED  In the list, at that same place, and what it wants is set aside for it. Set by whoever
 *          gives units back, on any thread. Back to QUEUED only if its task passes it over.
 * TAKEN    Out of the list: the caller owns the units, until he gives them back.
 * DISMISSED  Out of the list, and let go without units. Set by whoever lets all go at once, on any
 *          thread. Back to IDLE by its own poll, which ends, or by a cancel.
 *
 * Three marks qualify QUEUED and GRANTED:
 * WOKEN    Its waiter has a wake that its leaf has not answered: on its way to the task, or owed by
 *          it. Set with vg_wake(), cleared by the leaf's own poll, which arms the waiter again if
 *          it goes on waiting.
 * PASSED   A poll of its task ended, having held that wake and not answered it. Set by the worker
 *          that made the poll, cleared by the leaf's own poll. Implies WOKEN and QUEUED.
 * LET_GO   All were let go while the entry was GRANTED. It keeps its grant; if that is taken back, it
 *          is DISMISSED. Implies GRANTED.
 *
 * An entry is eligible while it is QUEUED and not PASSED. Whenever the guard is free:
 *   - available, granted and taken units add up to the whole resource;
 *   - the oldest eligible entry wants more than is available (so a free mutex has no eligible
 *     waiter);
 *   - a GRANTED entry is WOKEN.
 *
 *                  IDLE               QUEUED             QUEUED, PASSED    GRANTED
 *   leaf's poll    if nobody is       if the oldest      marks off, then   TAKEN
 *                  eligible and it    eligible and it    as QUEUED
 *                  fits: TAKEN, else  fits: TAKEN
 *                  QUEUED, the last
 *   units are      -                  if the oldest      -                 -
 *   given back                        eligible and it
 *                                     fits: GRANTED
 *   cancel         -                  IDLE; pump         IDLE; pump        IDLE, units back; pump
 *   poll ends,     -                  PASSED; pump       -                 PASSED, QUEUED, units
 *   wake is owed                                                           back; pump. Without
 *                                                                          healing: nothing
 *   poll is cut    -                  -                  -                 -
 *   by its budget
 *   all are let    -                  DISMISSED          DISMISSED         LET_GO
 *   go
 *
 * "Pump" is to grant to the oldest eligible entries while what they want is available. Everything
 * that gives back units, or takes eligibility from the entry that holds up the rest, pumps.
 *
 * Why no wake is lost. vg_wake() pushes the waiter on its task, and that push alone decides who
 * must queue the task, so it is made once per arming and under the guard: the leaf's own poll,
 * which may end and free the entry, takes the guard first. The task itself is queued after the
 * guard is released, by vg_wakes_notify(); until then it belongs to the pusher, so it is not polled,
 * and its entries stay where they are: that is why they can be linked for the notification. An entry
 * that is WOKEN already is not pushed again, and needs no push: its wake is still on its way, so its task is queued or running and the
 * end of that poll decides about it; or it is owed and the grant is as good as seen; or it is
 * PASSED, and is not granted anything. PASSED is set and cleared in the same critical sections as
 * the test for eligibility, so either the grant finds the entry eligible or the entry's poll finds
 * the units.
 *
 * Why a grant is not taken up without the guard. The guard's release is the last thing that the
 * granting thread does to the list and the entry. A leaf that took its grant by an atomic operation
 * alone could end, and free both, before that.
 *
 * A poll revokes only what it held: it is told (vg_ops.passed_over) of the wakes that it collected
 * and did not answer, while the task is still its own. A task that is runnable and has not run
 * keeps its grants.
 */

enum { VG_WAITER_IDLE, VG_WAITER_QUEUED, VG_WAITER_GRANTED, VG_WAITER_TAKEN, VG_WAITER_DISMISSED };

enum { VG_WAITER_WOKEN = 1, VG_WAITER_PASSED = 2, VG_WAITER_LET_GO = 4 };

/*
 * Entries whose tasks the caller has to notify when it has released the guard, oldest first. Only one entry
 * of each task is among them: the one whose push made the caller the owner of the task. Zero is none.
 */
struct vg_wakes {
    struct vg_wait_entry *first, *last;
};

/* Guard released. Afterwards nothing of the entries or of the list may be touched. */
void vg_wakes_notify(struct vg_wakes *wakes);

/* Not guarded: nobody else knows the entry yet. */
void vg_waitlist_entry_init(struct vg_wait_entry *entry);

/* Appends an entry that is IDLE, and arms it for `fut`. */
void vg_waitlist_add(struct vg_waitlist *list, struct vg_wait_entry *entry, uint32_t want,
                     struct vg_future *fut, struct vg_cx *cx);

/* The oldest eligible entry, or NULL. Steps over those that are not: at most the list's length. */
struct vg_wait_entry *vg_waitlist_oldest(struct vg_waitlist *list);

/* Grants to the oldest eligible entries as long as what they want is available. Returns the rest. */
uint32_t vg_waitlist_pump(struct vg_waitlist *list, uint32_t available, struct vg_wakes *wakes);

/* Grants a single unit to the oldest eligible entry, if it wants no more. The notice is for vg_notify(), after the guard. */
struct vg_notice vg_waitlist_grant_one(struct vg_waitlist *list);

/* Whether the entry has been let go. */
bool vg_waitlist_was_let_go(const struct vg_wait_entry *entry);

/* Lets all go that wait. */
void vg_waitlist_dismiss(struct vg_waitlist *list, struct vg_wakes *wakes);

/* The leaf is polled. PASSED is cleared; true: GRANTED, or the oldest eligible, and so next to take
 * what is available. Then comes vg_waitlist_take() or vg_waitlist_stay(). */
bool vg_waitlist_visit(struct vg_waitlist *list, struct vg_wait_entry *entry);

/* Removes the entry as the owner of what it wants. Its waiter is to be disarmed after the guard. */
void vg_waitlist_take(struct vg_waitlist *list, struct vg_wait_entry *entry);

/* Ends the wait of an entry from outside, with what its leaf will find: removed as by vg_waitlist_take(),
 * and woken unless it is WOKEN. The notice is for vg_notify(), after the guard. */
struct vg_notice vg_waitlist_serve(struct vg_waitlist *list, struct vg_wait_entry *entry);

/* The entry goes on waiting at its place: answers the wake it had, and arms it for the next. */
void vg_waitlist_stay(struct vg_wait_entry *entry, struct vg_future *fut, struct vg_cx *cx);

/* Removes a cancelled entry, or one that was let go. Returns the units that were set aside for it: the caller pumps. */
uint32_t vg_waitlist_leave(struct vg_waitlist *list, struct vg_wait_entry *entry);

/* The entry's task has passed it over. `healing`: what was granted may go back. VG_PASS_REVOKED: what it
 * wants is available again. The caller pumps unless it is VG_PASS_HELD. */
enum vg_pass vg_waitlist_pass_over(struct vg_waitlist *list, struct vg_wait_entry *entry,
                                   bool healing);

/* What instruments want to know of an entry that is in the list. */
enum vg_wait_state vg_waitlist_state(const struct vg_wait_entry *entry);

/* For vg_resource_ops; these two take the guard themselves. */
bool vg_waitlist_ahead(struct vg_waitlist *list, const struct vg_future *first,
                       const struct vg_future *second);
unsigned vg_waitlist_waiters(struct vg_waitlist *list);

#endif
