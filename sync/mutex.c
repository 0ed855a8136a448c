/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "owner.h"
#include "permits.h"

static const char *name_of(const struct vg_mutex *mutex)
{
    return vg_permits_name(&mutex->permits);
}

void vg_mutex_init_at(struct vg_mutex *mutex, const char *name, const struct vg_place *place)
{
    vg_permits_init(&mutex->permits, &vg_mutex_resource_, name, place, 1, 1);
}

void vg_mutex_fini(struct vg_mutex *mutex)
{
    const struct vg_permits_use use = vg_permits_use(&mutex->permits);

    if (use.taken > 0)
        vg_panic("vg_mutex_fini: mutex %s is held", name_of(mutex));
    if (use.waiters > 0)
        vg_panic("vg_mutex_fini: %u futures wait for mutex %s", use.waiters, name_of(mutex));
}

void vg_mutex_set_healing(struct vg_mutex *mutex, bool healing)
{
    vg_permits_set_healing(&mutex->permits, healing);
}

bool vg_trylock(struct vg_mutex *mutex)
{
    struct vg_owner owner;

    if (!vg_permits_try(&mutex->permits, 1))
        return false;
    owner = vg_owner_current();
    vg_owner_set(&mutex->permits.owner, &owner);
    return true;
}

void vg_mutex_hand_over(struct vg_mutex *mutex)
{
    if (vg_permits_use(&mutex->permits).taken == 0)
        vg_panic("vg_mutex_hand_over: mutex %s is free", name_of(mutex));
    vg_owner_clear(&mutex->permits.owner);
}

static VG_NORETURN void not_owned(struct vg_mutex *mutex)
{
    if (vg_permits_use(&mutex->permits).taken > 0)
        vg_panic("vg_unlock: mutex %s is granted to a waiter, nobody owns it", name_of(mutex));
    vg_panic("vg_unlock: mutex %s is free", name_of(mutex));
}

void vg_unlock(struct vg_mutex *mutex)
{
    if (VG_UNLIKELY(!vg_permits_give(&mutex->permits, 1)))
        not_owned(mutex);
}

static bool resource_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    struct vg_permits *permits = (struct vg_permits *)(void *)resource;
    bool held;

    vg_spin_lock(&permits->waiters.guard);
    held = vg_load(&permits->word, relaxed) >> 1 == 0 && !permits->waiters.granted;
    vg_spin_unlock(&permits->waiters.guard);
    if (held && !vg_owner_get(&permits->owner, owner))
        *owner = (struct vg_owner){0};
    return held;
}

const struct vg_resource_ops vg_mutex_resource_ = {
    .kind = "mutex",
    .owner = resource_owner,
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
    .state = vg_permits_state,
};
