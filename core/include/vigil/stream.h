/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_STREAM_H
#define VIGIL_STREAM_H

#ifdef __cplusplus
#error "vigil/stream.h is for C, like vigil/async.h"
#endif

#include <vigil/async.h>
#include <vigil/set.h>
#include <vigil/time.h>

#pragma GCC system_header

/*
 * Streams: futures that are awaited again for each item.
 *
 *     struct sums {
 *         VG_FRAME(int);
 *         struct vg_iter numbers;
 *         struct vg_sift odd;
 *         struct vg_stream *stream;
 *         struct vg_sleep nap;
 *         long sum;
 *     };
 *     ...
 *     f->stream = vg_stream_filter(&f->odd, vg_stream_iter(&f->numbers, next_number, f), is_odd, f);
 *     VG_EACH(rc, f->stream) {
 *         f->sum += *(const long *)f->stream->item;
 *         VG_AWAIT(ended, vg_sleep(&f->nap, VG_MSEC(1)));     what is in flight goes on meanwhile
 *     }
 *     VG_STREAM_CLOSE(ended, f->stream);                      only needed after a break, or a failure
 *
 * Items     `item` points to the item: storage of the stream, or of the one it comes from, valid until the stream is asked
 *           again. What is to live longer is copied.
 * Results   VG_EACH, VG_AWAIT(rc, vg_stream_next(stream)): 1: an item; 0: the end, for ever; a negative errno: something
 *           failed. It is for the stream to say whether it goes on after that; it may be asked again in any case.
 * Progress  What a stream has in flight when it gives an item is kept by the frame (VG_KEEP of <vigil/combine.h>): it runs on its
 *           own wakes while the frame awaits something else, and so cannot hold what others wait for. Between two
 *           items a stream begins nothing new. Which adapter has what in flight: the table in docs/streams.md.
 * Cancel    Cancelling the future that vg_stream_next() returned stops the waiting and loses nothing: an item that came all the
 *           same is delivered, and what is in flight stays, for the next call.
 * Close     VG_STREAM_CLOSE() cancels all that is in flight, waits for its end, and drops what nobody has taken. A frame that does not go
 *           on to the end of its stream must do this before it returns, or it panics like one with any other live child.
 * Select    As an arm, a stream that loses is kept: VG_KEEP(vg_stream_next(s)). The next call takes up the same waiting.
 * Memory    All storage is the caller's; nothing is allocated. An adapter owns the streams below it: ask only the outermost one.
 *           Their storage may be reused after the end (0) or a close.
 * Threads   All of it in polls of one task, from the frame that holds it or from its children.
 * Cost      An item of a source that is ready costs a call for each adapter. One that has to wait costs a wake and a
 *           poll of each adapter up to the frame.
 */

struct vg_stream {
    struct vg_future fut;
    int ret;    /* 1, 0 or a negative errno */
    void *item; /* NULL unless ret is 1 */
    /* private */
    bool closing, ended;
};

/* Prepares for the next item, and returns the stream as a future. Takes up what is under way, if something is. */
VG_API struct vg_stream *vg_stream_next(struct vg_stream *stream);

/*
 * A loop over all items, a real while loop: break and continue work, and the body may await. rc is an int: 1 in the body, and
 * afterwards what ended the loop. `stream` is evaluated for each item.
 */
#define VG_EACH(rc, stream) VG_EACH_(rc, stream, __COUNTER__)
#define VG_EACH_(rc, stream, n) VG_EACH_AT_(rc, stream, #stream, n)
#define VG_EACH_AT_(rc, stream, text, n)                                                           \
    vg_each_##n : while (__extension__({                                                           \
        struct vg_async *const vg_co_ = &VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN->co;    \
        struct vg_stream *const vg_s_ = (stream);                                                  \
        VG_SITE_(vg_each_##n, text, 0);                                                            \
        const bool vg_comes_ = vg_co_->at != &vg_site_ || vg_co_->child != &vg_s_->fut ||          \
                               vg_s_->fut.state == VG_INIT ||                                      \
                               (vg_s_->fut.flags & VG_F_TAKEN) != 0;                               \
        if (vg_comes_) {                                                                           \
            vg_co_->child = &vg_stream_next(vg_s_)->fut;                                           \
            vg_co_->at = &vg_site_;                                                                \
        }                                                                                          \
        if (!(vg_comes_ ? vg_await_enter_ : vg_await_)(vg_co_, vg_cx).ready)                       \
            return VG_PENDING;                                                                     \
        (rc) = vg_s_->ret;                                                                         \
        (rc) > 0;                                                                                  \
    }))

/* Ends the stream: rc becomes 0. Also in a cancelled frame. Nothing happens to a stream that has ended. */
#define VG_STREAM_CLOSE(rc, stream) VG_AWAIT_CANCEL(rc, vg_stream_closing_(stream))

VG_API struct vg_stream *vg_stream_closing_(struct vg_stream *stream);

/* ---- sources ------------------------------------------------------------------------------- */

/* Items that are there without waiting. They count against the budget of the poll. */
struct vg_iter {
    struct vg_stream stream;
    /* private */
    void *(*next)(void *arg);
    void *arg;
    struct vg_waiter waiter;
};

/* next(arg) returns the next item, or NULL when there are no more; then it is not called again. */
VG_API struct vg_stream *vg_stream_iter(struct vg_iter *iter, void *(*next)(void *arg), void *arg);

/* Items that a future brings, which is constructed anew for each: a receive, a sleep, an accept. */
struct vg_source {
    struct vg_stream stream;
    /* private */
    struct vg_future *child;
    const struct vg_source_ops *ops;
};

struct vg_source_ops {
    /* Constructs the future, in storage beside the source. */
    struct vg_future *(*start)(struct vg_source *source);
    /* The future has ended. Sets *item and returns 1; or 0: the stream ends; or a negative errno. */
    int (*finish)(struct vg_source *source, void **item);
};

/* In flight between items: nothing, unless a wait was kept. The ops are static storage. */
VG_API struct vg_stream *vg_stream_source(struct vg_source *source,
                                          const struct vg_source_ops *ops);

/* What ends in a set: the item is the struct vg_set_item. The stream ends when the set is empty, and closing it leaves
 * the set alone. */
struct vg_set_stream {
    struct vg_source source;
    /* private */
    struct vg_set *set;
    struct vg_set_next next;
};
VG_API struct vg_stream *vg_stream_set(struct vg_set_stream *stream, struct vg_set *set);

/* The ticks of an interval (<vigil/time.h>): the item is the int64_t number of those that were missed before it. Never ends. */
struct vg_interval_stream {
    struct vg_source source;
    /* private */
    struct vg_interval interval;
};
VG_API struct vg_stream *vg_stream_interval(struct vg_interval_stream *stream, uint64_t period);

/* ---- one item after the other ---------------------------------------------------------------- */

/* The storage of map, filter and take. */
struct vg_sift {
    struct vg_stream stream;
    /* private */
    struct vg_stream *up;
    union {
        void *(*map)(void *arg, void *item);
        bool (*filter)(void *arg, const void *item);
        uint64_t left;
    };
    void *arg;
};

/* Each item as map(arg, item) gives it back, which must not be NULL. */
VG_API struct vg_stream *vg_stream_map(struct vg_sift *sift, struct vg_stream *up,
                                       void *(*map)(void *arg, void *item), void *arg);

/* The items for which filter(arg, item) is true. */
VG_API struct vg_stream *vg_stream_filter(struct vg_sift *sift, struct vg_stream *up,
                                          bool (*filter)(void *arg, const void *item), void *arg);

/* The first n items. Then closes the stream below and ends; nothing is asked for beyond the last. */
VG_API struct vg_stream *vg_stream_take(struct vg_sift *sift, struct vg_stream *up, uint64_t n);

/* Several items at once: the item is the struct vg_chunks. */
struct vg_chunks {
    struct vg_stream stream;
    void *items; /* copies, side by side */
    size_t count;
    /* private */
    struct vg_stream *up;
    size_t size, most;
    bool given;
};

/* `most` items of `size` bytes each, copied into `storage`. The last one may be smaller, and so is one before a failure; that is
 * reported next. */
VG_API struct vg_stream *vg_stream_chunks(struct vg_chunks *chunks, struct vg_stream *up,
                                          void *storage, size_t size, size_t most);

/* ---- of two streams ------------------------------------------------------------------------ */

/* The storage of chain, zip and merge. */
struct vg_both {
    struct vg_stream stream;
    void *pair[2]; /* of a zip: what its item points to */
    /* private */
    struct vg_stream *up[2];
    uint8_t turn;
};

/* All of the first, then all of the second. */
VG_API struct vg_stream *vg_stream_chain(struct vg_both *both, struct vg_stream *first,
                                         struct vg_stream *second);

/* One of each, asked for at the same time: the item is `pair`. Ends when one of them does, and closes the other. */
VG_API struct vg_stream *vg_stream_zip(struct vg_both *both, struct vg_stream *first,
                                       struct vg_stream *second);

/* Whichever has one, in turns if both have. Ends when both have. Both make progress at any time. */
VG_API struct vg_stream *vg_stream_merge(struct vg_both *both, struct vg_stream *first,
                                         struct vg_stream *second);

/* ---- several futures at a time --------------------------------------------------------------- */

/* First member of what belongs to one item in flight: its future and whatever that needs. */
struct vg_stream_slot {
    /* private */
    struct vg_set_item item;
    struct vg_stream_slot *next; /* of the free ones, or of those in flight, oldest first */
    bool landed;                 /* taken out of the set */
};

struct vg_buffered {
    struct vg_stream stream;
    /* private */
    struct vg_stream *up;
    struct vg_future *(*start)(void *arg, void *item, struct vg_stream_slot *slot);
    void *arg;
    struct vg_stream_slot *free;
    struct vg_stream_slot *oldest, **newest; /* only if it keeps the order */
    uint32_t flying;
    bool ordered;
    struct vg_set set;
    struct vg_set_next next;
};

/*
 * Makes each item of `up` into a future, and gives the slots of those that have ended: in the order of the items
 * (vg_buffered), or in that of their ends (vg_buffer_unordered). `slots` is an array whose elements begin with a vg_stream_slot; so
 * many futures run at a time, less the one that the caller still looks at. They go on while it awaits something else.
 * With one slot that is the stream usually called "then".
 *
 * start(arg, item, slot) constructs a future in the slot's storage; the item is only valid during the call. A failure of `up` is
 * reported when everything begun before has been given (vg_buffered), or at once.
 */
#define vg_buffered(buffered, up, slots, start, arg)                                               \
    vg_buffered_init_((buffered), (up), (slots), sizeof *(slots), sizeof(slots) / sizeof *(slots), \
                      true, (start), (arg))
#define vg_buffer_unordered(buffered, up, slots, start, arg)                                       \
    vg_buffered_init_((buffered), (up), (slots), sizeof *(slots), sizeof(slots) / sizeof *(slots), \
                      false, (start), (arg))

VG_API struct vg_stream *vg_buffered_init_(struct vg_buffered *buffered, struct vg_stream *up,
                                           void *slots, size_t size, size_t count, bool ordered,
                                           struct vg_future *(*start)(void *arg, void *item,
                                                                      struct vg_stream_slot *slot),
                                           void *arg);

/* ---- to the end ---------------------------------------------------------------------------- */

/* Asks for items until the stream ends or fails, and closes it in that case. */
struct vg_drain {
    struct vg_future fut;
    int ret;        /* 0, or what failed */
    uint64_t count; /* of items */
    /* private */
    struct vg_stream *stream;
};
VG_API struct vg_drain *vg_drain(struct vg_drain *drain, struct vg_stream *stream);

/*
 * Runs a future for each item of a stream, as many at a time as there are slots: internal iteration, for one (for_each) or for many
 * (for_each_concurrent). The arguments are those of vg_buffer_unordered().
 *
 *     VG_AWAIT(rc, vg_for_each(&f->each, f->stream, f->slot, start_one, f));
 */
struct vg_for_each {
    struct vg_buffered buffered;
    struct vg_drain drain;
};
#define vg_for_each(each, up, slots, start, arg)                                                   \
    vg_drain(&(each)->drain, vg_buffer_unordered(&(each)->buffered, (up), (slots), (start), (arg)))

/* ---- for those who write an adapter ---------------------------------------------------------- */

/*
 * An adapter is a future of kind NODE that begins with a vg_stream, and a stream for whoever is above. Its poll, called when it is
 * asked and whenever something below it has ended, comes to one of these ends:
 *
 *     if (!vg_stream_pull(&s->stream, s->up, cx))
 *         return VG_PENDING;                              (its poll is called again)
 *     if (s->up->ret <= 0)
 *         return vg_stream_pass(&s->stream, s->up);       (the end, or a failure)
 *     item = vg_stream_taken(s->up);
 *     ...
 *     return vg_stream_give(&s->stream, 1, item);
 *
 * What it leaves in flight when it gives an item it hands to the frame: vg_stream_leave(). Its cancel passes the request on.
 */

VG_API void vg_stream_init(struct vg_stream *stream, const struct vg_ops *ops);

/* Asks the stream below for an item, or to close if `s` is closing. True: its result is there. */
VG_API bool vg_stream_pull(struct vg_stream *s, struct vg_stream *up, struct vg_cx *cx);

/* Takes the result away from a stream that has one, so that the next pull asks anew. Returns the item. */
static inline void *vg_stream_taken(struct vg_stream *up)
{
    up->fut.flags |= VG_F_TAKEN;
    return up->item;
}

/* What a poll of an adapter returns when it has a result. */
VG_API vg_poll vg_stream_give(struct vg_stream *s, int ret, void *item);

/* The same with the result of the stream below. */
VG_API vg_poll vg_stream_pass(struct vg_stream *s, struct vg_stream *up);

/* Whether the child runs on behalf of this stream. */
static inline bool vg_stream_flies(const struct vg_stream *s, const struct vg_future *child)
{
    return child->state == VG_RUNNING && child->up == &s->fut;
}

/* Hands a child that does to the frame, as kept. In the poll of `s`. */
VG_API void vg_stream_leave(struct vg_stream *s, struct vg_future *child, struct vg_cx *cx);

/* For the cancel of an adapter: passes on what it is asked for, also whether it is to close. */
VG_API void vg_stream_cancel(struct vg_stream *s, struct vg_stream *up, struct vg_cx *cx);

#endif
