/* SPDX-License-Identifier: MIT */
#include "permits.h"

void vg_permits_init(struct vg_permits *permits, const struct vg_resource_ops *ops,
                     const char *name, const struct vg_place *place, uint32_t free, uint32_t total)
{
    *permits = (struct vg_permits){
        .resource = {ops, name, place},
        .word = free << 1,
        .total = total,
    };
}

const char *vg_permits_name(const struct vg_permits *permits)
{
    return permits->resource.name ? permits->resource.name : "(unnamed)";
}

struct vg_permits_use vg_permits_use(struct vg_permits *permits)
{
    struct vg_permits_use use;

    vg_spin_lock(&permits->waiters.guard);
    /* Acquire: pairs with the last release of units, whose access comes before the storage's reuse. */
    use.taken = permits->total - (vg_load(&permits->word, acquire) >> 1);
    use.waiters = permits->waiters.length + permits->waiters.let_go;
    vg_spin_unlock(&permits->waiters.guard);
    return use;
}

void vg_permits_set_healing(struct vg_permits *permits, bool healing)
{
    vg_spin_lock(&permits->waiters.guard);
    permits->healing = healing ? VG_HEALS : VG_HEALS_NOT;
    vg_spin_unlock(&permits->waiters.guard);
}

uint32_t vg_permits_lock(struct vg_permits *permits)
{
    uint32_t word;

    vg_spin_lock(&permits->waiters.guard);
    /* Relaxed: with QUEUE, the word was last written by who held the guard before us. */
    word = vg_load(&permits->word, relaxed);
    if (!(word & VG_PERMITS_QUEUE))
        /* From here on nobody gets past the guard. Acquire: as in vg_permits_take_fast(). */
        word = vg_fetch_or(&permits->word, VG_PERMITS_QUEUE, acq_rel);
    return word >> 1;
}

void vg_permits_unlock(struct vg_permits *permits, uint32_t free)
{
    const bool queue = permits->waiters.length > 0 || permits->closed;

    /* Release: pairs with the acquires of those who take. Also when nothing was given back here: this store
     * hides the release of whoever gave units back before, so it must hand that on. */
    vg_store(&permits->word, free << 1 | (queue ? VG_PERMITS_QUEUE : 0), release);
    vg_spin_unlock(&permits->waiters.guard);
}

uint32_t vg_permits_pump(struct vg_permits *permits, uint32_t free, struct vg_wakes *wakes)
{
    free = vg_waitlist_pump(&permits->waiters, free, wakes);
    return free < permits->total ? free : permits->total;
}

bool vg_permits_try(struct vg_permits *permits, uint32_t want)
{
    uint32_t word, free;
    bool taken;

    if (vg_permits_take_fast(permits, want, &word))
        return true;
    if (word >> 1 < want)
        return false;
    free = vg_permits_lock(permits);
    taken = free >= want && !permits->closed && !vg_waitlist_oldest(&permits->waiters);
    vg_permits_unlock(permits, taken ? free - want : free);
    return taken;
}

/* With waiters, or in vain. */
static bool give_guarded(struct vg_permits *permits, uint32_t units)
{
    struct vg_wakes wakes = {NULL, NULL};
    uint32_t free = vg_permits_lock(permits);
    const bool taken = units <= permits->total - free - permits->waiters.granted;

    if (taken)
        free = vg_permits_pump(permits, free + units, &wakes);
    vg_permits_unlock(permits, free); /* the last access to the permits and to their next owners */
    vg_wakes_notify(&wakes);
    return taken;
}

bool vg_permits_give(struct vg_permits *permits, uint32_t units)
{
    uint32_t word;

    vg_owner_clear(&permits->owner);
    return vg_permits_give_fast(permits, units, &word) || give_guarded(permits, units);
}

void vg_permits_add(struct vg_permits *permits, uint32_t units)
{
    const uint32_t total = permits->total;
    uint32_t word = vg_load(&permits->word, relaxed), free = 0;
    struct vg_wakes wakes = {NULL, NULL};

    while (!(word & VG_PERMITS_QUEUE)) {
        free = units < total - (word >> 1) ? (word >> 1) + units : total;
        /* Release: pairs with the acquire of whoever takes a unit. Also where the word stays as it is: what
         * the caller wrote goes with the units that are there. */
        if (vg_cas(&permits->word, &word, free << 1, acq_rel, relaxed))
            return;
    }
    free = vg_permits_lock(permits);
    vg_permits_unlock(permits, vg_permits_pump(permits, free + units, &wakes));
    vg_wakes_notify(&wakes);
}

void vg_permits_dismiss(struct vg_permits *permits, bool close, uint32_t units)
{
    struct vg_wakes wakes = {NULL, NULL};
    const uint32_t free = vg_permits_lock(permits) + units;

    permits->closed |= close;
    vg_waitlist_dismiss(&permits->waiters, &wakes);
    vg_permits_unlock(permits, free);
    vg_wakes_notify(&wakes);
}

bool vg_permits_closed(struct vg_permits *permits)
{
    bool closed;

    vg_spin_lock(&permits->waiters.guard);
    closed = permits->closed;
    vg_spin_unlock(&permits->waiters.guard);
    return closed;
}

/* ---- the resource -------------------------------------------------------------------------- */

static struct vg_permits *permits_of(struct vg_resource *resource)
{
    return (struct vg_permits *)(void *)resource;
}

bool vg_permits_ahead(struct vg_resource *resource, const struct vg_future *first,
                      const struct vg_future *second)
{
    return vg_waitlist_ahead(&permits_of(resource)->waiters, first, second);
}

unsigned vg_permits_waiters(struct vg_resource *resource)
{
    return vg_waitlist_waiters(&permits_of(resource)->waiters);
}

bool vg_permits_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    return vg_owner_get(&permits_of(resource)->owner, owner);
}

bool vg_permits_state(struct vg_resource *resource, struct vg_resource_state *state)
{
    struct vg_permits *permits = permits_of(resource);
    const struct vg_wait_entry *next;

    vg_spin_lock(&permits->waiters.guard);
    next = permits->closed ? NULL : vg_waitlist_oldest(&permits->waiters);
    *state = (struct vg_resource_state){
        .total = permits->total,
        .free = vg_load(&permits->word, relaxed) >> 1,
        .granted = permits->waiters.granted,
        .next = next != NULL && !(next->marks & VG_WAITER_WOKEN) ? next->waiter.fut : NULL,
        .wanted = next != NULL ? next->want : 0,
    };
    vg_spin_unlock(&permits->waiters.guard);
    state->held = state->total - state->free - state->granted;
    return true;
}
