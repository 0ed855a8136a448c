/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <errno.h>

#include "vg_fault.h"
#include "vg_spin.h"

enum {
    /* Below these sizes a ring costs more in system calls than it saves in locked memory. */
    SQ_SMALLEST = 64,
    CQ_SMALLEST = 512,
};

static int set_up(struct vg_ring *ring, unsigned sq_entries, unsigned cq_entries)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP,
        .cq_entries = cq_entries,
    };
    const int fault = VG_FAULT("ring");

    if (fault < 0)
        return fault;
    return io_uring_queue_init_params(sq_entries, &ring->uring, &params);
}

static bool shrink(unsigned *sq_entries, unsigned *cq_entries)
{
    /* The completion queue is the larger part, and may not become smaller than the other. */
    if (*cq_entries > CQ_SMALLEST && *cq_entries / 2 >= *sq_entries)
        *cq_entries /= 2;
    else if (*sq_entries > SQ_SMALLEST)
        *sq_entries /= 2;
    else
        return false;
    return true;
}

/* What the driver relies on beyond the flags of the set-up. */
static int finish(struct vg_ring *ring)
{
    const unsigned needed =
        IORING_FEAT_NODROP | IORING_FEAT_FAST_POLL | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
    int rc;

    if ((ring->uring.features & needed) != needed)
        return -EINVAL;
    rc = io_uring_ring_dontfork(&ring->uring);
    if (rc < 0)
        return rc;
    /* Saves the look-up of the descriptor in each system call. A thread has 16 places: it may fail. */
    ring->registered = !VG_FAULT("register") && io_uring_register_ring_fd(&ring->uring) == 1;
    return 0;
}

static void set_mapped(struct vg_ring *ring, bool mapped)
{
    vg_spin_lock(&ring->mapped_guard);
    ring->mapped = mapped;
    vg_spin_unlock(&ring->mapped_guard);
}

/* What the kernel has put there, or will when the owner enters it. The words are the kernel's: no more than a
 * look at them is possible, and none is needed. */
static void look(const struct vg_ring *ring, struct vg_driver_stats *stats)
{
    const struct io_uring_cq *cq = &ring->uring.cq;

    stats->stranded = IO_URING_READ_ONCE(*cq->ktail) - IO_URING_READ_ONCE(*cq->khead);
    stats->deferred = (IO_URING_READ_ONCE(*ring->uring.sq.kflags) & IORING_SQ_TASKRUN) != 0;
}

void vg_ring_look(struct vg_ring *ring, struct vg_driver_stats *stats)
{
    vg_spin_lock(&ring->mapped_guard);
    if (ring->mapped)
        look(ring, stats);
    vg_spin_unlock(&ring->mapped_guard);
}

int vg_ring_open(struct vg_ring *ring, unsigned sq_entries, unsigned cq_entries)
{
    int rc = set_up(ring, sq_entries, cq_entries);

    /* Locked memory is counted over all processes of the user, so the limit cannot be foreseen. */
    while (rc == -ENOMEM && shrink(&sq_entries, &cq_entries))
        rc = set_up(ring, sq_entries, cq_entries);
    if (rc < 0)
        return rc;
    rc = finish(ring);
    if (rc < 0) {
        io_uring_queue_exit(&ring->uring);
        return rc;
    }
    ring->no_iowait = (ring->uring.features & IORING_FEAT_NO_IOWAIT) != 0;
    vg_store(&ring->sq_entries, ring->uring.sq.ring_entries, relaxed);
    vg_store(&ring->cq_entries, ring->uring.cq.ring_entries, relaxed);
    ring->open = true;
    set_mapped(ring, true);
    return 0;
}

void vg_ring_exit(struct vg_ring *ring)
{
    VG_ASSERT(vg_ring_inflight(ring) == 0);
    set_mapped(ring, false);
    io_uring_queue_exit(&ring->uring);
    ring->open = false;
}
