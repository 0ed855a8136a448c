/* SPDX-License-Identifier: MIT */
#include <vigil/accept_stream.h>

static struct vg_future *start(struct vg_source *source)
{
    struct vg_accept_stream *const stream = (struct vg_accept_stream *)(void *)source;

    return &vg_accept(&stream->io, stream->listener)->fut;
}

static int finish(struct vg_source *source, void **item)
{
    struct vg_accept_stream *const stream = (struct vg_accept_stream *)(void *)source;

    stream->fd = stream->io.ret < 0 ? -1 : (int)stream->io.ret;
    *item = &stream->fd;
    return stream->io.ret < 0 ? (int)stream->io.ret : 1;
}

struct vg_stream *vg_accept_stream(struct vg_accept_stream *stream, int listener)
{
    static const struct vg_source_ops ops = {.start = start, .finish = finish};

    stream->fd = -1;
    stream->listener = listener;
    return vg_stream_source(&stream->source, &ops);
}
