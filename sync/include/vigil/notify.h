/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_NOTIFY_H
#define VIGIL_NOTIFY_H

#include <vigil/permits.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Tells tasks that something may have changed; what, they look up themselves.
 *
 *     waiter:    while (!take_job(queue, &job))
 *                    VG_TRY(rc, vg_notified(&f->notified, &queue->changed));
 *     notifier:  add_job(queue, job);
 *                vg_notify_one(&queue->changed);
 *
 * vg_notify_one() ends one wait: the oldest, or, if nobody waits, the next one to come. Only one notification is
 * stored; a second one adds nothing to it, so a waiter takes all there is. vg_notify_all() ends the waits of all who
 * wait now, and stores nothing.
 *
 * Where a value is to be handed over, take <vigil/oneshot.h>; where the condition is guarded by a mutex and
 * must not change between the wake and the look, <vigil/cond.h>.
 *
 * Fairness  vg_notify_one() takes the oldest of those who are polled.
 * Healing   A notification whose task runs and leaves it unanswered goes to the next who waits, or is stored. It
 *           stays with its waiter where there is neither: without healing, or if one is stored already. What
 *           vg_notify_all() has told somebody stays told.
 * Memory    All storage is the caller's; nothing is allocated. The notifier must outlive every wait for it, and neither
 *           may be moved.
 * Threads   Any future on any worker may wait; any thread may notify. vg_notifier_init() and vg_notifier_fini() must
 *           not race with other calls; a notify has to return before the end.
 * Ordering  What precedes a notification happens before the end of the wait that it ends, also when it added nothing to
 *           the one that was stored.
 * Errors    -ECANCELED. A wait that is cancelled after vg_notify_one() chose it passes the notification on, or stores
 *           it; after vg_notify_all() it completes with 0.
 *           Destroying a notifier that somebody waits for panics.
 * Cost      Nobody waits: one compare-and-swap. Otherwise a spin lock for a list edit, and a push on each task.
 */

struct vg_notifier {
    struct vg_permits
        permits; /* private: at most one unit, made by who notifies and used up by who waits */
};

/* The future that vg_notified() prepares. */
struct vg_notified {
    union {
        struct vg_future fut;
        struct vg_claim claim; /* private */
    };
    int ret; /* 0 or -ECANCELED; valid once the future is done */
};

extern VG_API const struct vg_resource_ops vg_notifier_resource_;

/* For static storage: static struct vg_notifier n = VG_NOTIFIER_INIT_NAMED("jobs"); */
#define VG_NOTIFIER_INIT_NAMED(name)                                                               \
    {                                                                                              \
        VG_PERMITS_INIT_(&vg_notifier_resource_, name, 0, 1)                                       \
    }

/* Makes a notifier that nothing is stored in. The name is static storage or NULL; so is `place`. */
VG_API void vg_notifier_init_at(struct vg_notifier *notifier, const char *name,
                                const struct vg_place *place);

/* vg_notifier_init_at() this line. */
#ifdef __cplusplus
#define vg_notifier_init(notifier, name) vg_notifier_init_at((notifier), (name), NULL)
#else
#define vg_notifier_init(notifier, name) vg_notifier_init_at((notifier), (name), VG_HERE)
#endif

/* Panics if somebody waits. Afterwards the storage may be reused. */
VG_API void vg_notifier_fini(struct vg_notifier *notifier);

/* Overrides for this notifier what the executor does with notifications that are passed over. */
VG_API void vg_notifier_set_healing(struct vg_notifier *notifier, bool healing);

/* Prepares `notified` as a future that completes when it is notified, and returns it. Lazy: what is notified before its
 * first poll reaches it only if it was stored. */
VG_API struct vg_notified *vg_notified(struct vg_notified *notified, struct vg_notifier *notifier);

/* Uses up a notification that is stored: 0; -EAGAIN: none is. From any thread. */
VG_API VG_MUST_USE int vg_try_notified(struct vg_notifier *notifier);

/*
 * In an async function, VG_AWAIT(rc, vg_notified(notified, notifier)) without a future when nobody has to wait. It counts against the budget
 * of the poll, and fails in a cancelled frame, as that does. The arguments are evaluated once or twice.
 */
#define VG_NOTIFIED(rc, notified, notifier)                                                        \
    VG_AWAIT_UNLESS(rc, vg_try_notified(notifier), vg_notified((notified), (notifier)))

/* Ends one wait, of the present or of the future. Never blocks and never polls. From any thread. */
VG_API void vg_notify_one(struct vg_notifier *notifier);

/* Ends all present waits. Likewise. */
VG_API void vg_notify_all(struct vg_notifier *notifier);

#ifdef __cplusplus
}
#endif
#endif
