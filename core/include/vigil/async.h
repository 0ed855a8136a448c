/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_ASYNC_H
#define VIGIL_ASYNC_H

#ifdef __cplusplus
#error "vigil/async.h is for C: C++ forbids the jumps that its macros make"
#endif

#include <errno.h>

#include <vigil/future.h>

#pragma GCC system_header

/*
 * Async functions: linear code that suspends at each await.
 *
 *     struct echo {
 *         VG_FRAME(int);              header and result: f->ret is an int
 *         int fd;
 *         ssize_t len;
 *         struct vg_io io;            the child lives here
 *         char buf[1024];             lent to the kernel, so never a local
 *     };
 *     VG_ASYNC(echo)
 *     {
 *         VG_BEGIN(f);                struct echo *f; must come first
 *         VG_AWAIT(f->len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
 *         VG_RETURN((int)f->len);
 *     }
 *     static struct echo *echo(struct echo *f, int fd)
 *     {
 *         VG_SETUP(f, echo);
 *         f->fd = fd;
 *         return f;
 *     }
 *
 * Locals   A local dies at the next await: whatever must survive is a member of the frame. Locals
 *          cannot be declared before VG_BEGIN; the compilers' uninitialised-variable warnings find
 *          scalars that live across an await, the await-lint target finds aggregates too.
 * Memory   Frames are not zeroed: the constructor sets every member that is read before it is
 *          written. A frame that returns while a kept or parked child still runs panics.
 * Cancel   Each await in a cancelled frame starts cancelled, so leaves end with -ECANCELED and the
 *          body runs its ordinary clean-up. VG_AWAIT_SHIELDED is for the clean-up itself.
 * Cost     56 bytes a frame. Resuming costs the same however deep the frame is.
 */

struct vg_async {
    struct vg_future fut;
    const struct vg_site *at; /* NULL before the first poll */
    struct vg_future *child;  /* what it waits for */
    struct vg_future *bg;     /* kept and parked children, linked by next */
};

/* First member of every frame. */
#define VG_FRAME(T)                                                                                \
    union {                                                                                        \
        struct vg_future fut;                                                                      \
        struct vg_async co;                                                                        \
    };                                                                                             \
    T ret

#define VG_ASYNC(fn)                                                                               \
    static vg_poll fn##_body(struct fn *vg_self, struct vg_cx *vg_cx);                             \
    static vg_poll fn##_poll(struct vg_future *vg_u, struct vg_cx *vg_cx)                          \
    {                                                                                              \
        return fn##_body((struct fn *)(void *)vg_u, vg_cx);                                        \
    }                                                                                              \
    static const struct vg_ops fn##_ops = {                                                        \
        .poll = fn##_poll,                                                                         \
        .cancel = vg_async_cancel,                                                                 \
        .child = vg_async_child,                                                                   \
        .name = #fn,                                                                               \
        .size = sizeof(struct fn),                                                                 \
        .kind = VG_KIND_ASYNC,                                                                     \
    };                                                                                             \
    __attribute__((noinline)) static vg_poll fn##_body(struct fn *vg_self, struct vg_cx *vg_cx)

/* Prepares the frame's header; the first statement of its constructor. */
#define VG_SETUP(p, fn)                                                                            \
    do {                                                                                           \
        vg_future_init(&(p)->fut, &fn##_ops);                                                      \
        (p)->co.at = NULL;                                                                         \
        (p)->co.child = NULL;                                                                      \
        (p)->co.bg = NULL;                                                                         \
    } while (0)

#define VG_SITE_(label, text, shielded)                                                            \
    static const struct vg_site vg_site_                                                           \
        __attribute__((section("vg_sites"), used, aligned(8))) = {                                 \
            __extension__ && label, __FILE__, __func__, text, __LINE__, shielded}

/* Names the frame pointer. Must be the first statement of the body. */
#define VG_BEGIN(f)                                                                                \
    __label__ VG_BEGIN_must_be_the_first_statement;                                                \
    __extension__ __auto_type const f = vg_self;                                                   \
    __extension__ __auto_type const VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN = vg_self;   \
    if (f->co.at == NULL) {                                                                        \
        VG_SITE_(VG_BEGIN_must_be_the_first_statement, "(start)", 0);                              \
        f->co.at = &vg_site_;                                                                      \
    }                                                                                              \
    __extension__({ goto * f->co.at->resume; });                                                   \
    VG_BEGIN_must_be_the_first_statement:                                                          \
    (void)vg_cx, (void)VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN

#define VG_AWAIT_(expr, text, shield, how, take)                                                   \
    do {                                                                                           \
        __label__ vg_resume_, vg_taken_;                                                           \
        struct vg_async *vg_co_ = &VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN->co;          \
        __extension__ __auto_type vg_p_ = (expr);                                                  \
        VG_SITE_(vg_resume_, text, shield);                                                        \
        vg_co_->child = &vg_p_->fut;                                                               \
        vg_co_->at = &vg_site_;                                                                    \
        if (how(vg_co_, vg_cx).ready)                                                              \
            goto vg_taken_;                                                                        \
        return VG_PENDING;                                                                         \
    vg_resume_:                                                                                    \
        vg_co_ = &VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN->co;                           \
        if (!vg_await_(vg_co_, vg_cx).ready)                                                       \
            return VG_PENDING;                                                                     \
    vg_taken_:                                                                                     \
        take;                                                                                      \
    } while (0)

#define VG_TAKE_(lhs) (lhs) = ((__typeof__(vg_p_))(void *)vg_co_->child)->ret

/* Suspends until the future `expr` points to is done, then assigns its result to lhs. */
#define VG_AWAIT(lhs, expr) VG_AWAIT_(expr, #expr, 0, vg_await_enter_, VG_TAKE_(lhs))

/* The same, but a cancel of this frame does not reach the child: for clean-up. */
#define VG_AWAIT_SHIELDED(lhs, expr) VG_AWAIT_(expr, #expr, 1, vg_await_shielded_, VG_TAKE_(lhs))

/* Cancels the future and waits for its end: what dropping a child means. */
#define VG_AWAIT_CANCEL(lhs, expr)                                                                 \
    VG_AWAIT_(expr, "cancel " #expr, 1, vg_await_cancel_, VG_TAKE_(lhs))

/* Awaits, and returns the result from this function if it is negative. Only where nothing needs
 * cleaning up. */
#define VG_TRY(lhs, expr)                                                                          \
    do {                                                                                           \
        VG_AWAIT_(expr, #expr, 0, vg_await_enter_, VG_TAKE_(lhs));                                 \
        if ((lhs) < 0)                                                                             \
            VG_RETURN((__typeof__(vg_self->ret))(lhs));                                            \
    } while (0)

/*
 * Awaits `expr` unless `attempt`, a call that does not wait, says at once what comes of it: anything but -EAGAIN. Charges
 * the attempt to the budget of the poll, and makes none when that is used up or the frame is cancelled.
 */
#define VG_AWAIT_UNLESS(lhs, attempt, expr)                                                        \
    VG_AWAIT_UNLESS_(lhs, vg_spend_(&vg_self->fut, vg_cx), attempt, expr)

#define VG_AWAIT_UNLESS_(lhs, may, attempt, expr)                                                  \
    do {                                                                                           \
        if (!(may) || ((lhs) = (attempt)) == -EAGAIN)                                              \
            VG_AWAIT(lhs, expr);                                                                   \
    } while (0)

/* For what tries first: the frame has taken something, or handed it on. See vg_took(). */
#define VG_TOOK_(rc)                                                                               \
    do {                                                                                           \
        if ((rc) == 0)                                                                             \
            vg_self->fut.flags |= VG_F_CARRIES;                                                    \
    } while (0)

/* Ends the function with result v. */
#define VG_RETURN(v)                                                                               \
    do {                                                                                           \
        vg_self->ret = (v);                                                                        \
        if (__builtin_expect(vg_self->co.bg != NULL, 0))                                           \
            vg_return_with_live_child_(&vg_self->co);                                              \
        return VG_READY;                                                                           \
    } while (0)

/* ---- what the macros call ------------------------------------------------------------------ */

VG_API void vg_async_cancel(struct vg_future *fut, struct vg_cx *cx);
VG_API struct vg_future *vg_async_child(const struct vg_future *fut, unsigned i);
VG_API VG_NORETURN void vg_return_with_live_child_(const struct vg_async *co);
VG_API VG_MUST_USE bool vg_spend_(const struct vg_future *fut, struct vg_cx *cx);

/* The frame has come to an await: starts co->child, or takes it over; with its own cancel passed on, without, and cancelling it. */
VG_API vg_poll vg_await_enter_(struct vg_async *co, struct vg_cx *cx);
VG_API vg_poll vg_await_shielded_(struct vg_async *co, struct vg_cx *cx);
VG_API vg_poll vg_await_cancel_(struct vg_async *co, struct vg_cx *cx);

/* The frame is polled again while it awaits. */
VG_API vg_poll vg_await_(struct vg_async *co, struct vg_cx *cx);

#endif
