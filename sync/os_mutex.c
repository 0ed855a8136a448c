/* SPDX-License-Identifier: MIT */
#include <vigil/os_mutex.h>

#include <errno.h>

#include "vg_atomic.h"
#include "vg_os.h"

static const char *name_of(const struct vg_os_mutex *mutex)
{
    return mutex->resource.name != NULL ? mutex->resource.name : "(unnamed)";
}

void vg_os_mutex_init_at(struct vg_os_mutex *mutex, const char *name, const struct vg_place *place)
{
    mutex->resource = (struct vg_resource){&vg_os_mutex_resource_, name, place};
    vg_store(&mutex->owner, 0, relaxed);
    if (vg_os_lock_init(mutex->lock) != 0)
        vg_panic("vg_os_mutex_init: the system cannot make mutex %s", name_of(mutex));
}

void vg_os_mutex_fini(struct vg_os_mutex *mutex)
{
    if (vg_os_lock_fini(mutex->lock) != 0)
        vg_panic("vg_os_mutex_fini: mutex %s is held", name_of(mutex));
}

static void take(struct vg_os_mutex *mutex)
{
    vg_store(&mutex->owner, vg_owner_current().task, relaxed);
    vg_thread_lock_taken(&mutex->resource);
}

/* Says what for while it blocks. */
static int block(struct vg_os_mutex *mutex)
{
    int rc;

    vg_thread_blocks(&mutex->resource, vg_load(&mutex->owner, relaxed));
    rc = vg_os_lock_take(mutex->lock);
    vg_thread_blocks(NULL, 0);
    return rc;
}

void vg_os_lock(struct vg_os_mutex *mutex)
{
    int rc = vg_os_lock_try(mutex->lock);

    if (rc == EBUSY)
        rc = block(mutex);
    if (rc == EDEADLK)
        vg_panic("vg_os_lock: this thread has mutex %s already", name_of(mutex));
    if (rc != 0)
        vg_panic("vg_os_lock: mutex %s was not initialised, or is gone", name_of(mutex));
    take(mutex);
}

bool vg_os_trylock(struct vg_os_mutex *mutex)
{
    if (vg_os_lock_try(mutex->lock) != 0)
        return false;
    take(mutex);
    return true;
}

void vg_os_unlock(struct vg_os_mutex *mutex)
{
    vg_store(&mutex->owner, 0, relaxed);
    if (vg_os_lock_give(mutex->lock) != 0)
        vg_panic("vg_os_unlock: this thread does not have mutex %s", name_of(mutex));
    vg_thread_lock_given(&mutex->resource);
}

const struct vg_resource_ops vg_os_mutex_resource_ = {.kind = "os-mutex"};
