/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

#include <string.h>

static struct vg_chunks *chunks_of(struct vg_future *fut)
{
    return (struct vg_chunks *)(void *)fut;
}

/* The stream below has ended or failed. True: what has been gathered goes first, and this waits. */
static bool holds_back(const struct vg_chunks *chunks)
{
    const bool stops = vg_cancelled(&chunks->stream.fut) && chunks->up->ret == -ECANCELED;

    return chunks->count > 0 && !chunks->stream.closing && !stops;
}

static vg_poll chunks_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_chunks *const chunks = chunks_of(fut);

    if (chunks->given)
        chunks->count = 0;
    chunks->given = false;
    while (chunks->count < chunks->most) {
        if (!vg_stream_pull(&chunks->stream, chunks->up, cx))
            return VG_PENDING;
        if (chunks->up->ret <= 0) {
            if (holds_back(chunks))
                break;
            return vg_stream_pass(&chunks->stream, chunks->up);
        }
        memcpy((char *)chunks->items + chunks->count++ * chunks->size, vg_stream_taken(chunks->up),
               chunks->size);
    }
    chunks->given = true;
    return vg_stream_give(&chunks->stream, 1, chunks);
}

static void chunks_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_stream_cancel(&chunks_of(fut)->stream, chunks_of(fut)->up, cx);
}

static struct vg_future *chunks_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? &((const struct vg_chunks *)(const void *)fut)->up->fut : NULL;
}

static const struct vg_ops chunks_ops = {
    .poll = chunks_poll,
    .cancel = chunks_cancel,
    .child = chunks_child,
    .name = "stream_chunks",
    .size = sizeof(struct vg_chunks),
    .kind = VG_KIND_NODE,
};

struct vg_stream *vg_stream_chunks(struct vg_chunks *chunks, struct vg_stream *up, void *storage,
                                   size_t size, size_t most)
{
    VG_ASSERT(most > 0);
    vg_stream_init(&chunks->stream, &chunks_ops);
    chunks->items = storage;
    chunks->count = 0;
    chunks->up = up;
    chunks->size = size;
    chunks->most = most;
    chunks->given = false;
    return &chunks->stream;
}
