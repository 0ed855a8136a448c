/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include <errno.h>

#include "claim.h"
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

    check_count(semaphore, count, "vg_try_acquire");
    if (count > semaphore->permits.total)
        return -EINVAL;
    if (!vg_permits_try(&semaphore->permits, count))
        return vg_permits_closed(&semaphore->permits) ? -EPIPE : -EAGAIN;
    if (count == semaphore->permits.total) {
        owner = vg_owner_current();
        vg_owner_set(&semaphore->permits.owner, &owner);
    }
    return 0;
}

void vg_release(struct vg_semaphore *semaphore, uint32_t count)
{
    check_count(semaphore, count, "vg_release");
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

const struct vg_resource_ops vg_semaphore_resource_ = {
    .kind = "semaphore",
    .loose = true,
    .owner = vg_permits_owner,
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
    .state = vg_permits_state,
};
