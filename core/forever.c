/* SPDX-License-Identifier: MIT */
#include <vigil/time.h>

#include <errno.h>

#include "task.h"

/* Its waiter is armed, and nobody has it: only a cancel lets it go. */

static vg_poll forever_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_forever *forever = (struct vg_forever *)(void *)fut;

    if (fut->flags & VG_F_CANCEL) {
        vg_disarm(&forever->waiter, cx);
        return VG_READY;
    }
    if (forever->waiter.task == NULL)
        vg_arm(&forever->waiter, fut, cx);
    return VG_PENDING;
}

static void forever_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_kick(&((struct vg_forever *)(void *)fut)->waiter, cx);
}

static const struct vg_ops forever_ops = {
    .poll = forever_poll,
    .cancel = forever_cancel,
    .name = "forever",
    .size = sizeof(struct vg_forever),
    .kind = VG_KIND_LEAF,
};

struct vg_forever *vg_forever(struct vg_forever *forever)
{
    vg_future_init(&forever->fut, &forever_ops);
    forever->ret = -ECANCELED;
    forever->waiter.task = NULL;
    forever->waiter.flags = 0;
    return forever;
}
