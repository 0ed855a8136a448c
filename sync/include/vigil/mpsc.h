/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_MPSC_H
#define VIGIL_MPSC_H

#include <vigil/inbox.h>
#include <vigil/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A bounded channel: many senders, one receiver. Values of one size are copied in and out.
 *
 *     struct job slots[64];
 *     vg_mpsc_init(&jobs, "jobs", slots, 64);
 *
 *     sender:    VG_AWAIT(rc, vg_mpsc_send(&f->send, f->jobs, &f->job));
 *                if (rc < 0)
 *                    VG_RETURN(rc);               (cancelled or closed: the job is still ours)
 *     receiver:  for (;;) {
 *                    VG_AWAIT(rc, vg_mpsc_recv(&f->recv, f->jobs, &f->job));
 *                    if (rc < 0)
 *                        break;                   (-EPIPE: closed, and nothing is left)
 *                    ...
 *                }
 *
 * Senders wait while the channel is full: that is how a slow receiver slows them down. Where a sender
 * must not wait, use vg_mpsc_try_send(), or <vigil/unbounded.h> if it must not fail either. For several receivers use
 * <vigil/mpmc.h>.
 *
 * Permits   A sender that must not make a value before there is room for it reserves a slot: it gets
 *           a permit, to be used by vg_mpsc_send_reserved() or returned by vg_mpsc_unreserve(). Permits that
 *           nobody uses take the slots away from everybody else.
 * Fairness  Sends and reservations that wait are served in the order of their first polls. The value of a
 *           send that waits is moved into the channel by whoever frees a slot, so a send that is
 *           not polled holds up nobody. A reservation is granted, and a grant that its task
 *           leaves unanswered is taken back and given to the next, as with <vigil/mutex.h>.
 * Closing   vg_mpsc_close() is for either side. Sends end with -EPIPE, those that wait included. What is in
 *           the channel can still be received, and what permits are used for; then receives end with -EPIPE.
 * Memory    All storage is the caller's: the channel, the slots, the futures, and the values that
 *           a future reads or writes until it is done (members of a frame, never locals). Values that are
 *           still in the channel when it is destroyed are forgotten: receive them before if they own something.
 *           The channel may be destroyed when a receive has completed with -EPIPE, although the call of
 *           vg_mpsc_close() has not returned yet, and when no other call is under way.
 * Threads   Sends on any worker, and vg_mpsc_try_send(), vg_mpsc_send_reserved(), vg_mpsc_close() and the
 *           like on any thread. One receiver at a time. vg_mpsc_init() and vg_mpsc_fini() must not race with other
 *           calls.
 * Ordering  What precedes the send of a value happens before its receive completes. Values that one
 *           sender sends one after the other are received in that order.
 * Errors    -EPIPE: closed. -EAGAIN: only from the try_ functions. -ECANCELED: only from futures.
 *           Two receives at once, a permit used without having been reserved, and destruction in use
 *           panic.
 * Cost      A spin lock for a few instructions and a copy at each call; a wake where somebody waits. Many
 *           values cost less with vg_mpsc_recv_many(), which takes up to 16 of them under the lock at once.
 */

struct vg_mpsc {
    /* private */
    struct vg_inbox inbox; /* first; its guard guards all that follows */
    struct vg_ring ring;
    uint32_t reserved;           /* permits in the hands of their owners */
    uint8_t phase;               /* open, closing, closed */
    struct vg_owner_cell holder; /* of the permit, while there is one only */
};

/* The future that vg_mpsc_send() and vg_mpsc_reserve() prepare. */
struct vg_mpsc_send {
    struct vg_future fut;
    int ret; /* 0, -EPIPE or -ECANCELED; valid once the future is done */
    /* private */
    bool queued; /* has been put into the list; the polling worker's own copy */
    bool heals;  /* the executor's choice */
    struct vg_mpsc *channel;
    const void *value; /* NULL: a reservation */
    struct vg_wait_entry entry;
};

extern VG_API const struct vg_resource_ops vg_mpsc_resource_;

/* Makes an open, empty channel of `capacity` values of `size` bytes, kept in `slots`. The name is static storage or
 * NULL; so is `place`. Panics if there is no capacity. */
VG_API void vg_mpsc_init_at(struct vg_mpsc *channel, const char *name, void *slots, size_t size,
                            size_t capacity, const struct vg_place *place);

/* The same with slots of the type of the values, initialised at this line. */
#ifdef __cplusplus
#define vg_mpsc_init(channel, name, slots, capacity)                                               \
    vg_mpsc_init_at((channel), (name), (slots), sizeof *(slots), (capacity), NULL)
#else
#define vg_mpsc_init(channel, name, slots, capacity)                                               \
    vg_mpsc_init_at((channel), (name), (slots), sizeof *(slots), (capacity), VG_HERE)
#endif

/* Panics if a send, a reservation or a receive waits, or a permit is out. */
VG_API void vg_mpsc_fini(struct vg_mpsc *channel);

/* How many values can be received now. Out of date when it returns. */
VG_API size_t vg_mpsc_length(struct vg_mpsc *channel);

/* Nothing more is sent. May be called again. Wakes everybody who waits: the senders first, at most 16 at a time
 * under the lock, then the receiver. */
VG_API void vg_mpsc_close(struct vg_mpsc *channel);

/* ---- for senders --------------------------------------------------------------------------- */

/* Copies the value into the channel: 0; -EAGAIN: full; -EPIPE. Does not get ahead of those that
 * wait. From any thread. */
VG_API VG_MUST_USE int vg_mpsc_try_send(struct vg_mpsc *channel, const void *value);

/*
 * Prepares `send` as a future that completes when the value is in the channel, and returns it.
 * Completes with 0; or with -EPIPE or -ECANCELED, and the value has not been sent. A send that is cancelled after
 * its value was moved into the channel completes with 0.
 */
VG_API struct vg_mpsc_send *vg_mpsc_send(struct vg_mpsc_send *send, struct vg_mpsc *channel,
                                         const void *value);

/* Prepares `send` as a future that completes when a slot is reserved: with 0, and the caller has a permit; or with
 * -EPIPE or -ECANCELED. A reservation that is cancelled when it was granted passes the slot on. */
VG_API struct vg_mpsc_send *vg_mpsc_reserve(struct vg_mpsc_send *send, struct vg_mpsc *channel);

/* A permit without waiting: 0; -EAGAIN; -EPIPE. */
VG_API VG_MUST_USE int vg_mpsc_try_reserve(struct vg_mpsc *channel);

/* Uses up a permit: never fails, and is received even if the channel was closed meanwhile. */
VG_API void vg_mpsc_send_reserved(struct vg_mpsc *channel, const void *value);

/* Returns a permit that is not needed. */
VG_API void vg_mpsc_unreserve(struct vg_mpsc *channel);

/*
 * In an async function, VG_AWAIT(rc, vg_mpsc_send(send, channel, value)) and VG_AWAIT(rc, vg_mpsc_recv(recv, channel,
 * value)) without a future when nobody has to wait, at half the cost. They count against the budget of the poll, and fail
 * in a cancelled frame, as those do. The arguments are evaluated once or twice.
 */
#define VG_MPSC_SEND(rc, send, channel, value)                                                     \
    VG_AWAIT_UNLESS(rc, vg_mpsc_try_send((channel), (value)),                                      \
                    vg_mpsc_send((send), (channel), (value)))
#define VG_MPSC_RECV(rc, recv, channel, value)                                                     \
    do {                                                                                           \
        VG_AWAIT_UNLESS(rc, vg_mpsc_try_recv((channel), (value)),                                  \
                        vg_mpsc_recv((recv), (channel), (value)));                                 \
        VG_TOOK_(rc);                                                                              \
    } while (0)

/* ---- for the receiver ---------------------------------------------------------------------- */

/*
 * Says which future is going to receive, and has not been polled yet: if senders wait for it, and nobody polls it, a report
 * names it (never-polled). It lives until it has received, or another call here has taken its place; NULL: it is
 * not known. Any thread.
 */
VG_API void vg_mpsc_set_reader(struct vg_mpsc *channel, const struct vg_future *reader);

/* Copies the oldest value out: 0; -EAGAIN: there is none now; -EPIPE: there will be none. */
VG_API VG_MUST_USE int vg_mpsc_try_recv(struct vg_mpsc *channel, void *value);

/* Prepares `recv` as a future that completes when the oldest value has been copied to `value`, and returns it. One
 * that is cancelled takes nothing. */
VG_API struct vg_receive *vg_mpsc_recv(struct vg_receive *recv, struct vg_mpsc *channel,
                                       void *value);

/* The same for as many values as there are, at least one and at most `max`. Panics if `max` is 0. */
VG_API struct vg_receive *vg_mpsc_recv_many(struct vg_receive *recv, struct vg_mpsc *channel,
                                            void *values, size_t max);

#ifdef __cplusplus
}
#endif
#endif
