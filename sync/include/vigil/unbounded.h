/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_UNBOUNDED_H
#define VIGIL_UNBOUNDED_H

#include <vigil/alloc.h>
#include <vigil/inbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An unbounded channel: many senders, who never wait, and one receiver. Values of one size are copied in and out.
 *
 *     vg_unbounded_init(&events, "events", sizeof(struct event), NULL);
 *
 *     sender:    rc = vg_unbounded_send(&events, &event);        (any thread)
 *                if (rc < 0)
 *                    ...                                        (-EPIPE or -ENOMEM: the event is still ours)
 *     receiver:  VG_AWAIT(rc, vg_unbounded_recv(&f->receive, f->events, &f->event));
 *
 * Nothing slows the senders down, so a receiver that is slower than they are costs memory without limit. Use
 * <vigil/mpsc.h> unless the number of values is bounded by something else.
 *
 * Closing   vg_unbounded_close() is for either side. Later sends end with -EPIPE. What is in the channel can still be
 *           received; then receives end with -EPIPE.
 * Memory    The channel and the futures are the caller's. Values are kept in blocks of VG_UNBOUNDED_BLOCK, which are
 *           allocated when the newest is full and freed when their values have been received; one empty block
 *           is kept for the next time. vg_unbounded_fini() frees all, and forgets the values that are still there. The
 *           channel may be destroyed when a receive has completed with -EPIPE, although the call of
 *           vg_unbounded_close() has not returned yet, and when no other call is under way.
 * Threads   Sends and closes on any thread. One receiver at a time. vg_unbounded_init() and vg_unbounded_fini() must
 *           not race with other calls.
 * Ordering  What precedes the send of a value happens before its receive completes. Values that one
 *           sender sends one after the other are received in that order.
 * Errors    -EPIPE: closed. -ENOMEM: only from sends. -EAGAIN: only from vg_unbounded_try_recv(). -ECANCELED: only
 *           from futures. Two receives at once and destruction while one waits panic.
 * Cost      A spin lock for a few instructions and a copy at each call; an allocation, without the lock, for each
 *           block; a wake where the receiver waits.
 */

enum { VG_UNBOUNDED_BLOCK = 32 };

struct vg_unbounded_block;

struct vg_unbounded {
    /* private */
    struct vg_inbox inbox; /* first; its guard guards all that follows */
    const struct vg_alloc *alloc;
    struct vg_unbounded_block *first, *last; /* from the oldest values to the newest; NULL: none */
    struct vg_unbounded_block *spare;        /* empty; NULL: none */
    uint32_t head;                           /* of the oldest value, in the first block */
    uint32_t tail;                           /* behind the newest, in the last block */
    size_t length;
    bool closed;
};

extern VG_API const struct vg_resource_ops vg_unbounded_resource_;

/* Makes an open, empty channel of values of `size` bytes, which allocates nothing yet. The name is static storage or
 * NULL; so is `place`. `alloc` outlives the channel; NULL: vg_alloc_default. Panics if the size is 0. */
VG_API void vg_unbounded_init_at(struct vg_unbounded *channel, const char *name, size_t size,
                                 const struct vg_alloc *alloc, const struct vg_place *place);

/* vg_unbounded_init_at() this line. */
#ifdef __cplusplus
#define vg_unbounded_init(channel, name, size, alloc)                                              \
    vg_unbounded_init_at((channel), (name), (size), (alloc), NULL)
#else
#define vg_unbounded_init(channel, name, size, alloc)                                              \
    vg_unbounded_init_at((channel), (name), (size), (alloc), VG_HERE)
#endif

/* Panics if a receive waits. */
VG_API void vg_unbounded_fini(struct vg_unbounded *channel);

/* How many values can be received now. Out of date when it returns. */
VG_API size_t vg_unbounded_length(struct vg_unbounded *channel);

/* Copies the value into the channel: 0; -EPIPE; -ENOMEM. From any thread. */
VG_API VG_MUST_USE int vg_unbounded_send(struct vg_unbounded *channel, const void *value);

/* Nothing more is sent. May be called again. */
VG_API void vg_unbounded_close(struct vg_unbounded *channel);

/* Copies the oldest value out: 0; -EAGAIN: there is none now; -EPIPE: there will be none. */
VG_API VG_MUST_USE int vg_unbounded_try_recv(struct vg_unbounded *channel, void *value);

/* Prepares `recv` as a future that completes when the oldest value has been copied to `value`, and returns it. One
 * that is cancelled takes nothing. */
VG_API struct vg_receive *vg_unbounded_recv(struct vg_receive *recv, struct vg_unbounded *channel,
                                            void *value);

/* The same for as many values as there are, at least one and at most `max`. Panics if `max` is 0. */
VG_API struct vg_receive *vg_unbounded_recv_many(struct vg_receive *recv,
                                                 struct vg_unbounded *channel, void *values,
                                                 size_t max);

/* VG_AWAIT(rc, vg_unbounded_recv(...)) without a future when there is a value: see VG_MPSC_RECV. */
#define VG_UNBOUNDED_RECV(rc, recv, channel, value)                                                \
    do {                                                                                           \
        VG_AWAIT_UNLESS(rc, vg_unbounded_try_recv((channel), (value)),                             \
                        vg_unbounded_recv((recv), (channel), (value)));                            \
        VG_TOOK_(rc);                                                                              \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
