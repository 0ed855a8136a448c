/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_COMBINE_H
#define VIGIL_COMBINE_H

#ifdef __cplusplus
#error "vigil/combine.h is for C, like vigil/async.h"
#endif

#include <vigil/future.h>
#include <vigil/time.h>

#pragma GCC system_header

/*
 * Futures made of futures: the first of several, all of several, one with a deadline.
 *
 *     struct session {
 *         VG_FRAME(int);
 *         struct vg_io io;
 *         struct vg_sleep nap;
 *         VG_ARMS(2) sel;
 *     };
 *     ...
 *     VG_AWAIT(arm, VG_SELECT(f->sel, VG_CANCEL(vg_recv(&f->io, f->fd, f->buf, sizeof f->buf)),
 *                                     VG_CANCEL(vg_sleep(&f->nap, VG_SEC(10)))));
 *
 * Losers    Every arm of a select states what happens to it when another wins:
 *           VG_CANCEL  it is cancelled, and the select completes when it has ended. Its late result
 *                      is in the arm's `ret`.
 *           VG_KEEP    it stays alive, and runs on its own wakes while this frame awaits other things.
 *           VG_PARK    it stays alive and nobody polls it until it is awaited or cancelled. A parked
 *                      child that is woken can hold up a whole program; the instruments watch for it.
 *           VG_MAY_PAUSE  like VG_PARK, and the pause is meant: that a wake is not answered meanwhile is not reported
 *                      (snoozed-child), unless it was handed something that others wait for, or holds its own task up.
 *           All but the first need an async function above the select: at the root of a task they panic.
 *           There is no default. VG_WHEN(condition, arm) leaves the arm out if the condition is false.
 * Order     The first arm to end wins. Arms are started in rotating order, so that none of several
 *           that are ready at once is preferred. VG_SELECT_BIASED polls them in the order written,
 *           whenever any is woken: as an opaque future it makes wakes of its task walk to the root.
 * Results   VG_SELECT, VG_SELECT_BIASED and VG_RACE: index of the winning arm; -ECANCELED if the select
 *           was cancelled first; -ENOENT if no arm was enabled. VG_JOIN: 0, or -ECANCELED if the join
 *           was cancelled before its children had ended. VG_TRY_JOIN: 0, or the first failure of a child, a negative `ret`: it
 *           cancels the others, and the join completes when those that were started have ended. vg_timeout: 0, or -ETIMEDOUT. The children's
 *           own results are in their `ret`.
 * Cancel    Cancelling a combinator cancels all its children, kept and parked arms included, and it completes
 *           when they have ended.
 * Finished  An arm that ended while it was kept wins at once. One whose result has been delivered
 *           before is left out, and reported: guard it with VG_WHEN, or say with VG_FUSE(arm) that this is meant, in a loop
 *           that selects until all have ended (-ENOENT).
 * Memory    The arms are storage of the frame; arms and combinator may be reused once it is done,
 *           kept and parked children only when they have ended.
 * Cost      A wake polls only the woken arm. Starting and ending cost one visit of each arm; in a try-join each end of a
 *           child costs a look at all.
 */

enum vg_policy { VG_POLICY_CANCEL, VG_POLICY_KEEP, VG_POLICY_PARK, VG_POLICY_PAUSE };

struct vg_arm {
    struct vg_future *fut;
    uint8_t policy; /* enum vg_policy */
    bool enabled;
    bool fused; /* that it has ended is no mistake */
};

struct vg_select {
    struct vg_future fut;
    int ret;
    /* private */
    uint16_t count, first;
    uint8_t phase;
    struct vg_arm *arms;
};

struct vg_join {
    struct vg_future fut;
    int ret;
    /* private */
    uint16_t count, left;
    struct vg_future **children;
};

/* A child of a vg_try_join, and its `ret`. */
struct vg_tried {
    struct vg_future *fut;
    const void *ret;
    size_t size;
};

struct vg_try_join {
    struct vg_future fut;
    int ret; /* 0, or the first failure */
    /* private */
    uint16_t count;
    struct vg_tried *children;
};

/* Storage of a select or race of up to n arms. */
#define VG_ARMS(n)                                                                                 \
    struct {                                                                                       \
        struct vg_select sel;                                                                      \
        struct vg_arm arm[n];                                                                      \
    }

/* Storage of a join of up to n children. */
#define VG_CHILDREN(n)                                                                             \
    struct {                                                                                       \
        struct vg_join join;                                                                       \
        struct vg_future *child[n];                                                                \
    }

/* Storage of a try-join of up to n children. */
#define VG_TRIES(n)                                                                                \
    struct {                                                                                       \
        struct vg_try_join join;                                                                   \
        struct vg_tried child[n];                                                                  \
    }

struct vg_timeout {
    struct vg_future fut;
    int ret; /* 0: the child has ended in time; -ETIMEDOUT: it was cancelled, and has ended */
    /* private */
    uint64_t after;
    struct vg_future *child;
    struct vg_sleep nap;
};

#define VG_CANCEL(p) ((struct vg_arm){&(p)->fut, VG_POLICY_CANCEL, true, false})
#define VG_KEEP(p) ((struct vg_arm){&(p)->fut, VG_POLICY_KEEP, true, false})
#define VG_PARK(p) ((struct vg_arm){&(p)->fut, VG_POLICY_PARK, true, false})
#define VG_MAY_PAUSE(p) ((struct vg_arm){&(p)->fut, VG_POLICY_PAUSE, true, false})
#define VG_FUSE(arm) vg_arm_fuse_(vg_arm_needs_VG_CANCEL_or_VG_KEEP_or_VG_PARK(arm))
#define VG_WHEN(cond, arm) vg_arm_when_((cond), vg_arm_needs_VG_CANCEL_or_VG_KEEP_or_VG_PARK(arm))

/* Applies M to each of up to eight arguments. */
#define VG_EACH_1_(M, a) M(a)
#define VG_EACH_2_(M, a, ...) M(a), VG_EACH_1_(M, __VA_ARGS__)
#define VG_EACH_3_(M, a, ...) M(a), VG_EACH_2_(M, __VA_ARGS__)
#define VG_EACH_4_(M, a, ...) M(a), VG_EACH_3_(M, __VA_ARGS__)
#define VG_EACH_5_(M, a, ...) M(a), VG_EACH_4_(M, __VA_ARGS__)
#define VG_EACH_6_(M, a, ...) M(a), VG_EACH_5_(M, __VA_ARGS__)
#define VG_EACH_7_(M, a, ...) M(a), VG_EACH_6_(M, __VA_ARGS__)
#define VG_EACH_8_(M, a, ...) M(a), VG_EACH_7_(M, __VA_ARGS__)
#define VG_PICK_(a, b, c, d, e, f, g, h, name, ...) name
#define VG_MAP_(M, ...)                                                                            \
    VG_PICK_(__VA_ARGS__, VG_EACH_8_, VG_EACH_7_, VG_EACH_6_, VG_EACH_5_, VG_EACH_4_, VG_EACH_3_,  \
             VG_EACH_2_, VG_EACH_1_, )                                                             \
    (M, __VA_ARGS__)

#define VG_ARMS_FIT_(storage, n)                                                                   \
    ((void)sizeof(struct {                                                                         \
        _Static_assert(sizeof(storage) / sizeof *(storage) >= (n),                                 \
                       "more arms than the frame holds: enlarge VG_ARMS or VG_CHILDREN");          \
        int x;                                                                                     \
    }))

#define VG_SELECT_(init, s, ...)                                                                   \
    (__extension__({                                                                               \
        const struct vg_arm vg_arms_[] = {                                                         \
            VG_MAP_(vg_arm_needs_VG_CANCEL_or_VG_KEEP_or_VG_PARK, __VA_ARGS__)};                   \
        VG_ARMS_FIT_((s).arm, sizeof vg_arms_ / sizeof *vg_arms_);                                 \
        init(&(s).sel, (s).arm, vg_arms_, sizeof vg_arms_ / sizeof *vg_arms_);                     \
    }))

/* s is a VG_ARMS member of the frame; up to eight arms. An expression that points to a future. */
#define VG_SELECT(s, ...) VG_SELECT_(vg_select, s, __VA_ARGS__)
#define VG_SELECT_BIASED(s, ...) VG_SELECT_(vg_select_biased, s, __VA_ARGS__)

/* A select all of whose losers are cancelled: pass pointers to futures. */
#define VG_RACE(s, ...)                                                                            \
    (__extension__({                                                                               \
        const struct vg_arm vg_arms_[] = {VG_MAP_(VG_CANCEL, __VA_ARGS__)};                        \
        VG_ARMS_FIT_((s).arm, sizeof vg_arms_ / sizeof *vg_arms_);                                 \
        vg_select(&(s).sel, (s).arm, vg_arms_, sizeof vg_arms_ / sizeof *vg_arms_);                \
    }))

#define VG_FUT_(p) (&(p)->fut)

/* j is a VG_CHILDREN member; pass pointers to up to eight futures. */
#define VG_JOIN(j, ...)                                                                            \
    (__extension__({                                                                               \
        struct vg_future *const vg_kids_[] = {VG_MAP_(VG_FUT_, __VA_ARGS__)};                      \
        VG_ARMS_FIT_((j).child, sizeof vg_kids_ / sizeof *vg_kids_);                               \
        vg_join(&(j).join, (j).child, vg_kids_, sizeof vg_kids_ / sizeof *vg_kids_);               \
    }))

/* Only a result that is an int or an ssize_t can fail. */
#define VG_TRIED_(p)                                                                                 \
    (__extension__({                                                                                 \
        __auto_type vg_tried_ = (p);                                                                 \
        (struct vg_tried){                                                                         \
            &vg_tried_->fut, &vg_tried_->ret,                                                      \
            _Generic(&vg_tried_->ret, int * : sizeof(int), long * : sizeof(long))}; \
    }))

/* j is a VG_TRIES member; pass pointers to up to eight futures whose `ret` is an int or an ssize_t. */
#define VG_TRY_JOIN(j, ...)                                                                        \
    (__extension__({                                                                               \
        const struct vg_tried vg_kids_[] = {VG_MAP_(VG_TRIED_, __VA_ARGS__)};                      \
        VG_ARMS_FIT_((j).child, sizeof vg_kids_ / sizeof *vg_kids_);                               \
        vg_try_join(&(j).join, (j).child, vg_kids_, sizeof vg_kids_ / sizeof *vg_kids_);           \
    }))

/* An identity: its name is the message when an arm is a bare pointer. */
static inline struct vg_arm vg_arm_needs_VG_CANCEL_or_VG_KEEP_or_VG_PARK(struct vg_arm arm)
{
    return arm;
}

static inline struct vg_arm vg_arm_fuse_(struct vg_arm arm)
{
    arm.fused = true;
    return arm;
}

static inline struct vg_arm vg_arm_when_(bool cond, struct vg_arm arm)
{
    arm.enabled = arm.enabled && cond;
    return arm;
}

/* What the macros call; usable directly with arms counted at run time (at most 65534). The arms are
 * copied into `storage`. */
VG_API struct vg_select *vg_select(struct vg_select *select, struct vg_arm *storage,
                                   const struct vg_arm *arms, size_t count);
VG_API struct vg_select *vg_select_biased(struct vg_select *select, struct vg_arm *storage,
                                          const struct vg_arm *arms, size_t count);
VG_API struct vg_join *vg_join(struct vg_join *join, struct vg_future **storage,
                               struct vg_future *const *children, size_t count);
VG_API struct vg_try_join *vg_try_join(struct vg_try_join *join, struct vg_tried *storage,
                                       const struct vg_tried *children, size_t count);

/* Completes when `child` has ended: by itself, or cancelled `after` nanoseconds from the first poll.
 * A child that ends in the same step as the deadline has ended in time. */
#define vg_timeout(t, after, p) vg_timeout_fut((t), (after), &(p)->fut)
VG_API struct vg_timeout *vg_timeout_fut(struct vg_timeout *timeout, uint64_t after,
                                         struct vg_future *child);

#endif
