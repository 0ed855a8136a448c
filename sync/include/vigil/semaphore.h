/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEMAPHORE_H
#define VIGIL_SEMAPHORE_H

#include <vigil/permits.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A number of permits that tasks take, several at a time if they like, and give back; those that find too few suspend.
 *
 *     VG_AWAIT(rc, vg_acquire(&f->acquire, &shared->connections, 2));
 *     if (rc < 0)
 *         VG_RETURN(rc);                  (cancelled or closed: no permit is ours)
 *     ...                                 (may itself await)
 *     vg_release(&shared->connections, 2);
 *
 * Permits have no owner: any task may give back what another one took. Where they are handed on, a vg_permit
 * says which they are:
 *
 *     job->permit = vg_permit_take(&f->acquire);
 *     ...                                 (in another task, when the job is done)
 *     vg_permit_release(&job->permit);
 *
 * For one permit that the same task gives back, a mutex says more about its owner.
 *
 * Fairness  First come, first served among waiters that are polled, whatever they ask for: a large request at
 *           the head is not starved by small ones behind it, and those wait although there would be permits for
 *           them. vg_release() grants what fits before it returns.
 * Healing   As in <vigil/mutex.h>: a grant whose task runs and leaves it unanswered is taken back, whole, and
 *           serves those behind. A request at the head that is passed over does not hold them up either. Permits
 *           that were taken never come back by themselves.
 * Closing   vg_semaphore_close() ends all that wait and all that come later with -EPIPE. Permits that were
 *           granted before are still taken, and may be given back as ever.
 * Memory    All storage is the caller's; nothing is allocated. The semaphore must outlive every vg_acquire that
 *           waits for it. Neither may be moved. A vg_permit may be moved and must not be copied.
 * Threads   Any future on any worker may acquire; any thread may release, try and close. vg_semaphore_init() and
 *           vg_semaphore_fini() must not race with other calls, with one exception: whoever completes an
 *           acquire may release and destroy the semaphore at once, although the vg_release() that granted it has
 *           not returned yet.
 * Ordering  What precedes vg_release() happens before a later acquire of any of these permits succeeds.
 * Errors    -ECANCELED; -EPIPE: closed, before it was cancelled if it was; -EINVAL: asked for more than the semaphore has. Giving back more than was
 *           taken, asking for none, and destroying a semaphore with permits out or with waiters panic.
 * Cost      Without waiters: one compare-and-swap each way. Contended: a spin lock for a list edit, and a push on
 *           the task of each next owner. Each waiter that was passed over, or was granted and has not run, costs a
 *           step in the list.
 */

enum { VG_HOLDERS_MAX = 4 };

/*
 * task     Of each permit that is out, if the semaphore has 2 to 4, the task that took it; 0: none. In any order. Written by
 *          compare-and-swap from and to 0; it orders nothing.
 * unknown  1, for good: a permit was taken without a task, or given back by another one than it was taken by. Relaxed.
 */
struct vg_holders {
    VG_ATOMIC(uint64_t) task[VG_HOLDERS_MAX];
    VG_ATOMIC(uint32_t) unknown;
};

struct vg_semaphore {
    /* private */
    struct vg_permits permits;
    struct vg_holders holders;
};

/* The future that vg_acquire() prepares. */
struct vg_acquire {
    union {
        struct vg_future fut;
        struct vg_claim claim; /* private */
    };
    int ret; /* 0, -ECANCELED, -EPIPE or -EINVAL; valid once the future is done */
};

/* Permits that were taken, as an object. Zero holds none. */
struct vg_permit {
    /* private */
    struct vg_semaphore *semaphore;
    uint32_t count;
};

/* The most permits a semaphore can have. */
#define VG_SEMAPHORE_MAX (1u << 30)

extern VG_API const struct vg_resource_ops vg_semaphore_resource_;

/* For static storage: static struct vg_semaphore s = VG_SEMAPHORE_INIT_NAMED("db", 8); */
#define VG_SEMAPHORE_INIT_NAMED(name, count)                                                       \
    {                                                                                              \
        VG_PERMITS_INIT_(&vg_semaphore_resource_, name, count, count),                             \
        {                                                                                          \
            {0}, 0                                                                                 \
        }                                                                                          \
    }

/* Makes a semaphore with `count` free permits. The name is static storage or NULL; so is `place`. Panics if
 * the count is 0 or above VG_SEMAPHORE_MAX. */
VG_API void vg_semaphore_init_at(struct vg_semaphore *semaphore, const char *name, uint32_t count,
                                 const struct vg_place *place);

/* vg_semaphore_init_at() this line. */
#ifdef __cplusplus
#define vg_semaphore_init(semaphore, name, count)                                                  \
    vg_semaphore_init_at((semaphore), (name), (count), NULL)
#else
#define vg_semaphore_init(semaphore, name, count)                                                  \
    vg_semaphore_init_at((semaphore), (name), (count), VG_HERE)
#endif

/* Panics if permits are out or awaited. Afterwards the storage may be reused. */
VG_API void vg_semaphore_fini(struct vg_semaphore *semaphore);

/* Overrides for this semaphore what the executor does with grants that are passed over. At any time; what was
 * passed over before stays as it is. */
VG_API void vg_semaphore_set_healing(struct vg_semaphore *semaphore, bool healing);

/*
 * Prepares `acquire` as a future that completes when the caller has `count` permits, all at once, and returns it. Lazy:
 * the place in the queue is taken at the first poll.
 *
 * Completes with 0, and the caller must give the permits back; or with -ECANCELED, -EPIPE or -EINVAL, and has none.
 *
 * Cancelling one that waits removes it from the queue, and lets those behind it go on if they fit; cancelling one that
 * was granted its permits and has not been polled since passes them on.
 */
VG_API struct vg_acquire *vg_acquire(struct vg_acquire *acquire, struct vg_semaphore *semaphore,
                                     uint32_t count);

/* Takes permits without waiting. 0; -EAGAIN: too few are free, or others wait for theirs; -EPIPE; -EINVAL. */
VG_API VG_MUST_USE int vg_try_acquire(struct vg_semaphore *semaphore, uint32_t count);

/*
 * In an async function, VG_AWAIT(rc, vg_acquire(acquire, semaphore, count)) without a future when nobody has to wait. It counts against the budget
 * of the poll, and fails in a cancelled frame, as that does. The arguments are evaluated once or twice.
 */
#define VG_ACQUIRE(rc, acquire, semaphore, count)                                                  \
    VG_AWAIT_UNLESS(rc, vg_try_acquire((semaphore), (count)),                                      \
                    vg_acquire((acquire), (semaphore), (count)))

/* Gives permits back, to the oldest waiters as far as they suffice. Never blocks and never polls. From any thread. */
VG_API void vg_release(struct vg_semaphore *semaphore, uint32_t count);

/* Lets no more permits be taken. Twice is once. */
VG_API void vg_semaphore_close(struct vg_semaphore *semaphore);

/* How many permits are free at this moment; those that are granted are not. For reports and tests: it may have
 * changed when it is returned. */
VG_API uint32_t vg_semaphore_free(struct vg_semaphore *semaphore);

/* What an acquire that has completed with 0 took, as an object. Panics if it has not, or the second time. */
VG_API VG_MUST_USE struct vg_permit vg_permit_take(struct vg_acquire *acquire);

/* Gives back what the object holds, and empties it. An empty one is left as it is. From any thread. */
VG_API void vg_permit_release(struct vg_permit *permit);

#ifdef __cplusplus
}
#endif
#endif
