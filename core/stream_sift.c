/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

#include <vigil/base.h>

/* map, filter and take: one item of the stream below becomes one, or none. They have nothing else in flight than what they wait for. */

static struct vg_sift *sift_of(struct vg_future *fut)
{
    return (struct vg_sift *)(void *)fut;
}

static vg_poll map_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_sift *const sift = sift_of(fut);

    if (!vg_stream_pull(&sift->stream, sift->up, cx))
        return VG_PENDING;
    if (sift->up->ret <= 0)
        return vg_stream_pass(&sift->stream, sift->up);
    return vg_stream_give(&sift->stream, 1, sift->map(sift->arg, vg_stream_taken(sift->up)));
}

static vg_poll filter_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_sift *const sift = sift_of(fut);

    while (vg_stream_pull(&sift->stream, sift->up, cx)) {
        if (sift->up->ret <= 0 || sift->filter(sift->arg, sift->up->item))
            return vg_stream_pass(&sift->stream, sift->up);
        (void)vg_stream_taken(sift->up);
    }
    return VG_PENDING;
}

static vg_poll take_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_sift *const sift = sift_of(fut);

    if (sift->left == 0)
        sift->stream.closing = true;
    if (!vg_stream_pull(&sift->stream, sift->up, cx))
        return VG_PENDING;
    sift->left -= sift->up->ret > 0;
    return vg_stream_pass(&sift->stream, sift->up);
}

static void sift_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_stream_cancel(&sift_of(fut)->stream, sift_of(fut)->up, cx);
}

static struct vg_future *sift_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? &((const struct vg_sift *)(const void *)fut)->up->fut : NULL;
}

#define SIFT_OPS(fn)                                                                               \
    static const struct vg_ops fn##_ops = {                                                        \
        .poll = fn##_poll,                                                                         \
        .cancel = sift_cancel,                                                                     \
        .child = sift_child,                                                                       \
        .name = "stream_" #fn,                                                                     \
        .size = sizeof(struct vg_sift),                                                            \
        .kind = VG_KIND_NODE,                                                                      \
    }

SIFT_OPS(map);
SIFT_OPS(filter);
SIFT_OPS(take);

struct vg_stream *vg_stream_map(struct vg_sift *sift, struct vg_stream *up,
                                void *(*map)(void *arg, void *item), void *arg)
{
    vg_stream_init(&sift->stream, &map_ops);
    sift->up = up;
    sift->map = map;
    sift->arg = arg;
    return &sift->stream;
}

struct vg_stream *vg_stream_filter(struct vg_sift *sift, struct vg_stream *up,
                                   bool (*filter)(void *arg, const void *item), void *arg)
{
    vg_stream_init(&sift->stream, &filter_ops);
    sift->up = up;
    sift->filter = filter;
    sift->arg = arg;
    return &sift->stream;
}

struct vg_stream *vg_stream_take(struct vg_sift *sift, struct vg_stream *up, uint64_t n)
{
    vg_stream_init(&sift->stream, &take_ops);
    sift->up = up;
    sift->left = n;
    sift->arg = NULL;
    return &sift->stream;
}
