/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

/* chain, zip and merge: what two streams give. */

static struct vg_both *both_of(struct vg_future *fut)
{
    return (struct vg_both *)(void *)fut;
}

static vg_poll chain_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_both *const both = both_of(fut);

    for (; both->turn < 2; both->turn++) {
        struct vg_stream *const up = both->up[both->turn];

        if (!vg_stream_pull(&both->stream, up, cx))
            return VG_PENDING;
        if (up->ret != 0)
            return vg_stream_pass(&both->stream, up);
    }
    return vg_stream_give(&both->stream, 0, NULL);
}

/* Asks both. Returns how many have not answered. */
static unsigned pull_both(struct vg_both *both, struct vg_cx *cx)
{
    const bool first = vg_stream_pull(&both->stream, both->up[0], cx);
    const bool second = vg_stream_pull(&both->stream, both->up[1], cx);

    return !first + !second;
}

static bool has_answered(const struct vg_stream *up)
{
    return up->fut.state == VG_DONE;
}

/* The waiting was cancelled. Both have answered; an item that came all the same stays for the next time. */
static vg_poll stop(struct vg_both *both)
{
    for (unsigned i = 0; i < 2; i++)
        if (both->up[i]->ret == -ECANCELED)
            (void)vg_stream_taken(both->up[i]);
    return vg_stream_give(&both->stream, -ECANCELED, NULL);
}

/* The one stream has something, and the other, if it is not as far, goes on. */
static vg_poll pass_one(struct vg_both *both, unsigned i, struct vg_cx *cx)
{
    vg_stream_leave(&both->stream, &both->up[!i]->fut, cx);
    return vg_stream_pass(&both->stream, both->up[i]);
}

static bool is_over(const struct vg_both *both)
{
    return both->up[0]->ended || both->up[1]->ended;
}

static vg_poll zip_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_both *const both = both_of(fut);
    unsigned waits = pull_both(both, cx);

    if (is_over(both) && !both->stream.closing) {
        both->stream.closing = true;
        waits = pull_both(both, cx);
    }
    if (waits > 0 && (both->stream.closing || vg_cancelled(fut)))
        return VG_PENDING;
    if (both->stream.closing)
        return vg_stream_give(&both->stream, 0, NULL);
    for (unsigned i = 0; i < 2; i++)
        if (has_answered(both->up[i]) && both->up[i]->ret < 0)
            return vg_cancelled(fut) ? stop(both) : pass_one(both, i, cx);
    if (waits > 0)
        return VG_PENDING;
    both->pair[0] = vg_stream_taken(both->up[0]);
    both->pair[1] = vg_stream_taken(both->up[1]);
    return vg_stream_give(&both->stream, 1, both->pair);
}

/* Whose turn it is to be passed on: -1 if neither has anything. */
static int choose(const struct vg_both *both)
{
    for (unsigned n = 0; n < 2; n++) {
        const unsigned i = (both->turn + n) % 2;
        const struct vg_stream *const up = both->up[i];
        const bool stops = vg_cancelled(&both->stream.fut) && up->ret == -ECANCELED;

        if (has_answered(up) && !up->ended && !stops)
            return (int)i;
    }
    return -1;
}

static vg_poll merge_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_both *const both = both_of(fut);
    const unsigned waits = pull_both(both, cx);
    int i;

    if (waits > 0 && (both->stream.closing || vg_cancelled(fut)))
        return VG_PENDING;
    i = choose(both);
    if (i >= 0) {
        both->turn = (uint8_t)!i;
        return pass_one(both, (unsigned)i, cx);
    }
    if (waits > 0)
        return VG_PENDING;
    if (both->up[0]->ended && both->up[1]->ended)
        return vg_stream_give(&both->stream, 0, NULL);
    return stop(both);
}

static void both_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_both *const both = both_of(fut);

    vg_stream_cancel(&both->stream, both->up[0], cx);
    vg_stream_cancel(&both->stream, both->up[1], cx);
}

static struct vg_future *both_child(const struct vg_future *fut, unsigned i)
{
    return i < 2 ? &((const struct vg_both *)(const void *)fut)->up[i]->fut : NULL;
}

#define BOTH_OPS(fn)                                                                               \
    static const struct vg_ops fn##_ops = {                                                        \
        .poll = fn##_poll,                                                                         \
        .cancel = both_cancel,                                                                     \
        .child = both_child,                                                                       \
        .name = "stream_" #fn,                                                                     \
        .size = sizeof(struct vg_both),                                                            \
        .kind = VG_KIND_NODE,                                                                      \
    }

BOTH_OPS(chain);
BOTH_OPS(zip);
BOTH_OPS(merge);

static struct vg_stream *init(struct vg_both *both, struct vg_stream *first,
                              struct vg_stream *second, const struct vg_ops *ops)
{
    vg_stream_init(&both->stream, ops);
    both->up[0] = first;
    both->up[1] = second;
    both->turn = 0;
    return &both->stream;
}

struct vg_stream *vg_stream_chain(struct vg_both *both, struct vg_stream *first,
                                  struct vg_stream *second)
{
    return init(both, first, second, &chain_ops);
}

struct vg_stream *vg_stream_zip(struct vg_both *both, struct vg_stream *first,
                                struct vg_stream *second)
{
    return init(both, first, second, &zip_ops);
}

struct vg_stream *vg_stream_merge(struct vg_both *both, struct vg_stream *first,
                                  struct vg_stream *second)
{
    return init(both, first, second, &merge_ops);
}
