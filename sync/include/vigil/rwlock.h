/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_RWLOCK_H
#define VIGIL_RWLOCK_H

#include <vigil/permits.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A lock that many readers share, or one writer has alone; those who have to wait suspend.
 *
 *     VG_AWAIT(rc, vg_rdlock(&f->rdlock, &shared->lock));
 *     if (rc < 0)
 *         VG_RETURN(rc);
 *     ...                                 (look; may itself await)
 *     vg_rdunlock(&shared->lock);
 *
 * It pays where readers hold it across an await, or are many on several workers for long. Where critical sections are
 * short, a mutex costs the same and is simpler.
 *
 * Fairness  First come, first served: a writer that waits holds back readers that come after it, so readers cannot
 *           starve it; and all readers that wait behind a writer and before the next one get in together
 *           when it leaves, so writers cannot starve them. Therefore a task that reads must not ask to read once more:
 *           if a writer has come in between, each of the two waits for the other.
 * Healing   As in <vigil/mutex.h>. A writer that is passed over does not hold back readers either.
 * Memory    All storage is the caller's; nothing is allocated. The lock must outlive every future that waits for it, and
 *           neither may be moved.
 * Threads   Any future on any worker may lock; any thread may unlock for the owner. vg_rwlock_init() and
 *           vg_rwlock_fini() must not race with other calls, with the exception that <vigil/mutex.h> names.
 * Ordering  What precedes vg_wrunlock() or vg_downgrade() happens before later readers and writers get in; what
 *           precedes vg_rdunlock(), before later writers do.
 * Errors    -ECANCELED is the only one. Giving up a lock that is not held that way, as far as this can be seen, and
 *           destroying one in use panic.
 * Cost      Free, or shared: one compare-and-swap each way. All readers change the same word: on many processors they
 *           wait for each other's cache line. Contended: as a semaphore.
 */

/* More readers than that at a time wait for one to leave. */
#define VG_RWLOCK_READERS (1u << 30)

struct vg_rwlock {
    struct vg_permits permits; /* private: a reader takes one unit, a writer all */
};

/* The future that vg_rdlock() prepares. */
struct vg_rdlock {
    union {
        struct vg_future fut;
        struct vg_claim claim; /* private */
    };
    int ret; /* 0 or -ECANCELED; valid once the future is done */
};

/* The future that vg_wrlock() prepares. */
struct vg_wrlock {
    union {
        struct vg_future fut;
        struct vg_claim claim; /* private */
    };
    int ret; /* 0 or -ECANCELED; valid once the future is done */
};

extern VG_API const struct vg_resource_ops vg_rwlock_resource_;

/* For static storage: static struct vg_rwlock l = VG_RWLOCK_INIT_NAMED("routes"); */
#define VG_RWLOCK_INIT_NAMED(name)                                                                 \
    {                                                                                              \
        VG_PERMITS_INIT_(&vg_rwlock_resource_, name, VG_RWLOCK_READERS, VG_RWLOCK_READERS)         \
    }

/* Makes a free lock. The name is static storage or NULL; so is `place`. */
VG_API void vg_rwlock_init_at(struct vg_rwlock *lock, const char *name,
                              const struct vg_place *place);

/* vg_rwlock_init_at() this line. */
#ifdef __cplusplus
#define vg_rwlock_init(lock, name) vg_rwlock_init_at((lock), (name), NULL)
#else
#define vg_rwlock_init(lock, name) vg_rwlock_init_at((lock), (name), VG_HERE)
#endif

/* Panics if the lock is held or awaited. Afterwards the storage may be reused. */
VG_API void vg_rwlock_fini(struct vg_rwlock *lock);

/* Overrides for this lock what the executor does with grants that are passed over. */
VG_API void vg_rwlock_set_healing(struct vg_rwlock *lock, bool healing);

/* Prepare a future that completes with 0 when the caller shares the lock, or has it alone; or with -ECANCELED, and
 * then it does not. Cancelling one that waits removes it from the queue; those behind it may get in. */
VG_API struct vg_rdlock *vg_rdlock(struct vg_rdlock *rdlock, struct vg_rwlock *lock);
VG_API struct vg_wrlock *vg_wrlock(struct vg_wrlock *wrlock, struct vg_rwlock *lock);

/* Without waiting. False if that would take waiting, also because others wait already. */
VG_API VG_MUST_USE bool vg_tryrdlock(struct vg_rwlock *lock);
VG_API VG_MUST_USE bool vg_trywrlock(struct vg_rwlock *lock);

/* Give the lock up. Never block and never poll. From any thread. */
VG_API void vg_rdunlock(struct vg_rwlock *lock);
VG_API void vg_wrunlock(struct vg_rwlock *lock);

/* Makes a writer a reader, without anybody writing in between. Readers that wait next get in. */
VG_API void vg_downgrade(struct vg_rwlock *lock);

#ifdef __cplusplus
}
#endif
#endif
