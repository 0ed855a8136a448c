/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_COND_H
#define VIGIL_COND_H

#include <vigil/mutex.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A condition variable: waits, without the mutex, for a change of what the mutex guards.
 *
 *     VG_TRY(rc, vg_lock(&f->lock, &queue->mutex));
 *     while (rc == 0 && queue->length == 0)
 *         VG_AWAIT(rc, vg_cond_wait(&f->wait, &queue->filled, &queue->mutex));
 *     if (rc == 0)
 *         job = take(queue);
 *     vg_unlock(&queue->mutex);           (also when the wait was cancelled)
 *
 * Look at the condition again after each wait: somebody may have had the mutex in between.
 *
 * If nothing is guarded but a flag, <vigil/notify.h> is simpler and stores a notification; vg_cond_signal() with nobody
 * waiting does nothing.
 *
 * Mutex     As POSIX has it: the caller holds the mutex when the wait is first polled; the wait gives it up when it has
 *           its place in the queue, so no signal is missed in between; and however it ends, also cancelled, it has the
 *           mutex again. A cancelled wait may therefore take as long as others hold the mutex. All who wait at
 *           the same time name the same mutex. Signals need not hold it.
 * Cancel    -ECANCELED. A wait that was signalled and is cancelled before it has run passes the signal on to another
 *           one that waits. A wait that ended before the cancel, and only waits for the mutex, completes with 0.
 * Fairness  vg_cond_signal() takes the oldest of those who are polled. Then it queues for the mutex like others.
 * Healing   A signal whose task runs and leaves it unanswered goes to the next who waits; if there is none it stays.
 * Memory    All storage is the caller's; nothing is allocated. The condition and its mutex must outlive every wait, and
 *           none may be moved.
 * Threads   Any future on any worker may wait; any thread may signal. vg_cond_init() and vg_cond_fini() must not race
 *           with other calls.
 * Ordering  That of the mutex.
 * Errors    -ECANCELED. Waiting with a mutex that nobody holds, and destroying a condition that somebody waits for,
 *           panic.
 * Cost      A wait: a spin lock for a list edit, an unlock and a lock. A signal: nobody waits, one compare-and-swap, else
 *           a list edit and a push on a task.
 */

struct vg_cond {
    struct vg_permits permits; /* private: units come from nowhere, for those who wait now */
};

/* The future that vg_cond_wait() prepares. */
struct vg_cond_wait {
    struct vg_future fut;
    int ret; /* 0 or -ECANCELED; valid once the future is done, and the mutex is held either way */
    /* private */
    bool gave_up; /* the mutex */
    struct vg_mutex *mutex;
    struct vg_claim signal;
    struct vg_lock lock;
};

extern VG_API const struct vg_resource_ops vg_cond_resource_;

/* For static storage: static struct vg_cond c = VG_COND_INIT_NAMED("filled"); */
#define VG_COND_INIT_NAMED(name)                                                                   \
    {                                                                                              \
        VG_PERMITS_INIT_(&vg_cond_resource_, name, 0, 0)                                           \
    }

/* Makes a condition that nobody waits for. The name is static storage or NULL; so is `place`. */
VG_API void vg_cond_init_at(struct vg_cond *cond, const char *name, const struct vg_place *place);

/* vg_cond_init_at() this line. */
#ifdef __cplusplus
#define vg_cond_init(cond, name) vg_cond_init_at((cond), (name), NULL)
#else
#define vg_cond_init(cond, name) vg_cond_init_at((cond), (name), VG_HERE)
#endif

/* Panics if somebody waits. Afterwards the storage may be reused. */
VG_API void vg_cond_fini(struct vg_cond *cond);

/* Prepares `wait` as a future that gives the mutex up, completes when it was signalled or cancelled and has the
 * mutex again, and returns it. */
VG_API struct vg_cond_wait *vg_cond_wait(struct vg_cond_wait *wait, struct vg_cond *cond,
                                         struct vg_mutex *mutex);

/* Ends the oldest wait, if there is one. Never blocks and never polls. From any thread. */
VG_API void vg_cond_signal(struct vg_cond *cond);

/* Ends all present waits. Likewise. */
VG_API void vg_cond_broadcast(struct vg_cond *cond);

#ifdef __cplusplus
}
#endif
#endif
