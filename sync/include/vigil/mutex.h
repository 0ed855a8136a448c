/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_MUTEX_H
#define VIGIL_MUTEX_H

#include <vigil/permits.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A mutex whose waiters suspend; the worker thread goes on with other tasks.
 *
 *     VG_AWAIT(rc, vg_lock(&f->lock, &shared->mutex));
 *     if (rc < 0)
 *         VG_RETURN(rc);                  (cancelled: the mutex is not ours)
 *     ...                                 (critical section; may itself await)
 *     vg_unlock(&shared->mutex);
 *
 * Where no critical section ever awaits, a pthread mutex is simpler and cheaper.
 *
 * Fairness  First come, first served among waiters that are polled. vg_unlock() grants the mutex to
 *           the oldest of them before it returns, so nobody can barge in between.
 * Healing   A grant whose task runs and leaves it unanswered, because the waiting future is parked
 *           or not polled, is taken back at the end of that poll and given to the next waiter; the
 *           one that was passed over keeps its place, and gets its turn when it is polled again.
 *           While all waiters are passed over the mutex is free for newcomers. Without healing such
 *           a grant stays, and everybody behind it waits. Owners are never robbed: only grants that
 *           were not taken yet come back.
 * Memory    vg_mutex and vg_lock are storage of the caller; nothing is allocated. The mutex must
 *           outlive every vg_lock that waits for it. Neither may be moved.
 * Threads   Any future on any worker may lock; any thread may unlock for the owner. vg_mutex_init()
 *           and vg_mutex_fini() must not race with other calls, with one exception: whoever
 *           completes a vg_lock may unlock and destroy the mutex at once, although the vg_unlock()
 *           that handed it over has not returned yet.
 * Ordering  What precedes vg_unlock() happens before the next owner's vg_lock() or vg_trylock()
 *           succeeds.
 * Errors    -ECANCELED is the only one. Unlocking a free mutex and destroying one in use panic.
 * Cost      Free mutex: one compare-and-swap each way. Contended: a spin lock for one list edit and
 *           one push on the task of the next owner, who is notified after it. Each waiter that was
 *           passed over and stands before the next owner costs a step in the list.
 */

struct vg_mutex {
    struct vg_permits permits; /* private: one unit */
};

/* The future that vg_lock() prepares. */
struct vg_lock {
    union {
        struct vg_future fut;
        struct vg_claim claim; /* private */
    };
    int ret; /* 0 or -ECANCELED; valid once the future is done */
};

/* A mutex that is owned, as an object. Zero owns none. */
struct vg_mutex_guard {
    struct vg_mutex *mutex; /* private */
};

extern VG_API const struct vg_resource_ops vg_mutex_resource_;

#define VG_MUTEX_TEXT__(x) #x
#define VG_MUTEX_TEXT_(x) VG_MUTEX_TEXT__(x)

/* For static storage: static struct vg_mutex m = VG_MUTEX_INIT_NAMED("db"); the name is for
 * reports. Without one the mutex is called after the line it is defined on. */
#define VG_MUTEX_INIT_NAMED(name)                                                                  \
    {                                                                                              \
        VG_PERMITS_INIT_(&vg_mutex_resource_, name, 1, 1)                                          \
    }
#define VG_MUTEX_INIT VG_MUTEX_INIT_NAMED(__FILE__ ":" VG_MUTEX_TEXT_(__LINE__))

/* Makes a free mutex. The name is static storage or NULL; `place`, where reports say that it was
 * initialised, is static storage or NULL. */
VG_API void vg_mutex_init_at(struct vg_mutex *mutex, const char *name,
                             const struct vg_place *place);

/* vg_mutex_init_at() this line. */
#ifdef __cplusplus
#define vg_mutex_init(mutex, name) vg_mutex_init_at((mutex), (name), NULL)
#else
#define vg_mutex_init(mutex, name) vg_mutex_init_at((mutex), (name), VG_HERE)
#endif

/* Panics if the mutex is held or awaited. Afterwards the storage may be reused. */
VG_API void vg_mutex_fini(struct vg_mutex *mutex);

/* Overrides for this mutex what the executor does with grants that are passed over. At any time;
 * what was passed over before stays as it is. */
VG_API void vg_mutex_set_healing(struct vg_mutex *mutex, bool healing);

/*
 * Prepares `lock` as a future that completes when the mutex is owned, and returns it. Lazy: the
 * place in the queue is taken at the first poll, not here.
 *
 * Completes with 0, and the caller must then vg_unlock(); or with -ECANCELED, and must not.
 *
 * Cancelling a lock that waits removes it from the queue. Cancelling one that was granted the mutex
 * and has not been polled since passes the mutex on, so that it is never lost in between.
 */
VG_API struct vg_lock *vg_lock(struct vg_lock *lock, struct vg_mutex *mutex);

/* Takes a free mutex without waiting. False if it is held, or granted to a waiter. */
VG_API VG_MUST_USE bool vg_trylock(struct vg_mutex *mutex);

/*
 * Says that somebody else is going to unlock it: another task, a thread, a callback. By the owner. Reports name nobody
 * as its owner from then on, and no ring of tasks that wait for each other is seen through it. A spin lock and a store. Panics if
 * the mutex is free.
 */
VG_API void vg_mutex_hand_over(struct vg_mutex *mutex);

/*
 * Gives the mutex up, to the oldest waiter if there is one. Never blocks and never polls: the next
 * owner runs later, on a worker. May be called outside the executor. Panics if nobody owns the
 * mutex.
 */
VG_API void vg_unlock(struct vg_mutex *mutex);

/*
 * What a lock that has completed with 0 owns, as an object: to be kept where the lock is not, or to be given to another task or
 * thread, which then unlocks. It may be copied, and one of the copies is to be released. Instead of vg_unlock(), and like
 * vg_mutex_hand_over(). Panics if the lock owns nothing, or the second time. Where the same function unlocks, vg_unlock() says more
 * to the reports.
 */
VG_API VG_MUST_USE struct vg_mutex_guard vg_mutex_guard_take(struct vg_lock *lock);

/* Unlocks what the object owns, and empties it. An empty one is left as it is. From any thread. */
VG_API void vg_mutex_guard_release(struct vg_mutex_guard *guard);

#ifdef __cplusplus
}
#endif
#endif
