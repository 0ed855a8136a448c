/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

#include "task.h"

/*
 * What all streams have in common. A stream that has given a result is DONE, and its result is delivered to whoever
 * asks until it is taken; then asking makes it INIT again.
 */

void vg_stream_init(struct vg_stream *stream, const struct vg_ops *ops)
{
    vg_future_init(&stream->fut, ops);
    stream->ret = 0;
    stream->item = NULL;
    stream->closing = stream->ended = false;
}

static bool is_taken(const struct vg_stream *stream)
{
    return stream->fut.state == VG_DONE && (stream->fut.flags & VG_F_TAKEN) != 0;
}

/* It has lost a select or the like, and has nothing but that to tell. */
static bool was_stopped(const struct vg_stream *stream)
{
    return stream->fut.state == VG_DONE && vg_cancelled(&stream->fut) && stream->ret == -ECANCELED;
}

static void renew(struct vg_stream *stream)
{
    stream->item = NULL;
    if (VG_LIKELY(!stream->ended))
        vg_future_init(&stream->fut, stream->fut.ops);
    else
        stream->ret = 0;
}

struct vg_stream *vg_stream_next(struct vg_stream *stream)
{
    if (is_taken(stream) || was_stopped(stream))
        renew(stream);
    return stream;
}

struct vg_stream *vg_stream_closing_(struct vg_stream *stream)
{
    stream->closing = true;
    if (stream->fut.state == VG_DONE && !stream->ended)
        vg_future_init(&stream->fut, stream->fut.ops);
    return stream;
}

bool vg_stream_pull(struct vg_stream *s, struct vg_stream *up, struct vg_cx *cx)
{
    if (s->closing)
        vg_stream_closing_(up);
    else if (is_taken(up))
        renew(up);
    if (VG_UNLIKELY(s->closing || vg_cancelled(&s->fut)))
        vg_cancel(&up->fut, cx);
    return vg_poll_future(&up->fut, cx).ready;
}

vg_poll vg_stream_give(struct vg_stream *s, int ret, void *item)
{
    s->ret = s->closing ? 0 : ret;
    s->item = s->ret > 0 ? item : NULL;
    s->ended = s->ended || s->ret == 0;
    return VG_READY;
}

vg_poll vg_stream_pass(struct vg_stream *s, struct vg_stream *up)
{
    (void)vg_stream_taken(up);
    return vg_stream_give(s, up->ret, up->item);
}

void vg_stream_leave(struct vg_stream *s, struct vg_future *child, struct vg_cx *cx)
{
    if (vg_stream_flies(s, child))
        vg_leave(child, VG_KEPT, cx);
}

void vg_stream_cancel(struct vg_stream *s, struct vg_stream *up, struct vg_cx *cx)
{
    if (!vg_stream_flies(s, &up->fut))
        return;
    if (s->closing)
        vg_stream_closing_(up);
    vg_cancel(&up->fut, cx);
}
