/* SPDX-License-Identifier: MIT */
#include <vigil/barrier.h>

#include "claim.h"
#include "permits.h"

void vg_barrier_init_at(struct vg_barrier *barrier, const char *name, uint32_t parties,
                        const struct vg_place *place)
{
    if (parties == 0)
        vg_panic("vg_barrier_init: barrier %s has no parties", name ? name : "(unnamed)");
    vg_permits_init(&barrier->permits, &vg_barrier_resource_, name, place, 0, 0);
    barrier->parties = parties;
}

void vg_barrier_fini(struct vg_barrier *barrier)
{
    const struct vg_permits_use use = vg_permits_use(&barrier->permits);

    if (use.waiters > 0)
        vg_panic("vg_barrier_fini: %u futures wait at barrier %s", use.waiters,
                 vg_permits_name(&barrier->permits));
}

/* Nobody is served before another one. */
const struct vg_resource_ops vg_barrier_resource_ = {
    .kind = "barrier",
    .waiters = vg_permits_waiters,
};

/* ---- the future ---------------------------------------------------------------------------- */

/* Whether it is the last, who lets the others go. */
static bool arrive(struct vg_claim *claim, struct vg_cx *cx)
{
    struct vg_permits *permits = claim->permits;
    const struct vg_barrier *barrier = (const struct vg_barrier *)(const void *)permits;
    struct vg_wakes wakes = {NULL, NULL};
    bool last;

    (void)vg_permits_lock(permits);
    last = permits->waiters.length + 1 == barrier->parties;
    if (last)
        vg_waitlist_dismiss(&permits->waiters, &wakes);
    else
        vg_claim_queue(claim, cx);
    vg_permits_unlock(permits, 0);
    vg_wakes_notify(&wakes);
    return last;
}

static bool start(struct vg_barrier_wait *wait, struct vg_cx *cx)
{
    vg_disarm(&wait->claim.entry.waiter, cx); /* of an earlier poll that had no budget */
    if (!vg_coop(&wait->claim.entry.waiter, &wait->fut, cx) || !arrive(&wait->claim, cx))
        return false;
    wait->ret = VG_BARRIER_LEADER;
    return true;
}

static vg_poll wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_barrier_wait *wait = (struct vg_barrier_wait *)(void *)fut;

    if (!wait->claim.queued && !vg_cancelled(fut))
        return (vg_poll){start(wait, cx)};
    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    wait->ret = vg_claim_result(&wait->claim, 0);
    return VG_READY;
}

static const struct vg_ops wait_ops = {
    .poll = wait_poll,
    VG_CLAIM_OPS,
    .name = "vg_barrier_wait",
    .size = sizeof(struct vg_barrier_wait),
};

struct vg_barrier_wait *vg_barrier_wait(struct vg_barrier_wait *wait, struct vg_barrier *barrier)
{
    vg_claim_init(&wait->claim, &wait_ops, &barrier->permits, 1);
    wait->ret = 0;
    return wait;
}
