/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <errno.h>

#include <vigil/exec.h>
#include <vigil/probe.h>

#include "permits.h"

static struct vg_claim *claim_of(struct vg_future *fut)
{
    return (struct vg_claim *)(void *)fut;
}

/* Guard held. */
static bool heals(const struct vg_claim *claim)
{
    const uint8_t healing = claim->permits->healing;

    return healing == VG_HEALS_AS_EXECUTOR ? claim->heals : healing == VG_HEALS;
}

void vg_claim_queue(struct vg_claim *claim, struct vg_cx *cx)
{
    vg_waitlist_add(&claim->permits->waiters, &claim->entry, claim->want, &claim->fut, cx);
    claim->queued = true;
    claim->heals = vg_exec_heals(vg_exec_current());
}

/* Guard held. Takes the units, or a place in the queue. Whether the claim has ended. */
static bool take_or_queue(struct vg_claim *claim, uint32_t *free, struct vg_cx *cx)
{
    struct vg_permits *permits = claim->permits;

    if (permits->closed) {
        claim->dismissed = true;
        return true;
    }
    if (claim->want <= *free && !vg_waitlist_oldest(&permits->waiters)) {
        *free -= claim->want;
        return true;
    }
    vg_claim_queue(claim, cx);
    return false;
}

static bool start(struct vg_claim *claim, struct vg_cx *cx)
{
    uint32_t word, free;
    bool ended;

    vg_disarm(&claim->entry.waiter, cx); /* of an earlier poll that had no budget */
    if (!vg_coop(&claim->entry.waiter, &claim->fut, cx))
        return false;
    if (vg_permits_take_fast(claim->permits, claim->want, &word))
        return true;
    free = vg_permits_lock(claim->permits);
    ended = take_or_queue(claim, &free, cx);
    vg_permits_unlock(claim->permits, free);
    return ended;
}

/* Guard held. The units were granted to the claim, or are free while it is the oldest eligible. */
static bool take_turn(struct vg_claim *claim, uint32_t *free, struct vg_cx *cx)
{
    struct vg_waitlist *list = &claim->permits->waiters;
    struct vg_wait_entry *entry = &claim->entry;
    uint32_t missing;

    if (entry->state == VG_WAITER_DISMISSED) {
        claim->dismissed = true;
        (void)vg_waitlist_leave(list, entry);
        return true;
    }
    missing = entry->state == VG_WAITER_GRANTED ? 0 : claim->want;
    if (vg_waitlist_visit(list, entry) && missing <= *free) {
        *free -= missing;
        vg_waitlist_take(list, entry);
        return true;
    }
    vg_waitlist_stay(entry, &claim->fut, cx);
    return false;
}

static bool go_on(struct vg_claim *claim, struct vg_cx *cx)
{
    uint32_t free = vg_permits_lock(claim->permits);
    const bool ended = take_turn(claim, &free, cx);

    vg_permits_unlock(claim->permits, free);
    if (ended) {
        claim->queued = false;
        vg_disarm(&claim->entry.waiter, cx);
    }
    return ended;
}

/* Gives up the place in the queue, and passes on what was granted there. Others may fit now. */
static void leave(struct vg_claim *claim)
{
    struct vg_permits *permits = claim->permits;
    struct vg_wakes wakes = {NULL, NULL};
    uint32_t free = vg_permits_lock(permits);

    claim->dismissed = vg_waitlist_was_let_go(&claim->entry);
    free += vg_waitlist_leave(&permits->waiters, &claim->entry);
    vg_permits_unlock(permits, vg_permits_pump(permits, free, &wakes));
    claim->queued = false;
    vg_wakes_notify(&wakes);
}

vg_poll vg_claim_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_claim *claim = claim_of(fut);

    if (VG_UNLIKELY(vg_cancelled(fut))) {
        if (claim->queued)
            leave(claim);
        vg_disarm(&claim->entry.waiter, cx);
        return VG_READY;
    }
    return (vg_poll){claim->queued ? go_on(claim, cx) : start(claim, cx)};
}

int vg_claim_result(const struct vg_claim *claim, int dismissed)
{
    if (VG_UNLIKELY(claim->dismissed))
        return dismissed;
    return VG_UNLIKELY(vg_cancelled(&claim->fut)) ? -ECANCELED : 0;
}

void vg_claim_own(struct vg_claim *claim, struct vg_cx *cx)
{
    const struct vg_owner owner = vg_owner_here(&claim->fut, cx);

    vg_owner_set(&claim->permits->owner, &owner);
}

void vg_claim_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_claim *claim = claim_of(fut);

    if (!claim->queued)
        return; /* it yielded: it is polled again in any case */
    leave(claim);
    vg_kick(&claim->entry.waiter, cx);
}

/* Guard held. What is taken back must go somewhere: to another one, or among the free. */
static bool may_go_on(const struct vg_claim *claim, uint32_t free)
{
    struct vg_permits *permits = claim->permits;

    return claim->want <= permits->total - free || vg_waitlist_oldest(&permits->waiters) != NULL;
}

enum vg_pass vg_claim_passed_over(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_claim *claim = claim_of(fut);
    struct vg_permits *permits = claim->permits;
    struct vg_wakes wakes = {NULL, NULL};
    enum vg_pass pass;
    uint32_t free;

    (void)cx;
    if (!claim->queued)
        return VG_PASS_NONE;
    free = vg_permits_lock(permits);
    pass = vg_waitlist_pass_over(&permits->waiters, &claim->entry,
                                 heals(claim) && may_go_on(claim, free));
    if (pass == VG_PASS_REVOKED)
        free += claim->want;
    vg_permits_unlock(permits, vg_permits_pump(permits, free, &wakes));
    vg_wakes_notify(&wakes);
    return pass;
}

bool vg_claim_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_claim *claim = (const struct vg_claim *)(const void *)fut;
    struct vg_permits *permits = claim->permits;

    if (!claim->queued)
        return false;
    *wait = (struct vg_wait){
        .resource = &permits->resource,
        .want = claim->want,
        .by = fut->ops->is_held ? VG_BY_HOLDERS : VG_BY_ANYBODY,
    };
    vg_spin_lock(&permits->waiters.guard);
    wait->state = (uint8_t)vg_waitlist_state(&claim->entry);
    wait->healing = heals(claim);
    vg_spin_unlock(&permits->waiters.guard);
    return true;
}

void vg_claim_init(struct vg_claim *claim, const struct vg_ops *ops, struct vg_permits *permits,
                   uint32_t want)
{
    vg_future_init(&claim->fut, ops);
    claim->want = want;
    claim->queued = false;
    claim->dismissed = false;
    claim->permits = permits;
    vg_waitlist_entry_init(&claim->entry);
}
