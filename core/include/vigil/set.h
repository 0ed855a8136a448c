/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SET_H
#define VIGIL_SET_H

#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A set of futures that run at the same time within one task, and are taken out as they end, in the order in which they
 * end. Their number changes while they run: what is not known when the frame is written, as it is for a join.
 *
 *     struct crawl {
 *         VG_FRAME(int);
 *         struct vg_set set;
 *         struct vg_set_next next;
 *         struct visit {
 *             struct vg_set_item item;
 *             struct fetch fetch;
 *         } visit[16];
 *     };
 *     ...
 *     vg_set_init(&f->set);
 *     for (unsigned i = 0; i < 16; i++)
 *         VG_SET_PUSH(&f->set, &f->visit[i].item, fetch(&f->visit[i].fetch, i));
 *     for (;;) {
 *         VG_AWAIT(rc, vg_set_next(&f->next, &f->set));
 *         if (rc < 0)
 *             break;                                   -ENOENT: all have ended and were taken
 *         use(((struct fetch *)f->next.item->child)->ret);
 *     }
 *
 * Progress  A child is started by the push, and then runs on its own wakes, also while the frame awaits something else: no
 *           call of vg_set_next() is needed for it. What has ended waits in the set.
 * Life      The set is itself a future, which the frame that pushes the first child keeps (<vigil/combine.h>, VG_KEEP) until no
 *           child runs. VG_AWAIT(rc, &f->set) waits for that; VG_AWAIT_CANCEL(rc, &f->set) cancels all first. A
 *           frame must do one of them, or take everything, before it returns: otherwise it panics. An ended set may be
 *           pushed to again.
 * Cancel    Cancelling the frame cancels the children; they are taken out like others, with their results. One of them
 *           is cancelled by vg_cancel(&item->fut, cx). What is pushed to a cancelled set starts cancelled.
 * Memory    Nothing is allocated. The item and the child belong to the caller, and may be reused once the item was taken out.
 * Threads   All of it in polls of one task. Pushing from another panics.
 * Cost      64 bytes a child. A push, a wake and a taking out cost the same whatever the size of the set; cancelling visits every child.
 *           Below an opaque future each poll visits every child: use none there.
 * Not for   Children that need other workers: spawn tasks (<vigil/scope.h>). A fixed number of them: VG_JOIN.
 */

struct vg_set_item {
    struct vg_future fut;
    struct vg_future *child; /* what was pushed */
    /* private */
    struct vg_set *set;
    struct vg_set_item *next, **link;
};

struct vg_set {
    struct vg_future fut;
    int ret; /* once no child runs: 0, or -ECANCELED if the set was cancelled before */
    /* private */
    struct vg_task *task;
    struct vg_set_item *running;
    struct vg_set_item *ended, **ended_end;
    struct vg_set_next *waiting;
    struct vg_set_item *at; /* child number at_index, for those who look at all of them */
    unsigned at_index;
};

struct vg_set_next {
    struct vg_future fut;
    int ret;                  /* 0, -ENOENT or -ECANCELED */
    struct vg_set_item *item; /* what has ended; NULL if ret is negative */
    /* private */
    struct vg_set *set;
    struct vg_waiter waiter;
};

/* An empty set. No cost beyond the stores. */
VG_API void vg_set_init(struct vg_set *set);

/* Starts `child` as a member of the set. From the body of the frame that holds the set, or from a child of it; the set must
 * not be moved while anything is in it. Cannot fail: the child's own start may, which is its result. */
VG_API void vg_set_push(struct vg_set *set, struct vg_set_item *item, struct vg_future *child,
                        struct vg_cx *cx);

/* The same from an async function; pass a pointer to a future. */
#define VG_SET_PUSH(set, item, p) vg_set_push((set), (item), &(p)->fut, vg_cx)

/* Whether nothing runs in it and nothing that has ended is left in it. */
static inline bool vg_set_empty(const struct vg_set *set)
{
    return set->running == NULL && set->ended == NULL;
}

/*
 * Takes out the child that ended first; waits for one if there is none, but has been pushed. ret: 0, and `item`; -ENOENT: the
 * set is empty; -ECANCELED: cancelled while it waited, and nothing was taken out. One at a time: a second one that waits panics.
 * Counts as one unit of the poll's budget.
 */
VG_API struct vg_set_next *vg_set_next(struct vg_set_next *next, struct vg_set *set);

#ifdef __cplusplus
}
#endif
#endif
