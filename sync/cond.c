/* SPDX-License-Identifier: MIT */
#include <vigil/cond.h>

#include "claim.h"
#include "permits.h"

void vg_cond_init_at(struct vg_cond *cond, const char *name, const struct vg_place *place)
{
    vg_permits_init(&cond->permits, &vg_cond_resource_, name, place, 0, 0);
}

void vg_cond_fini(struct vg_cond *cond)
{
    const struct vg_permits_use use = vg_permits_use(&cond->permits);

    if (use.waiters > 0)
        vg_panic("vg_cond_fini: %u futures wait for condition %s", use.waiters,
                 vg_permits_name(&cond->permits));
}

/* With a total of 0 nothing is ever stored. */
void vg_cond_signal(struct vg_cond *cond)
{
    vg_permits_add(&cond->permits, 1);
}

void vg_cond_broadcast(struct vg_cond *cond)
{
    vg_permits_dismiss(&cond->permits, false, 0);
}

const struct vg_resource_ops vg_cond_resource_ = {
    .kind = "condition",
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
};

/* ---- the signal: a child of the wait --------------------------------------------------------- */

static struct vg_cond_wait *wait_of(struct vg_claim *signal)
{
    return (struct vg_cond_wait *)(void *)((char *)signal - offsetof(struct vg_cond_wait, signal));
}

/* The place in the queue comes before the mutex is given up: who signals with the mutex finds it. */
static void give_up(struct vg_claim *signal, struct vg_cx *cx)
{
    struct vg_cond_wait *wait = wait_of(signal);

    vg_disarm(&signal->entry.waiter, cx); /* of an earlier poll that had no budget */
    if (!vg_coop(&signal->entry.waiter, &signal->fut, cx))
        return;
    (void)vg_permits_lock(signal->permits);
    vg_claim_queue(signal, cx);
    vg_permits_unlock(signal->permits, 0);
    wait->gave_up = true;
    vg_unlock(wait->mutex);
}

static vg_poll signal_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_claim *signal = (struct vg_claim *)(void *)fut;

    if (signal->queued || vg_cancelled(fut))
        return vg_claim_poll(fut, cx);
    give_up(signal, cx);
    return VG_PENDING;
}

static const struct vg_ops signal_ops = {
    .poll = signal_poll,
    VG_CLAIM_OPS,
    .name = "vg_cond_signal",
    .size = sizeof(struct vg_claim),
};

/* ---- the wait ------------------------------------------------------------------------------ */

static vg_poll wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_cond_wait *wait = (struct vg_cond_wait *)(void *)fut;

    if (vg_cancelled(fut))
        vg_cancel(&wait->signal.fut, cx);
    if (!vg_poll_future(&wait->signal.fut, cx).ready)
        return VG_PENDING;
    /* The lock is not cancelled with the rest. */
    if (wait->gave_up && !vg_poll_future(&wait->lock.fut, cx).ready)
        return VG_PENDING;
    wait->ret = vg_claim_result(&wait->signal, 0);
    return VG_READY;
}

static void wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct vg_cond_wait *)(void *)fut)->signal.fut, cx);
}

static struct vg_future *wait_child(const struct vg_future *fut, unsigned i)
{
    struct vg_cond_wait *wait = (struct vg_cond_wait *)(uintptr_t)fut;

    return i == 0 ? &wait->signal.fut : i == 1 ? &wait->lock.fut : NULL;
}

static const struct vg_ops wait_ops = {
    .poll = wait_poll,
    .cancel = wait_cancel,
    .child = wait_child,
    .name = "vg_cond_wait",
    .size = sizeof(struct vg_cond_wait),
    .kind = VG_KIND_NODE,
};

struct vg_cond_wait *vg_cond_wait(struct vg_cond_wait *wait, struct vg_cond *cond,
                                  struct vg_mutex *mutex)
{
    vg_future_init(&wait->fut, &wait_ops);
    wait->ret = 0;
    wait->gave_up = false;
    wait->mutex = mutex;
    vg_claim_init(&wait->signal, &signal_ops, &cond->permits, 1);
    vg_lock(&wait->lock, mutex);
    return wait;
}
