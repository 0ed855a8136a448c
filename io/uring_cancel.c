/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "ring.h"
#include "vg_spin.h"

/* Marks the operation. Returns what it was: 0 if it has ended or was asked before. */
static uint32_t ask(struct vg_op *op)
{
    uint32_t state = vg_load(&op->state, relaxed);

    /* It goes from WAITING to FLYING to 0, so this fails at most twice. */
    while (state == VG_OP_FLYING || state == VG_OP_WAITING)
        /* Pairs with the exchange that ends it, or with the step from WAITING to FLYING. */
        if (vg_cas(&op->state, &state, state | VG_OP_ASKED, acq_rel, relaxed))
            return state;
    return 0;
}

/* Guard held. */
static void link_op(struct vg_ring_inbox *inbox, struct vg_op *op)
{
    op->cancel_asked = 1;
    op->next = NULL;
    op->prev = inbox->last;
    if (inbox->last != NULL)
        inbox->last->next = op;
    else
        inbox->first = op;
    inbox->last = op;
    /* Relaxed: what it announces is read under the guard. The fence in remote orders it for the sleeper. */
    vg_store(&inbox->any, 1, relaxed);
}

/* Guard held. */
static void unlink_op(struct vg_ring_inbox *inbox, struct vg_op *op)
{
    if (op->prev != NULL)
        op->prev->next = op->next;
    else
        inbox->first = op->next;
    if (op->next != NULL)
        op->next->prev = op->prev;
    else
        inbox->last = op->prev;
    op->cancel_asked = 0;
    if (inbox->first == NULL)
        vg_store(&inbox->any, 0, relaxed); /* as in link_op */
}

static void fill(struct vg_ring *ring, struct io_uring_sqe *sqe, const struct vg_op *op)
{
    io_uring_prep_cancel64(sqe, vg_ring_tag(op), 0);
    /* The operation itself tells how a successful cancel ended. */
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = VG_TAG_CANCEL;
    vg_ring_add(&ring->count.cancels, 1);
}

void vg_ring_cancel(struct vg_ring *ring, struct vg_op *op)
{
    struct io_uring_sqe *sqe;

    if (ask(op) != VG_OP_FLYING)
        return;
    sqe = vg_ring_sqe(ring);
    if (sqe != NULL) {
        fill(ring, sqe, op);
        return;
    }
    vg_spin_lock(&ring->inbox.guard);
    link_op(&ring->inbox, op);
    vg_spin_unlock(&ring->inbox.guard);
}

void vg_ring_cancel_remote(struct vg_ring *ring, struct vg_op *op)
{
    bool linked;

    vg_spin_lock(&ring->inbox.guard);
    linked = !ring->inbox.closed && ask(op) == VG_OP_FLYING;
    if (linked)
        link_op(&ring->inbox, op);
    vg_spin_unlock(&ring->inbox.guard);
    if (!linked)
        return;
    vg_fence(); /* pairs with the fence in park */
    if (vg_load(&ring->parked, relaxed) != 0 && vg_xchg(&ring->parked, 0, acq_rel) != 0)
        vg_ring_ring(ring);
}

void vg_ring_pass_cancels(struct vg_ring *ring)
{
    struct io_uring_sqe *sqe = NULL;
    struct vg_op *op;

    while (vg_load(&ring->inbox.any, relaxed) != 0 && (sqe = vg_ring_sqe(ring)) != NULL) {
        vg_spin_lock(&ring->inbox.guard);
        op = ring->inbox.first;
        unlink_op(&ring->inbox, op);
        vg_spin_unlock(&ring->inbox.guard);
        /* Still in flight: only this thread ends it. */
        fill(ring, sqe, op);
    }
}

void vg_ring_forget(struct vg_ring *ring, struct vg_op *op)
{
    vg_spin_lock(&ring->inbox.guard);
    if (op->cancel_asked)
        unlink_op(&ring->inbox, op);
    vg_spin_unlock(&ring->inbox.guard);
}

void vg_ring_refuse(struct vg_ring *ring)
{
    vg_spin_lock(&ring->inbox.guard);
    ring->inbox.closed = true;
    vg_spin_unlock(&ring->inbox.guard);
}
