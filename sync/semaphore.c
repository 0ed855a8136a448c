/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include <errno.h>

#include "claim.h"
#include "holders.h"
#include "permits.h"

static const char *name_of(const struct vg_semaphore *semaphore)
{
    return vg_permits_name(&semaphore->permits);
}

void vg_semaphore_init_at(struct vg_semaphore *semaphore, const char *name, uint32_t count,
                          const struct vg_place *place)
{
    if (count == 0 || count > VG_SEMAPHORE_MAX)
        vg_panic("vg_semaphore_init: semaphore %s cannot have %u permits",
                 name ? name : "(unnamed)", count);
    *semaphore = (struct vg_semaphore){.holders = {.unknown = 0}};
    vg_permits_init(&semaphore->permits, &vg_semaphore_resource_, name, place, count, count);
}

void vg_semaphore_fini(struct vg_semaphore *semaphore)
{
    const struct vg_permits_use use = vg_permits_use(&semaphore->permits);

    if (use.waiters > 0)
        vg_panic("vg_semaphore_fini: %u futures wait for semaphore %s", use.waiters,
                 name_of(semaphore));
    if (use.taken > 0)
        vg_panic("vg_semaphore_fini: %u permits of semaphore %s are out", use.taken,
                 name_of(semaphore));
}

void vg_semaphore_set_healing(struct vg_semaphore *semaphore, bool healing)
{
    vg_permits_set_healing(&semaphore->permits, healing);
}

/* Who asks for nothing has miscounted. */
static void check_count(const struct vg_semaphore *semaphore, uint32_t count, const char *call)
{
    if (VG_UNLIKELY(count == 0))
        vg_panic("%s: no permits asked for of semaphore %s", call, name_of(semaphore));
}

int vg_try_acquire(struct vg_semaphore *semaphore, uint32_t count)
{
    struct vg_owner owner;
    const uint32_t total = semaphore->permits.total;

    check_count(semaphore, count, "vg_try_acquire");
    if (count > total)
        return -EINVAL;
    if (!vg_permits_try(&semaphore->permits, count))
        return vg_permits_closed(&semaphore->permits) ? -EPIPE : -EAGAIN;
    if (count == total || vg_holders_known(semaphore)) {
        owner = vg_owner_current();
        vg_holders_add(semaphore, owner.task, count);
        if (count == total)
            vg_owner_set(&semaphore->permits.owner, &owner);
    }
    return 0;
}

void vg_release(struct vg_semaphore *semaphore, uint32_t count)
{
    check_count(semaphore, count, "vg_release");
    if (VG_UNLIKELY(vg_holders_known(semaphore)))
        vg_holders_remove(semaphore, vg_owner_current().task, count);
    if (VG_UNLIKELY(!vg_permits_give(&semaphore->permits, count)))
        vg_panic("vg_release: so many permits of semaphore %s are not taken: %u",
                 name_of(semaphore), count);
}

void vg_semaphore_close(struct vg_semaphore *semaphore)
{
    vg_permits_dismiss(&semaphore->permits, true, 0);
}

uint32_t vg_semaphore_free(struct vg_semaphore *semaphore)
{
    return vg_load(&semaphore->permits.word, relaxed) >> 1;
}

static unsigned add_holder(struct vg_owner *holders, unsigned n, uint64_t task)
{
    for (unsigned i = 0; i < n; i++)
        if (holders[i].task == task)
            return n;
    holders[n] = (struct vg_owner){.task = task};
    return n + 1;
}

/* Guard held. Reads the slots; 0: not all that is out is there. */
static unsigned read_holders(struct vg_semaphore *semaphore, struct vg_owner *holders)
{
    const uint32_t free = vg_load(&semaphore->permits.word, relaxed) >> 1;
    uint32_t found = semaphore->permits.waiters.granted;
    unsigned n = 0;

    for (unsigned i = 0; i < VG_HOLDERS_MAX; i++) {
        const uint64_t task = vg_load(&semaphore->holders.task[i], relaxed);

        if (task == 0)
            continue;
        found++;
        n = add_holder(holders, n, task);
    }
    return found + free == semaphore->permits.total ? n : 0;
}

static unsigned resource_holders(struct vg_resource *resource, struct vg_owner *holders,
                                 unsigned max)
{
    struct vg_semaphore *semaphore = (struct vg_semaphore *)(void *)resource;
    struct vg_owner all[VG_HOLDERS_MAX];
    unsigned n = 0;

    if (!vg_holders_known(semaphore))
        return vg_permits_owner(resource, &holders[0]);
    if (vg_load(&semaphore->holders.unknown, relaxed) != 0)
        return 0;
    vg_spin_lock(&semaphore->permits.waiters.guard);
    if (semaphore->permits.waiters.granted ==
        0) /* else who has it is not the only one to wait for */
        n = read_holders(semaphore, all);
    vg_spin_unlock(&semaphore->permits.waiters.guard);
    for (unsigned i = 0; i < n && i < max; i++)
        holders[i] = all[i];
    return n;
}

const struct vg_resource_ops vg_semaphore_resource_ = {
    .kind = "semaphore",
    .loose = true,
    .holders = resource_holders,
    .owner = vg_permits_owner,
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
    .state = vg_permits_state,
};
