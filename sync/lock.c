/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "claim.h"
#include "owner.h"

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

struct vg_mutex_guard vg_mutex_guard_take(struct vg_lock *lock)
{
    struct vg_claim *claim = &lock->claim;

    if (!vg_done(&lock->fut) || lock->ret < 0 || claim->want == 0)
        vg_panic("vg_mutex_guard_take: the lock does not own a mutex");
    claim->want = 0;
    vg_owner_clear(&claim->permits->owner); /* whoever gets the object unlocks */
    return (struct vg_mutex_guard){(struct vg_mutex *)(void *)claim->permits};
}

void vg_mutex_guard_release(struct vg_mutex_guard *guard)
{
    struct vg_mutex *const mutex = guard->mutex;

    guard->mutex = NULL;
    if (mutex != NULL)
        vg_unlock(mutex);
}
