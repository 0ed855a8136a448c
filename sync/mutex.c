/* SPDX-License-Identifier: MIT */
#include "mutex.h"

#include <vigil/exec.h>

#include "owner.h"
#include "vg_spin.h"

static const char *name_of(const struct vg_mutex *mutex)
{
    return mutex->resource.name ? mutex->resource.name : "(unnamed)";
}

void vg_mutex_init_at(struct vg_mutex *mutex, const char *name, const struct vg_place *place)
{
    *mutex = (struct vg_mutex){.resource = {&vg_mutex_resource_, name, place}};
}

/* Through the guard: an unlock may have freed the mutex, but not released the guard yet, when
 * somebody else has already locked, unlocked and decided to destroy it. */
void vg_mutex_fini(struct vg_mutex *mutex)
{
    uint32_t word;

    vg_spin_lock(&mutex->waiters.guard);
    /* Acquire: pairs with the last unlock, whose access comes before the storage's reuse. */
    word = vg_load(&mutex->word, acquire);
    if (word & VG_MUTEX_LOCKED)
        vg_panic("vg_mutex_fini: mutex %s is held", name_of(mutex));
    if (word & VG_MUTEX_QUEUE)
        vg_panic("vg_mutex_fini: %u futures wait for mutex %s", mutex->waiters.length,
                 name_of(mutex));
    VG_ASSERT(mutex->waiters.length == 0);
    vg_spin_unlock(&mutex->waiters.guard);
}

void vg_mutex_set_healing(struct vg_mutex *mutex, bool healing)
{
    vg_spin_lock(&mutex->waiters.guard);
    mutex->healing = healing ? VG_MUTEX_HEALS : VG_MUTEX_HEALS_NOT;
    vg_spin_unlock(&mutex->waiters.guard);
}

static bool try_take(struct vg_mutex *mutex)
{
    uint32_t word;
    bool taken;

    if (vg_mutex_take_fast(mutex, &word))
        return true;
    if (word & VG_MUTEX_LOCKED)
        return false;
    vg_spin_lock(&mutex->waiters.guard);
    taken = vg_mutex_take_guarded(mutex);
    vg_spin_unlock(&mutex->waiters.guard);
    return taken;
}

bool vg_trylock(struct vg_mutex *mutex)
{
    struct vg_owner owner;

    if (!try_take(mutex))
        return false;
    owner = vg_owner_current();
    vg_owner_set(&mutex->owner, &owner);
    return true;
}

void vg_unlock(struct vg_mutex *mutex)
{
    uint32_t word = VG_MUTEX_LOCKED;
    struct vg_notice notice;

    vg_owner_clear(&mutex->owner);
    /* Release: pairs with the acquires of the next owner. On success the last access to the
     * mutex. */
    if (vg_cas(&mutex->word, &word, 0, acq_rel, relaxed))
        return;
    if (!(word & VG_MUTEX_LOCKED))
        vg_panic("vg_unlock: mutex %s is free", name_of(mutex));
    vg_spin_lock(&mutex->waiters.guard);
    if (mutex->waiters.granted)
        vg_panic("vg_unlock: mutex %s is granted to a waiter, nobody owns it", name_of(mutex));
    notice = vg_mutex_give_on(mutex);
    vg_spin_unlock(&mutex->waiters.guard); /* the last access to the mutex and to the next owner */
    vg_notify(notice);
}

static struct vg_mutex *mutex_of(struct vg_resource *resource)
{
    return (struct vg_mutex *)(void *)resource;
}

static bool resource_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    struct vg_mutex *mutex = mutex_of(resource);
    bool held;

    vg_spin_lock(&mutex->waiters.guard);
    held = (vg_load(&mutex->word, relaxed) & VG_MUTEX_LOCKED) && !mutex->waiters.granted;
    vg_spin_unlock(&mutex->waiters.guard);
    if (held && !vg_owner_get(&mutex->owner, owner))
        *owner = (struct vg_owner){0};
    return held;
}

static bool resource_ahead(struct vg_resource *resource, const struct vg_future *first,
                           const struct vg_future *second)
{
    return vg_waitlist_ahead(&mutex_of(resource)->waiters, first, second);
}

static unsigned resource_waiters(struct vg_resource *resource)
{
    return vg_waitlist_waiters(&mutex_of(resource)->waiters);
}

const struct vg_resource_ops vg_mutex_resource_ = {
    .kind = "mutex",
    .owner = resource_owner,
    .ahead = resource_ahead,
    .waiters = resource_waiters,
};
