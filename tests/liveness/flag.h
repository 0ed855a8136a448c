/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_FLAG_H
#define VIGIL_TESTS_LIVENESS_FLAG_H

#include <vigil/waker.h>

#include "quiet.h"

/* A hand-written future that waits for a flag, rightly or wrongly, and who awaits it. */

/* How a hand-written future that waits for a flag fails to be told. */
enum fault {
    TELLS_NOBODY,   /* looks at the flag, arms nothing */
    FORGETS_AGAIN,  /* arms a waiter and takes it back in the same poll */
    ASKS_ONLY_ONCE, /* its child was ready, so nothing is armed for the rest */
    ASKED_TO_END,   /* arms nothing until it is cancelled, and does not end then */
    WAITS_PROPERLY,
    WAITS_BY_CHILD, /* a child of its own has armed the waiter */
    WAITS_BY_WAKER,
};

struct flag {
    bool set;
    struct vg_waiter *waiter; /* of whoever waits; NULL: nobody does */
    struct vg_waker waker;
};

static inline void set_flag(struct flag *flag)
{
    flag->set = true;
    if (flag->waiter != NULL) {
        struct vg_waiter *waiter = flag->waiter;

        flag->waiter = NULL;
        vg_notify(vg_wake(waiter));
    }
    vg_waker_wake(flag->waker);
}

struct wait {
    struct vg_future fut;
    int ret;
    struct flag *flag;
    enum fault fault;
    struct vg_waiter waiter;
    struct vg_waker waker;
    struct vg_sleep nap;
};

static inline vg_poll finish_wait(struct wait *wait, int ret, struct vg_cx *cx)
{
    if (wait->flag->waiter == &wait->waiter)
        wait->flag->waiter = NULL;
    vg_disarm(&wait->waiter, cx);
    vg_waker_disarm(&wait->waker, cx);
    wait->ret = ret;
    return VG_READY;
}

static inline vg_poll wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct wait *wait = (struct wait *)(void *)fut;
    const bool child = wait->fault == ASKS_ONLY_ONCE || wait->fault == WAITS_BY_CHILD;

    if (child && !vg_done(&wait->nap.fut))
        (void)vg_poll_child(&wait->nap.fut, cx);
    if (child && !vg_done(&wait->nap.fut))
        return VG_PENDING;
    if (wait->flag->set || wait->fault == WAITS_BY_CHILD)
        return finish_wait(wait, 0, cx);
    if (vg_cancelled(fut) && wait->fault != ASKED_TO_END)
        return finish_wait(wait, -ECANCELED, cx);
    if (wait->fault == FORGETS_AGAIN) {
        vg_arm(&wait->waiter, fut, cx);
        vg_disarm(&wait->waiter, cx);
    }
    if (wait->fault == WAITS_PROPERLY && wait->flag->waiter == NULL) {
        vg_arm(&wait->waiter, fut, cx);
        wait->flag->waiter = &wait->waiter;
    }
    if (wait->fault == WAITS_BY_WAKER) {
        CHECK_EQ(vg_waker_arm(&wait->waker, fut, cx), 0);
        wait->flag->waker = wait->waker;
    }
    return VG_PENDING;
}

/* So that the executor can be closed. */
static inline void wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct wait *wait = (struct wait *)(void *)fut;

    if (wait->waiter.flags == 0)
        vg_arm(&wait->waiter, fut, cx);
    if (wait->fault == ASKED_TO_END)
        wait->flag->waiter = &wait->waiter;
    else
        vg_kick(&wait->waiter, cx);
}

static inline struct wait *flag_wait(struct wait *wait, struct flag *flag, enum fault fault)
{
    static const struct vg_ops leaf = {
        .poll = wait_poll,
        .cancel = wait_cancel,
        .name = "flag_wait",
        .size = sizeof(struct wait),
        .kind = VG_KIND_LEAF,
    };
    static const struct vg_ops opaque = {
        .poll = wait_poll,
        .cancel = wait_cancel,
        .name = "flag_wait",
        .size = sizeof(struct wait),
        .kind = VG_KIND_OPAQUE,
    };
    const bool childless = fault == TELLS_NOBODY && flag->set; /* so that both kinds are tried */

    vg_future_init(&wait->fut, childless || fault == WAITS_PROPERLY ? &leaf : &opaque);
    wait->flag = flag;
    wait->fault = fault;
    wait->waiter.flags = 0;
    wait->waker = (struct vg_waker){NULL, 0};
    vg_sleep(&wait->nap, fault == ASKS_ONLY_ONCE ? VG_MSEC(30) : VG_MSEC(300));
    flag->set = false;
    return wait;
}

/* Awaits it. */
struct waiting {
    VG_FRAME(int);
    struct wait wait;
};

static int waiting_line;

VG_ASYNC(waiting)
{
    VG_BEGIN(f);
    waiting_line = __LINE__ + 1;
    VG_AWAIT(f->ret, &f->wait);
    VG_RETURN(f->ret);
}

static inline struct waiting *waiting(struct waiting *f, struct flag *flag, enum fault fault)
{
    VG_SETUP(f, waiting);
    flag_wait(&f->wait, flag, fault);
    return f;
}

/* Sets the flag at 100 ms. */
struct setter {
    VG_FRAME(int);
    struct flag *flag;
    struct vg_sleep nap;
};

VG_ASYNC(setter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(100)));
    set_flag(f->flag);
    VG_RETURN(0);
}

static inline struct setter *setter(struct setter *f, struct flag *flag)
{
    VG_SETUP(f, setter);
    f->flag = flag;
    return f;
}

static inline void run_pair(struct lab *lab, struct waiting *root, struct flag *flag,
                            enum fault fault, int rc)
{
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, setter, flag), 0);
    CHECK_EQ(lab_run(lab, &waiting(root, flag, fault)->fut), rc);
}

#endif
