/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "pool.h"

static struct vg_spawn_blocking *blocking_of(struct vg_future *fut)
{
    return (struct vg_spawn_blocking *)(void *)fut;
}

static vg_poll start(struct vg_spawn_blocking *blocking, struct vg_cx *cx)
{
    blocking->ret = -ECANCELED;
    if (vg_cancelled(&blocking->fut))
        return VG_READY;
    vg_arm(&blocking->waiter, &blocking->fut, cx);
    if (vg_pool_submit(blocking->pool, blocking) == 0)
        return VG_PENDING;
    vg_disarm(&blocking->waiter, cx);
    blocking->ret = -EAGAIN;
    return VG_READY;
}

static vg_poll blocking_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_spawn_blocking *const blocking = blocking_of(fut);

    if (blocking->waiter.task == NULL)
        return start(blocking, cx);
    if (blocking->waiter.flags & VG_W_ARMED) /* not woken yet: polled for another reason */
        return VG_PENDING;
    vg_disarm(&blocking->waiter, cx);
    return VG_READY;
}

static void blocking_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_spawn_blocking *const blocking = blocking_of(fut);

    if (vg_pool_revoke(blocking->pool, blocking))
        vg_kick(&blocking->waiter, cx);
}

static const struct vg_ops blocking_ops = {
    .poll = blocking_poll,
    .cancel = blocking_cancel,
    .name = "vg_spawn_blocking",
    .size = sizeof(struct vg_spawn_blocking),
    .kind = VG_KIND_LEAF,
    .is_io = 1,
};

struct vg_spawn_blocking *vg_spawn_blocking(struct vg_spawn_blocking *blocking,
                                            struct vg_pool *pool, int (*call)(void *arg), void *arg)
{
    vg_future_init(&blocking->fut, &blocking_ops);
    blocking->ret = 0;
    blocking->pool = pool;
    blocking->call = call;
    blocking->arg = arg;
    blocking->link = NULL;
    blocking->waiter.task = NULL;
    blocking->waiter.flags = 0;
    return blocking;
}
