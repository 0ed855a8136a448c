/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

#include <errno.h>

static vg_poll iter_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_iter *const iter = (struct vg_iter *)(void *)fut;
    void *item;

    vg_disarm(&iter->waiter, cx);
    if (iter->stream.closing || vg_cancelled(fut))
        return vg_stream_give(&iter->stream, -ECANCELED, NULL);
    if (!vg_coop(&iter->waiter, fut, cx))
        return VG_PENDING;
    item = iter->next(iter->arg);
    return vg_stream_give(&iter->stream, item != NULL, item);
}

static void iter_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_kick(&((struct vg_iter *)(void *)fut)->waiter, cx);
}

static const struct vg_ops iter_ops = {
    .poll = iter_poll,
    .cancel = iter_cancel,
    .name = "stream_iter",
    .size = sizeof(struct vg_iter),
    .kind = VG_KIND_LEAF,
    .is_timer = 1,
};

struct vg_stream *vg_stream_iter(struct vg_iter *iter, void *(*next)(void *arg), void *arg)
{
    vg_stream_init(&iter->stream, &iter_ops);
    iter->next = next;
    iter->arg = arg;
    iter->waiter.task = NULL;
    iter->waiter.flags = 0;
    return &iter->stream;
}
