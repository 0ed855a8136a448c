/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_ACCEPT_STREAM_H
#define VIGIL_ACCEPT_STREAM_H

#include <vigil/io.h>
#include <vigil/stream.h>

/*
 * A listener as a stream: each item is an int, the descriptor of a new connection, which is the caller's from then on.
 *
 *     f->stream = vg_accept_stream(&f->incoming, listener);
 *     VG_EACH(rc, f->stream)
 *         serve(f, *(int *)f->stream->item);
 *
 * Never ends by itself. It fails with what vg_accept() fails with (-EMFILE: wait before asking again), and goes on when it is
 * asked again. Between two items nothing is in flight: connections wait in the kernel's queue.
 */

struct vg_accept_stream {
    struct vg_source source;
    int fd; /* the last connection; -1: none */
    /* private */
    int listener;
    struct vg_io io;
};

VG_API struct vg_stream *vg_accept_stream(struct vg_accept_stream *stream, int listener);

#endif
