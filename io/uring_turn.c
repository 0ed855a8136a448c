/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ring.h"
#include "vg_fault.h"

enum {
    /* One entry under DEFER_TASKRUN runs about 20 completions. More rounds would keep tasks waiting. */
    ROUNDS = 4,
    /* Beyond this batch a system call's share per operation hardly falls any more. */
    BATCH = 32,
};

/* The kernel has something that an entry would bring. */
static bool kernel_has(const struct vg_ring *ring)
{
    const unsigned flags = IO_URING_READ_ONCE(*ring->uring.sq.kflags);

    return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

bool vg_ring_ready(const struct vg_ring *ring)
{
    if (io_uring_cq_ready(&ring->uring) > 0 || kernel_has(ring))
        return true;
    if (vg_load(&ring->inbox.any, relaxed) != 0)
        return true;
    /* When the kernel took nothing, trying again at once would be of no use. */
    return !ring->stalled && (io_uring_sq_ready(&ring->uring) >= BATCH || ring->first != NULL);
}

bool vg_ring_quiet(const struct vg_ring *ring)
{
    return ring->armed && !ring->stalled && ring->first == NULL &&
           io_uring_sq_ready(&ring->uring) == 0;
}

void vg_ring_entered(struct vg_ring *ring, int rc)
{
    vg_ring_add(&ring->count.enters, 1);
    ring->stalled = rc == -EAGAIN || rc == -EBUSY;
    if (rc < 0 && !ring->stalled && rc != -EINTR && rc != -ETIME)
        vg_panic("io_uring_enter: %s", strerrordesc_np(-rc));
}

static void note_overflow(struct vg_ring *ring)
{
    const bool overflowing =
        (IO_URING_READ_ONCE(*ring->uring.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0;

    if (overflowing && !ring->overflowing)
        vg_ring_add(&ring->count.cq_overflows, 1);
    ring->overflowing = overflowing;
}

/* Returns 1 for an operation. */
static unsigned dispatch(struct vg_ring *ring, const struct io_uring_cqe *cqe)
{
    const uint64_t data = cqe->user_data;
    struct vg_op *op = (struct vg_op *)(uintptr_t)(data & VG_TAG_ADDRESS);

    switch (data & VG_TAG_MASK) {
    case VG_TAG_OP:
        VG_ASSERT((uint16_t)op->generation == data >> 48);
        vg_ring_end(ring, op, cqe->res);
        return 1;
    case VG_TAG_BELL:
        vg_ring_heard(ring, cqe);
        return 0;
    case VG_TAG_CANCEL:
        /* The operation ended first, or is past stopping: either way it tells by itself. */
        if (cqe->res < 0)
            vg_ring_add(&ring->count.late_cancels, 1);
        return 0;
    default:
        vg_panic("completion of nothing: %#llx", (unsigned long long)data);
    }
}

/* Takes what is in the queue now. */
static unsigned reap(struct vg_ring *ring)
{
    struct io_uring_cq *cq = &ring->uring.cq;
    const unsigned tail = io_uring_smp_load_acquire(cq->ktail);
    unsigned n = 0;

    for (unsigned head = *cq->khead; head != tail; head++) {
        const struct io_uring_cqe *at = &cq->cqes[head & cq->ring_mask];
        const struct io_uring_cqe cqe = {
            .user_data = at->user_data, .res = at->res, .flags = at->flags};

        /* First, because done() may submit, and thereby need room. */
        io_uring_cq_advance(&ring->uring, 1);
        n += dispatch(ring, &cqe);
    }
    return n;
}

static void submit(struct vg_ring *ring)
{
    const int fault = VG_FAULT("enter");

    vg_ring_entered(ring, fault < 0 ? fault : io_uring_submit_and_get_events(&ring->uring));
}

unsigned vg_ring_turn(struct vg_ring *ring)
{
    unsigned n;

    ring->stalled = false;
    vg_ring_arm(ring);
    vg_ring_pass_cancels(ring);
    n = vg_ring_place(ring);
    for (int round = 0; round < ROUNDS; round++) {
        note_overflow(ring);
        if (io_uring_sq_ready(&ring->uring) > 0 || kernel_has(ring))
            submit(ring);
        note_overflow(ring);
        n += reap(ring);
        if (!kernel_has(ring))
            break;
    }
    return n;
}

/* Goes to sleep unless there is something to do after all. */
static void doze(struct vg_ring *ring, uint64_t deadline)
{
    vg_store(&ring->parked, 1, relaxed); /* the fence orders it */
    vg_fence();                          /* pairs with the fence in vg_ring_cancel_remote */
    if (!vg_ring_ready(ring))
        vg_ring_wait(ring, deadline);
    vg_store(&ring->parked, 0, relaxed); /* only saves a ring */
}

void vg_ring_park(struct vg_ring *ring, uint64_t deadline)
{
    unsigned n = vg_ring_turn(ring);

    /* A bell that an earlier turn heard may have been meant for this park. */
    if (n == 0 && !ring->rung && !vg_ring_spin(ring, deadline))
        doze(ring, deadline);
    if (n == 0)
        vg_ring_turn(ring);
    ring->rung = false;
}
