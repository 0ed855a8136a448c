/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BROADCAST_H
#define VIGIL_BROADCAST_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A channel that gives every value to every subscriber. Values of one size are copied in and out.
 *
 *     struct event slots[64];
 *     vg_broadcast_init(&events, "events", slots, 64);
 *
 *     sender:     rc = vg_broadcast_send(&events, &event);      (any thread; never waits)
 *     subscriber: vg_broadcast_subscribe(&f->sub, f->events);
 *                 for (;;) {
 *                     VG_AWAIT(rc, vg_broadcast_recv(&f->recv, &f->sub, &f->event));
 *                     if (rc == -EOVERFLOW)
 *                         count_lost(f->sub.lost);              (and go on with the oldest that is left)
 *                     else if (rc < 0)
 *                         break;                                (-EPIPE: closed, and nothing is left)
 *                     ...
 *                 }
 *
 * The channel remembers as many values as it has slots; a new one takes the place of the oldest. A subscriber that has
 * fallen behind further than that is told how many it has lost, and nobody waits for it. Where nothing may be lost,
 * use a channel for each receiver. Where only the newest matters, use <vigil/watch.h>.
 *
 * Memory    All storage is the caller's. A subscription is a position and needs no end; the channel must outlive the
 *           calls and futures of its subscribers. It may be destroyed when no call and no future is under way.
 * Threads   Sends and closes on any thread. One receive at a time for each subscription. vg_broadcast_init() and
 *           vg_broadcast_fini() must not race with other calls.
 * Ordering  What precedes a send happens before the receives of its value complete. All subscribers receive
 *           in the same order.
 * Errors    -EPIPE: closed. -EOVERFLOW: values were lost; only from receives. -EAGAIN: only from
 *           vg_broadcast_try_recv(). -ECANCELED: only from futures. Destruction while somebody waits panics.
 * Cost      A spin lock for a few instructions and a copy at each call, so values should be small. A send wakes
 *           everybody who waits, at most 32 at a time under the lock.
 */

struct vg_broadcast {
    /* private */
    struct vg_resource resource;  /* first */
    struct vg_waitlist receivers; /* those that wait; its guard guards all that follows */
    unsigned char *slots;
    uint32_t size, capacity;
    uint64_t sent; /* values so far */
    bool closed;
};

struct vg_subscription {
    uint64_t lost; /* by the last receive that ended with -EOVERFLOW */
    /* private */
    struct vg_broadcast *channel;
    uint64_t next; /* the value to be received */
};

/* The future that vg_broadcast_recv() prepares. */
struct vg_broadcast_recv {
    struct vg_future fut;
    int ret; /* 0, -EOVERFLOW, -EPIPE or -ECANCELED; valid once the future is done */
    /* private */
    struct vg_subscription *subscription;
    void *value;
    struct vg_wait_entry entry;
};

extern VG_API const struct vg_resource_ops vg_broadcast_resource_;

/* Makes an open channel that remembers `capacity` values of `size` bytes in `slots`. The name is static storage or
 * NULL; so is `place`. Panics if there is no capacity. */
VG_API void vg_broadcast_init_at(struct vg_broadcast *channel, const char *name, void *slots,
                                 size_t size, size_t capacity, const struct vg_place *place);

/* The same with slots of the type of the values, initialised at this line. */
#ifdef __cplusplus
#define vg_broadcast_init(channel, name, slots, capacity)                                          \
    vg_broadcast_init_at((channel), (name), (slots), sizeof *(slots), (capacity), NULL)
#else
#define vg_broadcast_init(channel, name, slots, capacity)                                          \
    vg_broadcast_init_at((channel), (name), (slots), sizeof *(slots), (capacity), VG_HERE)
#endif

/* Panics if a receive waits. */
VG_API void vg_broadcast_fini(struct vg_broadcast *channel);

/* Gives the value to all who are subscribed: 0; -EPIPE. That nobody is subscribed is no error. */
VG_API VG_MUST_USE int vg_broadcast_send(struct vg_broadcast *channel, const void *value);

/* Nothing more is sent. What the channel remembers is still received. May be called again. */
VG_API void vg_broadcast_close(struct vg_broadcast *channel);

/* Subscribes to what is sent from now on. */
VG_API void vg_broadcast_subscribe(struct vg_subscription *subscription,
                                   struct vg_broadcast *channel);

/* Copies the next value out: 0; -EAGAIN: there is none now; -EPIPE: there will be none; -EOVERFLOW: subscription->lost
 * values are gone, and the next is the oldest that is left. */
VG_API VG_MUST_USE int vg_broadcast_try_recv(struct vg_subscription *subscription, void *value);

/* Prepares `recv` as a future that completes when there is a result other than -EAGAIN, and returns it. One that is
 * cancelled takes nothing. */
VG_API struct vg_broadcast_recv *vg_broadcast_recv(struct vg_broadcast_recv *recv,
                                                   struct vg_subscription *subscription,
                                                   void *value);

/*
 * In an async function, VG_AWAIT(rc, vg_broadcast_recv(recv, subscription, value)) without a future when nobody has to wait. It counts against the budget
 * of the poll, and fails in a cancelled frame, as that does. The arguments are evaluated once or twice.
 */
#define VG_BROADCAST_RECV(rc, recv, subscription, value)                                           \
    VG_AWAIT_UNLESS(rc, vg_broadcast_try_recv((subscription), (value)),                            \
                    vg_broadcast_recv((recv), (subscription), (value)))

#ifdef __cplusplus
}
#endif
#endif
