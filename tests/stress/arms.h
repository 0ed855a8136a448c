/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_STRESS_ARMS_H
#define VIGIL_TESTS_STRESS_ARMS_H

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/mutex.h>
#include <vigil/waker.h>

#include "core/event.h"
#include "harness.h"

/*
 * What the jobs of the stress wait for: events with a lock, events without, mutexes, timers, and frames
 * around them.
 */

/* ---- an event that wakes through copies of a waker, taken long before ------------------------ */

struct board {
    struct vg_spin guard;
    bool happened;
    struct vg_waker waker;
};

struct board_wait {
    struct vg_future fut;
    int ret; /* 0 or -ECANCELED */
    struct board *board;
    struct vg_waker waker;
};

static inline bool board_take(struct board *board)
{
    bool happened;

    vg_spin_lock(&board->guard);
    happened = board->happened;
    board->happened = false;
    vg_spin_unlock(&board->guard);
    return happened;
}

/* Hangs the waker out; false: the event has happened meanwhile. */
static inline bool board_hang_out(struct board *board, struct vg_waker waker)
{
    bool waits;

    vg_spin_lock(&board->guard);
    waits = !board->happened;
    board->happened = false;
    board->waker = waker;
    vg_spin_unlock(&board->guard);
    return waits;
}

/* Makes the event happen, and returns a copy of the waker to be woken. */
static inline struct vg_waker board_happens(struct board *board)
{
    struct vg_waker waker;

    vg_spin_lock(&board->guard);
    board->happened = true;
    waker = board->waker;
    vg_spin_unlock(&board->guard);
    return waker;
}

static inline vg_poll board_wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct board_wait *wait = (struct board_wait *)(void *)fut;
    bool happened = board_take(wait->board);

    vg_waker_disarm(&wait->waker, cx); /* it may be polled without having been woken */
    if (!happened && !vg_cancelled(fut)) {
        CHECK_EQ(vg_waker_arm(&wait->waker, fut, cx), 0);
        if (board_hang_out(wait->board, wait->waker))
            return VG_PENDING;
        vg_waker_disarm(&wait->waker, cx);
        happened = true;
    }
    wait->ret = happened ? 0 : -ECANCELED;
    return VG_READY;
}

static inline void board_wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_waker_wake(((struct board_wait *)(void *)fut)->waker);
}

static inline struct vg_future *board_wait(struct board_wait *wait, struct board *board)
{
    static const struct vg_ops ops = {
        .poll = board_wait_poll,
        .cancel = board_wait_cancel,
        .name = "board_wait",
        .size = sizeof(struct board_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    wait->board = board;
    wait->waker = (struct vg_waker){NULL, 0};
    return &wait->fut;
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct inner {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(inner)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    SCRIBBLE(&f->wait);
    VG_RETURN(rc);
}

static inline struct inner *inner(struct inner *f, struct event *event)
{
    VG_SETUP(f, inner);
    f->event = event;
    return f;
}

/* A frame in a frame, which cleans up for a moment when it is cancelled. */
struct outer {
    VG_FRAME(int);
    struct event *event;
    union {
        struct inner inner;
        struct vg_yield yield;
    } u;
};

VG_ASYNC(outer)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(f->ret, inner(&f->u.inner, f->event));
    SCRIBBLE(&f->u);
    if (f->ret < 0) {
        VG_AWAIT_SHIELDED(rc, vg_yield(&f->u.yield));
        CHECK_EQ(rc, 0);
    }
    VG_RETURN(f->ret);
}

static inline struct outer *outer(struct outer *f, struct event *event)
{
    VG_SETUP(f, outer);
    f->event = event;
    return f;
}

/* The root of a short task. */
struct errand {
    VG_FRAME(int);
    uint64_t nap;
    union {
        struct vg_sleep nap;
        struct vg_yield yield;
    } u;
};

VG_ASYNC(errand)
{
    VG_BEGIN(f);
    int rc;
    if (f->nap % 2)
        VG_AWAIT(rc, vg_yield(&f->u.yield));
    else
        VG_AWAIT(rc, vg_sleep(&f->u.nap, f->nap));
    VG_RETURN(rc);
}

static inline struct errand *errand(struct errand *f, uint64_t nap)
{
    VG_SETUP(f, errand);
    f->nap = nap;
    return f;
}

/* ---- an arm of any kind ---------------------------------------------------------------------- */

enum kind { EVENT, FRAME, BOARD, NAP, BOUND, TASK, LOCK, KINDS };

struct arm {
    enum kind kind;
    struct vg_future *fut; /* NULL: not in use */
    union {
        struct event_wait event;
        struct outer frame;
        struct board_wait board;
        struct vg_sleep nap;
        struct {
            struct vg_timeout timeout;
            struct event_wait event;
        } bound;
        struct {
            struct vg_task_wait wait;
            struct vg_handle handle;
        } task;
        struct vg_lock lock;
    } u;
};

/* What one arm of one job may wait for. Others set and wake it at any time. */
struct source {
    struct event event;
    struct board board;
};

static inline void source_reset(struct source *source)
{
    vg_spin_lock(&source->event.guard);
    source->event.set = false;
    vg_spin_unlock(&source->event.guard);
    (void)board_take(&source->board);
}

static inline struct vg_future *arm_init_task(struct arm *arm, uint64_t nap)
{
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &arm->u.task.handle, errand, nap), 0);
    return &vg_task_wait(&arm->u.task.wait, &arm->u.task.handle)->fut;
}

static inline struct vg_future *arm_init(struct arm *arm, enum kind kind, struct source *source,
                                         struct vg_mutex *mutex, uint64_t nap)
{
    source_reset(source);
    arm->kind = kind;
    switch (kind) {
    case EVENT:
        return arm->fut = &event_wait(&arm->u.event, &source->event)->fut;
    case FRAME:
        return arm->fut = &outer(&arm->u.frame, &source->event)->fut;
    case BOARD:
        return arm->fut = board_wait(&arm->u.board, &source->board);
    case BOUND:
        return arm->fut = &vg_timeout(&arm->u.bound.timeout, nap,
                                      event_wait(&arm->u.bound.event, &source->event))
                               ->fut;
    case TASK:
        return arm->fut = arm_init_task(arm, nap);
    case LOCK:
        return arm->fut = &vg_lock(&arm->u.lock, mutex)->fut;
    default:
        return arm->fut = &vg_sleep(&arm->u.nap, nap)->fut;
    }
}

/* Whether it runs, or might be awaited again: its memory is in use. */
static inline bool arm_lives(const struct arm *arm)
{
    return arm->fut != NULL && vg_started(arm->fut) && !vg_done(arm->fut);
}

/* Whether the arm has ended with the mutex, which must now be given back. */
static inline bool arm_has_lock(const struct arm *arm)
{
    return arm->kind == LOCK && vg_done(arm->fut) && arm->u.lock.ret == 0;
}

#endif
