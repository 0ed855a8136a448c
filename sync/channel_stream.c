/* SPDX-License-Identifier: MIT */
#include <vigil/channel_stream.h>

#include <errno.h>

/* What the end of a receive means for the stream. */
static int outcome(int ret, void *value, void **item)
{
    *item = value;
    if (ret == -EPIPE)
        return 0;
    return ret < 0 ? ret : 1;
}

/* ---- one receiver ------------------------------------------------------------------------------ */

static int finish_receive(struct vg_source *source, void **item)
{
    struct vg_receive_stream *const stream = (struct vg_receive_stream *)(void *)source;

    return outcome(stream->recv.ret, stream->value, item);
}

static struct vg_stream *open_receive(struct vg_receive_stream *stream, void *channel, void *value,
                                      const struct vg_source_ops *ops)
{
    stream->channel = channel;
    stream->value = value;
    return vg_stream_source(&stream->source, ops);
}

static struct vg_future *start_mpsc(struct vg_source *source)
{
    struct vg_receive_stream *const stream = (struct vg_receive_stream *)(void *)source;

    return &vg_mpsc_recv(&stream->recv, (struct vg_mpsc *)stream->channel, stream->value)->fut;
}

struct vg_stream *vg_mpsc_stream(struct vg_receive_stream *stream, struct vg_mpsc *channel,
                                 void *value)
{
    static const struct vg_source_ops ops = {.start = start_mpsc, .finish = finish_receive};

    return open_receive(stream, channel, value, &ops);
}

static struct vg_future *start_unbounded(struct vg_source *source)
{
    struct vg_receive_stream *const stream = (struct vg_receive_stream *)(void *)source;

    return &vg_unbounded_recv(&stream->recv, (struct vg_unbounded *)stream->channel, stream->value)
                ->fut;
}

struct vg_stream *vg_unbounded_stream(struct vg_receive_stream *stream,
                                      struct vg_unbounded *channel, void *value)
{
    static const struct vg_source_ops ops = {.start = start_unbounded, .finish = finish_receive};

    return open_receive(stream, channel, value, &ops);
}

/* ---- one of several receivers ------------------------------------------------------------------- */

static struct vg_future *start_mpmc(struct vg_source *source)
{
    struct vg_mpmc_stream *const stream = (struct vg_mpmc_stream *)(void *)source;

    return &vg_mpmc_recv(&stream->recv, stream->channel, stream->value)->fut;
}

static int finish_mpmc(struct vg_source *source, void **item)
{
    struct vg_mpmc_stream *const stream = (struct vg_mpmc_stream *)(void *)source;

    return outcome(stream->recv.ret, stream->value, item);
}

struct vg_stream *vg_mpmc_stream(struct vg_mpmc_stream *stream, struct vg_mpmc *channel,
                                 void *value)
{
    static const struct vg_source_ops ops = {.start = start_mpmc, .finish = finish_mpmc};

    stream->channel = channel;
    stream->value = value;
    return vg_stream_source(&stream->source, &ops);
}

/* ---- a subscriber ------------------------------------------------------------------------------ */

static struct vg_future *start_broadcast(struct vg_source *source)
{
    struct vg_broadcast_stream *const stream = (struct vg_broadcast_stream *)(void *)source;

    return &vg_broadcast_recv(&stream->recv, stream->subscription, stream->value)->fut;
}

static int finish_broadcast(struct vg_source *source, void **item)
{
    struct vg_broadcast_stream *const stream = (struct vg_broadcast_stream *)(void *)source;

    return outcome(stream->recv.ret, stream->value, item);
}

struct vg_stream *vg_broadcast_stream(struct vg_broadcast_stream *stream,
                                      struct vg_subscription *subscription, void *value)
{
    static const struct vg_source_ops ops = {.start = start_broadcast, .finish = finish_broadcast};

    stream->subscription = subscription;
    stream->value = value;
    return vg_stream_source(&stream->source, &ops);
}
