/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

static bool pull(struct vg_drain *drain, struct vg_cx *cx)
{
    struct vg_stream *const stream = drain->stream;

    if (drain->ret < 0)
        vg_stream_closing_(stream);
    else
        vg_stream_next(stream);
    if (drain->ret < 0 || vg_cancelled(&drain->fut))
        vg_cancel(&stream->fut, cx);
    return vg_poll_future(&stream->fut, cx).ready;
}

static vg_poll drain_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_drain *const drain = (struct vg_drain *)(void *)fut;

    while (pull(drain, cx)) {
        (void)vg_stream_taken(drain->stream);
        if (drain->stream->ret == 0)
            return VG_READY;
        if (drain->stream->ret < 0)
            drain->ret = drain->stream->ret;
        else
            drain->count++;
    }
    return VG_PENDING;
}

static void drain_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct vg_drain *)(void *)fut)->stream->fut, cx);
}

static struct vg_future *drain_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? &((const struct vg_drain *)(const void *)fut)->stream->fut : NULL;
}

static const struct vg_ops drain_ops = {
    .poll = drain_poll,
    .cancel = drain_cancel,
    .child = drain_child,
    .name = "stream_drain",
    .size = sizeof(struct vg_drain),
    .kind = VG_KIND_NODE,
};

struct vg_drain *vg_drain(struct vg_drain *drain, struct vg_stream *stream)
{
    vg_future_init(&drain->fut, &drain_ops);
    drain->ret = 0;
    drain->count = 0;
    drain->stream = stream;
    return drain;
}
