/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CHANNEL_STREAM_H
#define VIGIL_CHANNEL_STREAM_H

#include <vigil/broadcast.h>
#include <vigil/mpmc.h>
#include <vigil/mpsc.h>
#include <vigil/stream.h>
#include <vigil/unbounded.h>

/*
 * Channels as streams: each item is a value that was received.
 *
 *     f->stream = vg_mpsc_stream(&f->jobs, f->channel, &f->job);
 *     VG_EACH(rc, f->stream)
 *         VG_AWAIT(done, work(&f->work, &f->job));
 *
 * The value is copied to `value`, which is the item; it is written again when the stream is asked for the next. The stream
 * ends (0) when the channel is closed and nothing is left in it. A broadcast that has lost values for this subscriber fails with
 * -EOVERFLOW, says in the subscription how many, and goes on with the oldest that is left.
 *
 * Progress  Between two items nothing is in flight, and nothing is taken out of the channel.
 * The rest  is that of the channel's receive, and of <vigil/stream.h>.
 */

struct vg_receive_stream {
    struct vg_source source;
    /* private */
    struct vg_receive recv;
    void *channel, *value;
};

VG_API struct vg_stream *vg_mpsc_stream(struct vg_receive_stream *stream, struct vg_mpsc *channel,
                                        void *value);
VG_API struct vg_stream *vg_unbounded_stream(struct vg_receive_stream *stream,
                                             struct vg_unbounded *channel, void *value);

struct vg_mpmc_stream {
    struct vg_source source;
    /* private */
    struct vg_mpmc_recv recv;
    struct vg_mpmc *channel;
    void *value;
};

VG_API struct vg_stream *vg_mpmc_stream(struct vg_mpmc_stream *stream, struct vg_mpmc *channel,
                                        void *value);

struct vg_broadcast_stream {
    struct vg_source source;
    /* private */
    struct vg_broadcast_recv recv;
    struct vg_subscription *subscription;
    void *value;
};

VG_API struct vg_stream *vg_broadcast_stream(struct vg_broadcast_stream *stream,
                                             struct vg_subscription *subscription, void *value);

#endif
