/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_OS_MUTEX_H
#define VIGIL_OS_MUTEX_H

#include <vigil/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A mutex of the system, which blocks the thread that waits for it, with a name for reports. For data that tasks and
 * threads share, and that is held for a moment:
 *
 *     vg_os_lock(&cache->mutex);
 *     entry = lookup(cache, key);
 *     vg_os_unlock(&cache->mutex);            (before the next await)
 *
 * A task that awaits something while it has one is reported (lock-across-suspend): whoever wants the mutex then blocks
 * his worker until the task runs again, which it may never do if that worker is the one. Use <vigil/mutex.h>
 * where a critical section has to await.
 *
 * Memory    The caller's; may not be moved. The name is static storage or NULL.
 * Threads   Any. Not recursive. Whoever locks it unlocks it, on the same thread.
 * Ordering  What precedes vg_os_unlock() happens before the next vg_os_lock() returns.
 * Errors    None. Locking it twice on one thread, unlocking one that is not held by it, and destroying one in use panic.
 * Cost      pthread_mutex_trylock() of an error-checking mutex, some stores, and a record of the owner.
 */
struct vg_os_mutex {
    /* private */
    struct vg_resource resource; /* first */
    uint64_t lock[6];
    VG_ATOMIC(uint64_t)
    owner; /* the task that has it; 0: none, or a thread outside. Relaxed: for reports */
};

extern VG_API const struct vg_resource_ops vg_os_mutex_resource_;

VG_API void vg_os_mutex_init_at(struct vg_os_mutex *mutex, const char *name,
                                const struct vg_place *place);

/* vg_os_mutex_init_at() this line. */
#ifdef __cplusplus
#define vg_os_mutex_init(mutex, name) vg_os_mutex_init_at((mutex), (name), NULL)
#else
#define vg_os_mutex_init(mutex, name) vg_os_mutex_init_at((mutex), (name), VG_HERE)
#endif

VG_API void vg_os_mutex_fini(struct vg_os_mutex *mutex);

/* Blocks the thread, a worker's too, until the mutex is free. */
VG_API void vg_os_lock(struct vg_os_mutex *mutex);
VG_API VG_MUST_USE bool vg_os_trylock(struct vg_os_mutex *mutex);
VG_API void vg_os_unlock(struct vg_os_mutex *mutex);

#ifdef __cplusplus
}
#endif
#endif
