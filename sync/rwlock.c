/* SPDX-License-Identifier: MIT */
#include <vigil/rwlock.h>

#include "claim.h"
#include "permits.h"

enum { READER = 1, WRITER = VG_RWLOCK_READERS };

static const char *name_of(const struct vg_rwlock *lock)
{
    return vg_permits_name(&lock->permits);
}

void vg_rwlock_init_at(struct vg_rwlock *lock, const char *name, const struct vg_place *place)
{
    vg_permits_init(&lock->permits, &vg_rwlock_resource_, name, place, WRITER, WRITER);
}

void vg_rwlock_fini(struct vg_rwlock *lock)
{
    const struct vg_permits_use use = vg_permits_use(&lock->permits);

    if (use.waiters > 0)
        vg_panic("vg_rwlock_fini: %u futures wait for rwlock %s", use.waiters, name_of(lock));
    if (use.taken == WRITER)
        vg_panic("vg_rwlock_fini: rwlock %s is held by a writer", name_of(lock));
    if (use.taken > 0)
        vg_panic("vg_rwlock_fini: rwlock %s is held by %u readers", name_of(lock), use.taken);
}

void vg_rwlock_set_healing(struct vg_rwlock *lock, bool healing)
{
    vg_permits_set_healing(&lock->permits, healing);
}

bool vg_tryrdlock(struct vg_rwlock *lock)
{
    return vg_permits_try(&lock->permits, READER);
}

bool vg_trywrlock(struct vg_rwlock *lock)
{
    struct vg_owner owner;

    if (!vg_permits_try(&lock->permits, WRITER))
        return false;
    owner = vg_owner_current();
    vg_owner_set(&lock->permits.owner, &owner);
    return true;
}

void vg_rdunlock(struct vg_rwlock *lock)
{
    /* With a reader inside, a unit is missing, and not all are. */
    if (VG_UNLIKELY(vg_load(&lock->permits.word, relaxed) >> 1 == 0) ||
        VG_UNLIKELY(!vg_permits_give(&lock->permits, READER)))
        vg_panic("vg_rdunlock: no reader has rwlock %s", name_of(lock));
}

void vg_wrunlock(struct vg_rwlock *lock)
{
    if (VG_UNLIKELY(!vg_permits_give(&lock->permits, WRITER)))
        vg_panic("vg_wrunlock: no writer has rwlock %s", name_of(lock));
}

void vg_downgrade(struct vg_rwlock *lock)
{
    if (VG_UNLIKELY(!vg_permits_give(&lock->permits, WRITER - READER)))
        vg_panic("vg_downgrade: no writer has rwlock %s", name_of(lock));
}

static unsigned resource_holders(struct vg_resource *resource, struct vg_owner *holders,
                                 unsigned max)
{
    struct vg_permits *permits = (struct vg_permits *)(void *)resource;
    uint32_t taken;

    vg_spin_lock(&permits->waiters.guard);
    taken = WRITER - (vg_load(&permits->word, relaxed) >> 1) - permits->waiters.granted;
    vg_spin_unlock(&permits->waiters.guard);
    return (taken == READER || taken == WRITER) && max > 0 && vg_permits_owner(resource, holders);
}

const struct vg_resource_ops vg_rwlock_resource_ = {
    .kind = "rwlock",
    .loose = true,
    .holders = resource_holders,
    .owner = vg_permits_owner,
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
    .state = vg_permits_state,
};

/*
 * A reader that finds nobody else inside leaves a record, as a writer does, and whoever gives the lock up clears it, be it
 * his or not. So the record of a lock with one reader is that one's, or there is none; where there are several, nobody
 * asks for it.
 */
static bool is_alone(struct vg_permits *permits)
{
    return vg_load(&permits->word, relaxed) >> 1 == WRITER - READER;
}

/* ---- the futures --------------------------------------------------------------------------- */

static vg_poll rdlock_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_rdlock *rdlock = (struct vg_rdlock *)(void *)fut;

    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    rdlock->ret = vg_claim_result(&rdlock->claim, 0);
    if (rdlock->ret == 0 && is_alone(rdlock->claim.permits))
        vg_claim_own(&rdlock->claim, cx);
    return VG_READY;
}

static const struct vg_ops rdlock_ops = {
    .poll = rdlock_poll,
    VG_CLAIM_OPS,
    .is_held = true,
    .name = "vg_rdlock",
    .size = sizeof(struct vg_rdlock),
};

struct vg_rdlock *vg_rdlock(struct vg_rdlock *rdlock, struct vg_rwlock *lock)
{
    vg_claim_init(&rdlock->claim, &rdlock_ops, &lock->permits, READER);
    rdlock->ret = 0;
    return rdlock;
}

static vg_poll wrlock_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_wrlock *wrlock = (struct vg_wrlock *)(void *)fut;

    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    wrlock->ret = vg_claim_result(&wrlock->claim, 0);
    if (wrlock->ret == 0)
        vg_claim_own(&wrlock->claim, cx);
    return VG_READY;
}

static const struct vg_ops wrlock_ops = {
    .poll = wrlock_poll,
    VG_CLAIM_OPS,
    .is_held = true,
    .name = "vg_wrlock",
    .size = sizeof(struct vg_wrlock),
};

struct vg_wrlock *vg_wrlock(struct vg_wrlock *wrlock, struct vg_rwlock *lock)
{
    vg_claim_init(&wrlock->claim, &wrlock_ops, &lock->permits, WRITER);
    wrlock->ret = 0;
    return wrlock;
}
