/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

static struct vg_future *start(struct vg_source *source)
{
    return &vg_interval_next(&((struct vg_interval_stream *)(void *)source)->interval)->fut;
}

static int finish(struct vg_source *source, void **item)
{
    struct vg_interval *const interval = &((struct vg_interval_stream *)(void *)source)->interval;

    *item = &interval->ret;
    return interval->ret < 0 ? (int)interval->ret : 1;
}

struct vg_stream *vg_stream_interval(struct vg_interval_stream *stream, uint64_t period)
{
    static const struct vg_source_ops ops = {.start = start, .finish = finish};

    vg_interval_init(&stream->interval, period);
    return vg_stream_source(&stream->source, &ops);
}
