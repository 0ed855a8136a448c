/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_RATE_H
#define VIGIL_RATE_H

#include <vigil/permits.h>
#include <vigil/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Limits how often something is done: a bucket into which a token falls every so often, until it is full; those who find
 * too few suspend.
 *
 *     vg_rate_init(&shared->mails, "mails", VG_MSEC(100), 20);      (ten a second, twenty at once)
 *     ...
 *     VG_AWAIT(rc, vg_rate_acquire(&f->acquire, &shared->mails, 1));
 *
 * Where what is limited is not how often but how much at a time, take a semaphore.
 *
 * Rate      In any span of time w no more tokens are taken than burst + w / interval. The bucket is full at first.
 * Time      The executor's clock. Who waits goes on as soon after its tokens are there as a sleep ends after its
 *           deadline (<vigil/time.h>): in the next tick of 1 ms, exactly so on a virtual clock. For the full rate the
 *           bucket must hold what falls into it in some 2 ms.
 * Fairness  First come, first served among waiters that are polled, whatever they ask for.
 * Cancel    Takes no tokens: those behind go on as if it had not been there.
 * Healing   A turn at the head that is passed over goes to the next. Who is at the head and is parked while it sleeps
 *           holds up those behind; the instruments name it as the owner.
 * Memory    All storage is the caller's; nothing is allocated. The limiter must outlive every future that waits for it, and
 *           neither may be moved.
 * Threads   Any future on any worker may acquire; vg_rate_try() from any thread. vg_rate_init() and vg_rate_fini() must
 *           not race with other calls.
 * Errors    -ECANCELED; -EINVAL: more than the bucket holds. Asking for none, and destroying a limiter that somebody
 *           waits for, panic.
 * Cost      With tokens there: two compare-and-swaps.
 */

struct vg_rate {
    /* private */
    struct vg_permits permits; /* one unit: the turn to wait for tokens */
    uint64_t interval;         /* constant, like burst */
    uint64_t full_at;          /* when the bucket will be full; of whoever has the turn */
    uint32_t burst;
};

/* The future that vg_rate_acquire() prepares. */
struct vg_rate_acquire {
    struct vg_future fut;
    int ret; /* 0, -ECANCELED or -EINVAL; valid once the future is done */
    /* private */
    bool my_turn;
    uint32_t count;
    struct vg_rate *rate;
    struct vg_claim turn;
    struct vg_sleep nap;
};

extern VG_API const struct vg_resource_ops vg_rate_resource_;

/* Makes a limiter whose bucket holds `burst` tokens, is full, and gets a token every `interval` nanoseconds. The name is
 * static storage or NULL; so is `place`. Panics if the interval or the burst is 0, or it takes more than 290 years to
 * fill the bucket. */
VG_API void vg_rate_init_at(struct vg_rate *rate, const char *name, uint64_t interval,
                            uint32_t burst, const struct vg_place *place);

/* vg_rate_init_at() this line. */
#ifdef __cplusplus
#define vg_rate_init(rate, name, interval, burst)                                                  \
    vg_rate_init_at((rate), (name), (interval), (burst), NULL)
#else
#define vg_rate_init(rate, name, interval, burst)                                                  \
    vg_rate_init_at((rate), (name), (interval), (burst), VG_HERE)
#endif

/* Panics if somebody waits. Afterwards the storage may be reused. */
VG_API void vg_rate_fini(struct vg_rate *rate);

/* Prepares `acquire` as a future that completes when it has taken so many tokens, and returns it. */
VG_API struct vg_rate_acquire *vg_rate_acquire(struct vg_rate_acquire *acquire,
                                               struct vg_rate *rate, uint32_t count);

/* Takes tokens without waiting. 0; -EAGAIN: they are not there, or others wait for theirs; -EINVAL. */
VG_API VG_MUST_USE int vg_rate_try(struct vg_rate *rate, uint32_t count);

#ifdef __cplusplus
}
#endif
#endif
