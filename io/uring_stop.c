/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "ring.h"
#include "vg_os.h"

/* Sockets end at once when cancelled; what does not end in this time is not going to. */
#define STOP_TIME VG_SEC(1)
#define STOP_STEP VG_MSEC(10)

static void cancel_everything(struct vg_ring *ring)
{
    struct io_uring_sqe *sqe;

    for (struct vg_op *op = ring->first; op != NULL; op = op->next)
        /* Pairs with the compare-and-swap that would submit it. */
        vg_fetch_or(&op->state, VG_OP_ASKED, acq_rel);
    sqe = vg_ring_sqe(ring);
    if (sqe == NULL)
        return;
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = VG_TAG_CANCEL;
}

static void drain(struct vg_ring *ring)
{
    const uint64_t deadline = vg_os_now() + STOP_TIME;

    while (vg_ring_inflight(ring) > 0 && vg_os_now() < deadline) {
        cancel_everything(ring);
        if (vg_ring_turn(ring) == 0)
            vg_ring_wait(ring, vg_os_now() + STOP_STEP);
    }
}

void vg_ring_stop(struct vg_ring *ring)
{
    uint64_t left;

    if (!ring->open)
        return;
    vg_ring_refuse(ring);
    ring->stopping = true;
    drain(ring);
    left = vg_ring_inflight(ring);
    if (left == 0) {
        vg_ring_exit(ring);
        return;
    }
    /* The kernel may still write to their buffers. The ring stays, so that it does not go on unseen. */
    vg_ring_add(&ring->count.abandoned, left);
    fprintf(stderr, "vigil: worker %u stops with %llu operations in flight\n", ring->worker,
            (unsigned long long)left);
}
