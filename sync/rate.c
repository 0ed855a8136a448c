/* SPDX-License-Identifier: MIT */
#include <vigil/rate.h>

#include <errno.h>

#include "claim.h"
#include "permits.h"

/*
 * The bucket is known by the time at which it will be full: each token that is taken makes that an interval later, beginning
 * with now if it is full. So many tokens are there as intervals fit between that time and now plus a whole bucket. That time belongs to
 * whoever has the turn; vg_rate_try() reads and writes it while the turn is free and locked.
 */

void vg_rate_init_at(struct vg_rate *rate, const char *name, uint64_t interval, uint32_t burst,
                     const struct vg_place *place)
{
    if (interval == 0 || burst == 0 || interval > INT64_MAX / burst)
        vg_panic("vg_rate_init: rate %s cannot have %u tokens, one every %llu ns",
                 name ? name : "(unnamed)", burst, (unsigned long long)interval);
    vg_permits_init(&rate->permits, &vg_rate_resource_, name, place, 1, 1);
    rate->interval = interval;
    rate->burst = burst;
    rate->full_at = 0;
}

void vg_rate_fini(struct vg_rate *rate)
{
    const struct vg_permits_use use = vg_permits_use(&rate->permits);

    if (use.taken + use.waiters > 0)
        vg_panic("vg_rate_fini: somebody waits for rate %s", vg_permits_name(&rate->permits));
}

/* When the tokens are there; no later than `now` if they are. */
static uint64_t there_at(const struct vg_rate *rate, uint32_t count, uint64_t now)
{
    const uint64_t bucket = rate->interval * rate->burst;
    const uint64_t full_at = (rate->full_at > now ? rate->full_at : now) + rate->interval * count;

    return full_at > bucket ? full_at - bucket : 0;
}

/* Returns 0 if it has taken the tokens, else when they are there. */
static uint64_t take(struct vg_rate *rate, uint32_t count, uint64_t now)
{
    const uint64_t at = there_at(rate, count, now);

    if (at > now)
        return at;
    rate->full_at = (rate->full_at > now ? rate->full_at : now) + rate->interval * count;
    return 0;
}

int vg_rate_try(struct vg_rate *rate, uint32_t count)
{
    uint32_t free;
    bool taken;

    if (count == 0)
        vg_panic("vg_rate_try: no tokens asked for of rate %s", vg_permits_name(&rate->permits));
    if (count > rate->burst)
        return -EINVAL;
    free = vg_permits_lock(&rate->permits);
    taken = free == 1 && !vg_waitlist_oldest(&rate->permits.waiters) &&
            take(rate, count, vg_now()) == 0;
    vg_permits_unlock(&rate->permits, free);
    return taken ? 0 : -EAGAIN;
}

const struct vg_resource_ops vg_rate_resource_ = {
    .kind = "rate",
    .owner = vg_permits_owner,
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
};

/* ---- the turn: a child of the acquire -------------------------------------------------------- */

static vg_poll turn_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_claim *turn = (struct vg_claim *)(void *)fut;

    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    if (vg_claim_result(turn, 0) == 0)
        vg_claim_own(turn, cx);
    return VG_READY;
}

static const struct vg_ops turn_ops = {
    .poll = turn_poll,
    VG_CLAIM_OPS,
    .name = "vg_rate_turn",
    .size = sizeof(struct vg_claim),
};

/* ---- the acquire --------------------------------------------------------------------------- */

static vg_poll end(struct vg_rate_acquire *acquire, int ret)
{
    acquire->ret = ret;
    if (acquire->my_turn && !vg_permits_give(&acquire->rate->permits, 1))
        vg_panic("rate %s had two at its head", vg_permits_name(&acquire->rate->permits));
    return VG_READY;
}

/* At the head: sleeps until the tokens are there. */
static vg_poll wait_for_tokens(struct vg_rate_acquire *acquire, struct vg_cx *cx)
{
    uint64_t at;

    for (;;) {
        if (vg_started(&acquire->nap.fut)) {
            if (!vg_poll_future(&acquire->nap.fut, cx).ready)
                return VG_PENDING;
            if (acquire->nap.ret < 0)
                return end(acquire, acquire->nap.ret);
        }
        at = take(acquire->rate, acquire->count, vg_now());
        if (at == 0)
            return end(acquire, 0);
        if (vg_cancelled(&acquire->fut))
            return end(acquire, -ECANCELED);
        vg_sleep_until(&acquire->nap, at);
        if (vg_poll_future(&acquire->nap.fut, cx).ready)
            continue;
        return VG_PENDING;
    }
}

static vg_poll acquire_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_rate_acquire *acquire = (struct vg_rate_acquire *)(void *)fut;
    int rc;

    if (acquire->count > acquire->rate->burst)
        return end(acquire, -EINVAL);
    if (!acquire->my_turn) {
        if (vg_cancelled(fut))
            vg_cancel(&acquire->turn.fut, cx);
        if (!vg_poll_future(&acquire->turn.fut, cx).ready)
            return VG_PENDING;
        rc = vg_claim_result(&acquire->turn, 0);
        if (rc < 0)
            return end(acquire, rc);
        acquire->my_turn = true;
    }
    return wait_for_tokens(acquire, cx);
}

static void acquire_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_rate_acquire *acquire = (struct vg_rate_acquire *)(void *)fut;

    vg_cancel(acquire->my_turn ? &acquire->nap.fut : &acquire->turn.fut, cx);
}

static struct vg_future *acquire_child(const struct vg_future *fut, unsigned i)
{
    struct vg_rate_acquire *acquire = (struct vg_rate_acquire *)(uintptr_t)fut;

    return i == 0 ? &acquire->turn.fut : i == 1 ? &acquire->nap.fut : NULL;
}

static const struct vg_ops acquire_ops = {
    .poll = acquire_poll,
    .cancel = acquire_cancel,
    .child = acquire_child,
    .name = "vg_rate_acquire",
    .size = sizeof(struct vg_rate_acquire),
    .kind = VG_KIND_NODE,
};

struct vg_rate_acquire *vg_rate_acquire(struct vg_rate_acquire *acquire, struct vg_rate *rate,
                                        uint32_t count)
{
    if (count == 0)
        vg_panic("vg_rate_acquire: no tokens asked for of rate %s",
                 vg_permits_name(&rate->permits));
    vg_future_init(&acquire->fut, &acquire_ops);
    acquire->ret = 0;
    acquire->my_turn = false;
    acquire->count = count;
    acquire->rate = rate;
    vg_claim_init(&acquire->turn, &turn_ops, &rate->permits, 1);
    vg_sleep_until(&acquire->nap, 0);
    return acquire;
}
