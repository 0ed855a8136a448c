/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include <errno.h>

#include "claim.h"
#include "holders.h"
#include "owner.h"

/* The permits come first in it. */
static struct vg_semaphore *semaphore_of(const struct vg_claim *claim)
{
    return (struct vg_semaphore *)(void *)claim->permits;
}

static vg_poll acquire_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_acquire *acquire = (struct vg_acquire *)(void *)fut;
    const struct vg_claim *claim = &acquire->claim;
    const bool possible = claim->want <= claim->permits->total;

    if (possible && !vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    acquire->ret = vg_claim_result(claim, -EPIPE);
    if (acquire->ret == 0 && !possible)
        acquire->ret = -EINVAL;
    if (acquire->ret == 0 && claim->want == claim->permits->total)
        vg_claim_own(&acquire->claim, cx);
    if (acquire->ret == 0)
        vg_holders_add(semaphore_of(claim), vg_task_id_here(cx), claim->want);
    return VG_READY;
}

static const struct vg_ops acquire_ops = {
    .poll = acquire_poll,
    VG_CLAIM_OPS,
    .is_held = true,
    .name = "vg_acquire",
    .size = sizeof(struct vg_acquire),
};

struct vg_acquire *vg_acquire(struct vg_acquire *acquire, struct vg_semaphore *semaphore,
                              uint32_t count)
{
    if (VG_UNLIKELY(count == 0))
        vg_panic("vg_acquire: no permits asked for");
    vg_claim_init(&acquire->claim, &acquire_ops, &semaphore->permits, count);
    acquire->ret = 0;
    return acquire;
}

struct vg_permit vg_permit_take(struct vg_acquire *acquire)
{
    struct vg_claim *claim = &acquire->claim;
    const uint32_t count = claim->want;

    if (!vg_done(&acquire->fut) || acquire->ret < 0 || count == 0)
        vg_panic("vg_permit_take: the acquire has no permits");
    claim->want = 0;
    vg_owner_clear(&claim->permits->owner); /* whoever gets the object gives them back */
    if (vg_holders_known(semaphore_of(claim)))
        vg_store(&(semaphore_of(claim))->holders.unknown, 1u, relaxed);
    return (struct vg_permit){semaphore_of(claim), count};
}

void vg_permit_release(struct vg_permit *permit)
{
    const struct vg_permit held = *permit;

    *permit = (struct vg_permit){NULL, 0};
    if (held.count > 0)
        vg_release(held.semaphore, held.count);
}
