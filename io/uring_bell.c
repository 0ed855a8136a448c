/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <unistd.h>

#include "ring.h"

/*
 * The doorbell is an eventfd that the kernel polls for the ring until told otherwise. Nobody reads it: each
 * write is one event. A write before the poll is armed makes it report at once.
 */

void vg_ring_ring(struct vg_ring *ring)
{
    const uint64_t one = 1;

    vg_fetch_add(&ring->doorbells, 1, relaxed);
    VG_ASSERT(write(ring->bell, &one, sizeof one) == (ssize_t)sizeof one);
}

bool vg_ring_arm(struct vg_ring *ring)
{
    struct io_uring_sqe *sqe;

    if (ring->armed || ring->stopping)
        return true;
    sqe = vg_ring_sqe(ring);
    if (sqe == NULL)
        return false;
    io_uring_prep_poll_multishot(sqe, ring->bell, POLLIN);
    sqe->user_data = VG_TAG_BELL;
    ring->armed = true;
    vg_ring_add(&ring->count.rearms, 1);
    return true;
}

void vg_ring_heard(struct vg_ring *ring, const struct io_uring_cqe *cqe)
{
    ring->rung = true;
    /* An overflow of the completion queue ends the poll; the next turn arms it again. */
    if ((cqe->flags & IORING_CQE_F_MORE) == 0)
        ring->armed = false;
}
