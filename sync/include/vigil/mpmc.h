/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_MPMC_H
#define VIGIL_MPMC_H

#include <vigil/mpsc.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A bounded channel with many senders and many receivers: each value goes to one of the receivers.
 *
 *     struct job slots[64];
 *     vg_mpmc_init(&jobs, "jobs", slots, 64);
 *
 *     sender:    VG_AWAIT(rc, vg_mpmc_send(&f->send, f->jobs, &f->job));
 *     receivers: VG_AWAIT(rc, vg_mpmc_recv(&f->recv, f->jobs, &f->job));
 *
 * For one receiver <vigil/mpsc.h> is cheaper, and what it says about sends, permits, memory and errors holds here. To
 * give each value to every receiver use <vigil/broadcast.h>.
 *
 * Fairness  Receivers that wait are served in the order of their first polls: a value is set aside for the
 *           oldest, and nobody gets in before it. If its task runs and leaves that unanswered, the value
 *           is taken back and goes to the next, as with <vigil/mutex.h>.
 * Closing   What is in the channel is still received. A receive ends with -EPIPE when all has been, so one that waits
 *           beside another which has a value set aside waits for that, too.
 * Threads   Anybody may do anything at any time; vg_mpmc_init() and vg_mpmc_fini() must not race with other calls.
 * Ordering  What precedes the send of a value happens before its receive completes. Values leave the channel in the
 *           order in which they came; what several receivers do with them next has no order.
 * Memory    As with <vigil/mpsc.h>, but the channel may be destroyed only when no call and no future is under way.
 * Cost      As with <vigil/mpsc.h>.
 */

struct vg_mpmc {
    /* private */
    struct vg_mpsc channel;       /* first; its guard guards all */
    struct vg_waitlist receivers; /* has no guard of its own */
};

/* The future that vg_mpmc_recv() prepares. */
struct vg_mpmc_recv {
    struct vg_future fut;
    int ret; /* 0, -EPIPE or -ECANCELED; valid once the future is done */
    /* private */
    bool queued; /* has been put into the list; the polling worker's own copy */
    bool heals;  /* the executor's choice */
    struct vg_mpmc *channel;
    void *value;
    struct vg_wait_entry entry;
};

extern VG_API const struct vg_resource_ops vg_mpmc_resource_;

/* Makes an open, empty channel of `capacity` values of `size` bytes, kept in `slots`. The name is static storage or
 * NULL; so is `place`. Panics if there is no capacity. */
VG_API void vg_mpmc_init_at(struct vg_mpmc *channel, const char *name, void *slots, size_t size,
                            size_t capacity, const struct vg_place *place);

/* The same with slots of the type of the values, initialised at this line. */
#ifdef __cplusplus
#define vg_mpmc_init(channel, name, slots, capacity)                                               \
    vg_mpmc_init_at((channel), (name), (slots), sizeof *(slots), (capacity), NULL)
#else
#define vg_mpmc_init(channel, name, slots, capacity)                                               \
    vg_mpmc_init_at((channel), (name), (slots), sizeof *(slots), (capacity), VG_HERE)
#endif

/* Panics if a future waits, or a permit is out. */
VG_API void vg_mpmc_fini(struct vg_mpmc *channel);

/* How many values are in the channel. Out of date when it returns. */
VG_API size_t vg_mpmc_length(struct vg_mpmc *channel);

/* Nothing more is sent. May be called again. */
VG_API void vg_mpmc_close(struct vg_mpmc *channel);

/* ---- for senders: as the functions of <vigil/mpsc.h> of the same name ------------------------ */

VG_API VG_MUST_USE int vg_mpmc_try_send(struct vg_mpmc *channel, const void *value);
VG_API struct vg_mpsc_send *vg_mpmc_send(struct vg_mpsc_send *send, struct vg_mpmc *channel,
                                         const void *value);
VG_API struct vg_mpsc_send *vg_mpmc_reserve(struct vg_mpsc_send *send, struct vg_mpmc *channel);
VG_API VG_MUST_USE int vg_mpmc_try_reserve(struct vg_mpmc *channel);
VG_API void vg_mpmc_send_reserved(struct vg_mpmc *channel, const void *value);
VG_API void vg_mpmc_unreserve(struct vg_mpmc *channel);

/* ---- for receivers ------------------------------------------------------------------------- */

/* Copies the oldest value out that is not set aside: 0; -EAGAIN: there is none now; -EPIPE: there will be none. */
VG_API VG_MUST_USE int vg_mpmc_try_recv(struct vg_mpmc *channel, void *value);

/*
 * Prepares `recv` as a future that completes when a value has been copied to `value`, and returns it. One that is
 * cancelled takes nothing; a value that was set aside for it goes to the next.
 */
VG_API struct vg_mpmc_recv *vg_mpmc_recv(struct vg_mpmc_recv *recv, struct vg_mpmc *channel,
                                         void *value);

/* VG_AWAIT of vg_mpmc_send() and vg_mpmc_recv() without a future when nobody has to wait: see VG_MPSC_SEND. */
#define VG_MPMC_SEND(rc, send, channel, value)                                                     \
    VG_AWAIT_UNLESS(rc, vg_mpmc_try_send((channel), (value)),                                      \
                    vg_mpmc_send((send), (channel), (value)))
#define VG_MPMC_RECV(rc, recv, channel, value)                                                     \
    do {                                                                                           \
        VG_AWAIT_UNLESS(rc, vg_mpmc_try_recv((channel), (value)),                                  \
                        vg_mpmc_recv((recv), (channel), (value)));                                 \
        VG_TOOK_(rc);                                                                              \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
