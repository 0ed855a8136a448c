/* SPDX-License-Identifier: MIT */
#include "stuck.h"

#include <errno.h>

#include <vigil/async.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

/* Futures that nobody wakes, or that wake themselves. */

/* Looks whether there is an event, and otherwise hopes for the best. */
struct next_event {
    struct vg_future fut;
    int ret;
    struct vg_waiter waiter;
};

static vg_poll next_event_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct next_event *f = (struct next_event *)(void *)fut;

    if (!vg_cancelled(fut))
        return VG_PENDING;
    vg_disarm(&f->waiter, cx);
    f->ret = -ECANCELED;
    return VG_READY;
}

static void next_event_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct next_event *f = (struct next_event *)(void *)fut;

    vg_arm(&f->waiter, fut, cx);
    vg_kick(&f->waiter, cx);
}

static struct next_event *next_event(struct next_event *f)
{
    static const struct vg_ops ops = {.poll = next_event_poll,
                                      .cancel = next_event_cancel,
                                      .name = "next_event",
                                      .size = sizeof *f,
                                      .kind = VG_KIND_LEAF};

    vg_future_init(&f->fut, &ops);
    f->ret = 0;
    f->waiter.flags = 0;
    return f;
}

struct listen {
    VG_FRAME(int);
    struct next_event event;
};

VG_ASYNC(listen)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, next_event(&f->event));
    VG_RETURN(f->ret);
}

static struct listen *listen(struct listen *f)
{
    VG_SETUP(f, listen);
    return f;
}

int stuck_forget(struct vg_exec *exec)
{
    return VG_SPAWN(exec, NULL, listen);
}

/* A pool of two connections without a queue: whoever finds both taken wakes itself to look again. */
enum { CONNECTIONS = 2, USERS = 8 };

static struct vg_mutex connection[CONNECTIONS];

struct borrow {
    struct vg_future fut;
    int ret;
    struct vg_mutex *taken;
    struct vg_waiter waiter;
};

static bool take_one(struct borrow *f)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!vg_trylock(&connection[i]))
            continue;
        f->taken = &connection[i];
        return true;
    }
    return false;
}

static vg_poll borrow_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct borrow *f = (struct borrow *)(void *)fut;

    if (vg_cancelled(fut)) {
        vg_disarm(&f->waiter, cx);
        f->ret = -ECANCELED;
        return VG_READY;
    }
    if (take_one(f))
        return VG_READY;
    vg_arm(&f->waiter, fut, cx);
    vg_notify(vg_wake(&f->waiter));
    return VG_PENDING;
}

static struct borrow *borrow(struct borrow *f)
{
    static const struct vg_ops ops = {
        .poll = borrow_poll, .name = "borrow", .size = sizeof *f, .kind = VG_KIND_LEAF};

    vg_future_init(&f->fut, &ops);
    f->ret = 0;
    f->waiter.flags = 0;
    return f;
}

struct user {
    VG_FRAME(int);
    struct borrow borrow;
    struct vg_sleep nap;
};

VG_ASYNC(user)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, borrow(&f->borrow));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(300)));
    vg_unlock(f->borrow.taken);
    VG_RETURN(0);
}

static struct user *user(struct user *f)
{
    VG_SETUP(f, user);
    return f;
}

int stuck_spin(struct vg_exec *exec)
{
    int rc = 0;

    for (int i = 0; i < CONNECTIONS; i++)
        vg_mutex_init(&connection[i], "connection");
    for (int i = 0; i < USERS && rc == 0; i++)
        rc = VG_SPAWN(exec, NULL, user);
    return rc;
}
