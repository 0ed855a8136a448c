/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

#include <errno.h>

static struct vg_source *source_of(struct vg_future *fut)
{
    return (struct vg_source *)(void *)fut;
}

/* The child is NULL while there is none whose result is still to be given. */
static vg_poll source_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_source *const source = source_of(fut);
    void *item = NULL;
    int ret;

    if (source->child == NULL) {
        if (source->stream.closing || vg_cancelled(fut))
            return vg_stream_give(&source->stream, -ECANCELED, NULL);
        source->child = source->ops->start(source);
    }
    if (vg_cancelled(fut))
        vg_cancel(source->child, cx);
    if (!vg_poll_future(source->child, cx).ready)
        return VG_PENDING;
    source->child->flags |= VG_F_TAKEN;
    source->child = NULL;
    ret = source->ops->finish(source, &item);
    return vg_stream_give(&source->stream, ret, item);
}

static void source_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    if (source_of(fut)->child != NULL)
        vg_cancel(source_of(fut)->child, cx);
}

static struct vg_future *source_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? ((const struct vg_source *)(const void *)fut)->child : NULL;
}

static const struct vg_ops source_ops = {
    .poll = source_poll,
    .cancel = source_cancel,
    .child = source_child,
    .name = "stream_source",
    .size = sizeof(struct vg_source),
    .kind = VG_KIND_NODE,
};

struct vg_stream *vg_stream_source(struct vg_source *source, const struct vg_source_ops *ops)
{
    vg_stream_init(&source->stream, &source_ops);
    source->child = NULL;
    source->ops = ops;
    return &source->stream;
}

/* ---- what ends in a set ---------------------------------------------------------------------- */

static struct vg_future *start_next(struct vg_source *source)
{
    struct vg_set_stream *const stream = (struct vg_set_stream *)(void *)source;

    return &vg_set_next(&stream->next, stream->set)->fut;
}

static int finish_next(struct vg_source *source, void **item)
{
    const struct vg_set_stream *const stream = (const struct vg_set_stream *)(const void *)source;

    *item = stream->next.item;
    if (stream->next.ret == -ENOENT)
        return 0;
    return stream->next.ret < 0 ? stream->next.ret : 1;
}

struct vg_stream *vg_stream_set(struct vg_set_stream *stream, struct vg_set *set)
{
    static const struct vg_source_ops ops = {.start = start_next, .finish = finish_next};

    stream->set = set;
    return vg_stream_source(&stream->source, &ops);
}
