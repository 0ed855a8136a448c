/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "claim.h"

static vg_poll lock_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_lock *lock = (struct vg_lock *)(void *)fut;

    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    lock->ret = vg_claim_result(&lock->claim, 0);
    if (lock->ret == 0)
        vg_claim_own(&lock->claim, cx);
    return VG_READY;
}

static const struct vg_ops lock_ops = {
    .poll = lock_poll,
    VG_CLAIM_OPS,
    .is_held = true,
    .name = "vg_lock",
    .size = sizeof(struct vg_lock),
};

struct vg_lock *vg_lock(struct vg_lock *lock, struct vg_mutex *mutex)
{
    vg_claim_init(&lock->claim, &lock_ops, &mutex->permits, 1);
    lock->ret = 0;
    return lock;
}
