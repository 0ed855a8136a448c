/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_RESOURCE_H
#define VIGIL_RESOURCE_H

#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Identity of what futures wait for: locks, permits, channels, notifications. The instruments name
 * a resource, its owner and its queue through this header; a primitive of your own that fills it in
 * is reported exactly like the library's.
 *
 * Embed a vg_resource in the primitive, give it ops, and let the leaf's ops->waits fill a vg_wait.
 *
 * Memory   The resource lives as long as the primitive. Names and places are static storage.
 * Threads  ops->owner and ops->ahead lock the primitive's own guard; instruments call them from the
 *          worker that owns the waiting task, or from a thread of their own that holds it. ops->waits of the
 *          leaf likewise.
 * Cost     Two words to construct; nothing when nobody asks.
 */

struct vg_site;

/* Who holds a resource: copied when it is taken, so it can be read when the frame is gone. */
struct vg_owner {
    uint64_t task;                 /* task id; 0: nobody, or a thread outside */
    const struct vg_future *frame; /* identity only, never followed */
    const struct vg_site *site;    /* where it was awaited */
};

struct vg_resource {
    const struct vg_resource_ops *ops;
    const char *name;             /* "db"; NULL: unnamed */
    const struct vg_place *place; /* where it was initialised; may be NULL */
};

/* What there is of a resource, counted in its own units, at one moment. */
struct vg_resource_state {
    uint64_t total; /* 0: it is not conserved, as items that are made and used up; else: */
    uint64_t free, held, granted; /* which add up to the total */
    const struct vg_future
        *next; /* the leaf that is to be served next, and has not been woken for it; NULL: none */
    uint64_t wanted; /* by that one; with so much free it should have been woken */
    /* How often it was taken so far; 0: that is not counted. If it was taken 64 times more than there were leaves in its queue since
     * one of them was seen there, that one is overtaken (unfair-lock). A first in, first out queue need not count. */
    uint64_t served;
};

struct vg_resource_ops {
    const char *kind; /* "mutex", "semaphore", "oneshot" */
    bool loose;       /* others than its holders may give it back, though they seldom do */
    /* Copies the present owner; false if nobody holds it. */
    bool (*owner)(struct vg_resource *resource, struct vg_owner *owner);
    /* Whether the leaf `first` is served before the leaf `second`: it was granted the resource, or
     * stands before it in the queue and counts. Either may have left the queue meanwhile. */
    bool (*ahead)(struct vg_resource *resource, const struct vg_future *first,
                  const struct vg_future *second);
    /* How many leaves wait in its queue. */
    unsigned (*waiters)(struct vg_resource *resource);
    /*
     * Copies up to `max` of those whose doings alone can end a wait of kind VG_BY_HOLDERS: who owns the lock, who
     * receives from the channel. Returns how many there are; 0 if that is not known. NULL: the owner, if there is one.
     */
    unsigned (*holders)(struct vg_resource *resource, struct vg_owner *holders, unsigned max);
    /*
     * Fills in what there is; false: that cannot be said now. Asked for now and then while leaves with vg_ops.is_held
     * wait: if the next one could be served and is not, twice 10 ms or more apart, a wake was lost; if the sum is short,
     * something was lost with a future that was cancelled. NULL: nobody checks.
     */
    bool (*state)(struct vg_resource *resource, struct vg_resource_state *state);
    /*
     * The future without which no wait for it ends, while that has not been polled: it has taken the resource before its first
     * poll, or is to receive from it. NULL: there is none, or it has been polled by now. A leaf with vg_ops.is_held that
     * waits while it is the same twice, 10 ms or more apart, is reported (never-polled). NULL: nobody asks.
     */
    const struct vg_future *(*unpolled)(struct vg_resource *resource);
};

enum vg_wait_state {
    VG_WAIT_QUEUED,  /* in the resource's queue */
    VG_WAIT_GRANTED, /* the resource was handed to it; it has not run to take it */
};

/*
 * Who can end the wait. Tasks that wait for each other in a ring are found by it, so it must not claim too much: a
 * leaf with vg_ops.is_held may wait by anybody for once, one without never waits by holders or by a task.
 */
enum vg_wait_by {
    VG_BY_ANYBODY, /* a thread, the kernel, whoever has something to send */
    VG_BY_HOLDERS, /* those that resource->ops->holders names, if they go on: to give it back, to take from it */
    VG_BY_TASK, /* the task `task`, when it ends */
};

/* What a leaf waits for, filled in by its ops->waits. Members that are not mentioned there are to be zero. */
struct vg_wait {
    struct vg_resource *resource;
    uint32_t want; /* how much: 1 for a lock */
    uint8_t state; /* enum vg_wait_state */
    bool healing;  /* a grant that is passed over will be revoked */
    uint8_t by;    /* enum vg_wait_by */
    uint64_t task; /* VG_BY_TASK: its id */
};

/*
 * For primitives that call back whoever waits for them, rather than vg_wake() him: around the calls. A future that is started
 * between the two, or entered below an opaque one, is reported (wake-reentry): it may come back to this primitive, whose
 * lock is held, and with each round the stack grows. A wake is to leave a mark, and no more. Not nested. Outside a poll
 * they do nothing.
 */
VG_API void vg_wakes_begin(struct vg_resource *resource);
VG_API void vg_wakes_end(struct vg_resource *resource);

/*
 * For locks that block the thread: the caller has taken one, or has given one up. A task that suspends with one is
 * reported, as lock-across-suspend. Outside a poll they do nothing. What they name lives until it is given up.
 */
VG_API void vg_thread_lock_taken(struct vg_resource *lock);
VG_API void vg_thread_lock_given(struct vg_resource *lock);

/* The calling thread is about to block until the lock is free, which task `owner` has (0: not known); or, NULL, it does not
 * block any more. For the report of a worker that does not come out of its poll. */
VG_API void vg_thread_blocks(const struct vg_resource *lock, uint64_t owner);

/* The id of the task that is being polled. */
VG_API uint64_t vg_task_id_here(const struct vg_cx *cx);

/* Owner record of the future being polled: its task, the nearest frame above, that frame's site. */
VG_API struct vg_owner vg_owner_here(const struct vg_future *leaf, struct vg_cx *cx);

/* The same for a plain call inside a task; all zero on a thread outside, or between polls. */
VG_API struct vg_owner vg_owner_current(void);

#ifdef __cplusplus
}
#endif
#endif
