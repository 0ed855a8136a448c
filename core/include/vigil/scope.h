/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SCOPE_H
#define VIGIL_SCOPE_H

#include <vigil/exec.h>
#include <vigil/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A scope: tasks that run beside the function that starts them, and have all ended before it goes on.
 *
 *     struct sum {
 *         VG_FRAME(int);
 *         struct vg_scope scope;
 *         long part[2];
 *     };
 *     ...
 *     vg_scope_open(&f->scope, "sum", VG_SCOPE_CANCEL);
 *     rc = VG_SCOPE_SPAWN(&f->scope, half, 0, n / 2, &f->part[0]);
 *     if (rc == 0)
 *         rc = VG_SCOPE_SPAWN(&f->scope, half, n / 2, n, &f->part[1]);
 *     VG_AWAIT(ended, &f->scope);              (also if a spawn has failed: what runs must end)
 *
 * The scope is the future: it ends when its children have. Children may be given pointers into the frame, to read
 * and to write: the frame stays, for it cannot return before the scope has ended. Use vg_join() for
 * a few futures that need no tasks of their own, and a handle (VG_SPAWN) for one task, or for one that is to outlive the function.
 *
 * Results   Children write them where they were told to. Besides, a child whose `ret` is an int has failed if that is
 *           negative, and the scope's own `ret` is the first failure. Results of other types are never failures.
 * Failure   VG_SCOPE_CANCEL: the first failure cancels the other children, at once if the scope is being awaited, else when it
 *           is; further spawns are refused. VG_SCOPE_ALL: the others go on. Either way the scope ends when all have ended.
 * Cancel    Cancelling the scope, or the function that has opened it, whatever it awaits at the time, cancels all children.
 *           It still waits for their ends. Further spawns are refused.
 * Select    A scope may be an arm of a select or race, with a sleep, say, as a deadline. An arm that another one has decided before
 *           it was started is not cancelled and still open, so follow a select with VG_AWAIT_CANCEL(rc, &f->scope), which
 *           does nothing to a scope that has ended.
 * Order     The newest child is the next that its worker runs; idle workers take the oldest. Whoever wakes the function
 *           is its last child, and it runs where that one ran. Children do not hold other tasks up for ever: see Fairness
 *           in <vigil/exec.h>.
 * Memory    vg_scope is storage of the frame. Each child is a task, and 16 bytes more. The memory of children that have ended
 *           is reused when the scope has ended; before that, in a scope that goes on, only as far as more than 64 are
 *           there and half of them have ended.
 * Misuse    Returning from an async function with an open scope panics, as with any other live child; so does a
 *           hand-written opaque future that is ready. A spawn by another task than the one that opened the scope, or
 *           when it has ended, panics.
 * Threads   A scope is opened, awaited and spawned into by the task in whose memory it is. Children run on all workers.
 * Ordering  What precedes a spawn happens before the child's first poll. What children did happens before the scope ends.
 * Errors    Of spawns: -ENOMEM, -ESHUTDOWN, -ECANCELED. The child does not exist then, and whatever its
 *           arguments own is still the caller's.
 * Cost      Opening: some 30 stores. A child: a task without a handle, and one atomic addition at its end. The wait: one
 *           compare-and-swap and one wake, however many children there are.
 */

enum vg_scope_policy {
    VG_SCOPE_CANCEL, /* the first failure of a child cancels the others */
    VG_SCOPE_ALL,    /* all run to their ends */
};

struct vg_scope_child;

struct vg_scope {
    struct vg_future fut;
    int ret; /* 0; else the first failure of a child; else -ECANCELED: it was cancelled */
    /* private */
    uint32_t
        spawned; /* children that `word` does not count yet: before the wait they need no atomics */
    struct vg_resource resource;
    /*
     * Bits 32 to 63: how many of the children that are counted have not ended. Each child takes one away at its end,
     * whether it is counted yet or not, so that only the sum with `spawned` means something (modulo 2^32).
     * WAITING (1)  The waiter is armed, and the count is complete unless more was spawned since. Set by the poll of the scope. Whoever
     *              brings the count from 1 to 0 then, and nobody else, wakes it, and the flag stays; a
     *              failure that cancels takes the flag away and wakes instead.
     * FAILED (2)   A child has failed under VG_SCOPE_CANCEL. Stays.
     */
    VG_ATOMIC(uint64_t) word;
    VG_ATOMIC(int) error;            /* of the first child that failed: from 0, once */
    uint8_t policy;                  /* enum vg_scope_policy */
    bool asked;                      /* the children have been cancelled */
    struct vg_scope_child *children; /* by the task alone: the newest that was not freed yet */
    uint32_t listed, sweep_at;       /* how many these are; how many may be */
    struct vg_task *task;
    struct vg_future hold; /* on the frame's list of children until the scope is awaited */
    struct vg_waiter waiter;
};

extern VG_API const struct vg_resource_ops vg_scope_resource_;

/* Makes an open scope without children, of the function or opaque future that calls. The name, for reports, and `place` are static
 * storage or NULL. Panics outside a poll, or if nothing above the caller could watch over it. */
VG_API void vg_scope_open_at(struct vg_scope *scope, const char *name, enum vg_scope_policy policy,
                             const struct vg_place *place);

/* vg_scope_open_at() this line. */
#ifdef __cplusplus
#define vg_scope_open(scope, name, policy) vg_scope_open_at((scope), (name), (policy), NULL)
#else
#define vg_scope_open(scope, name, policy) vg_scope_open_at((scope), (name), (policy), VG_HERE)
#endif

/* Children that have not ended, or have not told so yet. By the task of the scope. */
VG_API uint32_t vg_scope_live(const struct vg_scope *scope);

/*
 * Allocates a struct fn, calls its constructor fn(frame, arguments...), and starts it as a child of the
 * scope:
 *
 *     rc = VG_SCOPE_SPAWN(&f->scope, fetch, url, &f->page[i]);
 *
 * 0; -ENOMEM; -ESHUTDOWN: the executor is closing; -ECANCELED: the scope was cancelled, or a child has failed. Not to be expanded
 * in C++.
 */
#ifndef __cplusplus
#define VG_SCOPE_SPAWN(scope, fn, ...)                                                             \
    (__extension__({                                                                               \
        struct vg_scope *vg_scope_ = (scope);                                                      \
        int vg_rc_;                                                                                \
        struct fn *vg_frame_ = (struct fn *)vg_scope_alloc(vg_scope_, sizeof(struct fn), &vg_rc_); \
        vg_frame_ == NULL ? vg_rc_                                                                 \
                          : vg_scope_spawn_at(vg_scope_, &fn(vg_frame_, ##__VA_ARGS__)->fut,       \
                                              VG_SCOPE_RET_(struct fn), VG_HERE);                  \
    }))

/* Where a child leaves its failure; 0: nowhere. */
#define VG_SCOPE_RET_(type)                                                                        \
    _Generic(((type *)0)->ret, int : (uint32_t)offsetof(type, ret), default : (uint32_t)0)
#endif

/* What the macro calls. Memory for a child of `size` bytes; NULL: none, and *rc says why. The frame is followed by
 * exactly one of vg_scope_spawn_at() and vg_scope_discard(). Alignment 16. Not zeroed. */
VG_API VG_MUST_USE void *vg_scope_alloc(struct vg_scope *scope, size_t size, int *rc);
VG_API void vg_scope_discard(void *frame);

/* Starts the child whose root is `root`, which lies at the start of vg_scope_alloc() memory, and has an int
 * result `ret_at` bytes behind its start, or none if that is 0. 0; -ESHUTDOWN: the memory has been discarded. */
VG_API VG_MUST_USE int vg_scope_spawn_at(struct vg_scope *scope, struct vg_future *root,
                                         uint32_t ret_at, const struct vg_place *place);

#ifdef __cplusplus
}
#endif
#endif
