/* SPDX-License-Identifier: MIT */
#include "ring.h"

#include <errno.h>
#include <sys/socket.h>

#include "publish.h"
#include "vg_fault.h"

static void flush(struct vg_ring *ring)
{
    const int fault = VG_FAULT("enter");

    vg_ring_entered(ring, fault < 0 ? fault : io_uring_submit(&ring->uring));
}

static bool room(struct vg_ring *ring)
{
    if (io_uring_sq_space_left(&ring->uring) > 0)
        return true;
    if (ring->stalled)
        return false;
    vg_ring_add(&ring->count.sq_full, 1);
    flush(ring);
    return io_uring_sq_space_left(&ring->uring) > 0;
}

struct io_uring_sqe *vg_ring_sqe(struct vg_ring *ring)
{
    return room(ring) ? io_uring_get_sqe(&ring->uring) : NULL;
}

uint64_t vg_ring_tag(const struct vg_op *op)
{
    return (uint64_t)(uintptr_t)op | (uint64_t)(uint16_t)op->generation << 48;
}

static void fill(struct io_uring_sqe *sqe, const struct vg_op *op)
{
    const int flags = (int)op->flags;

    switch (op->code) {
    case VG_OP_ACCEPT:
        io_uring_prep_accept(sqe, op->fd, NULL, NULL, SOCK_CLOEXEC);
        break;
    case VG_OP_CONNECT:
        io_uring_prep_connect(sqe, op->fd, op->addr, op->len);
        break;
    case VG_OP_RECV:
        io_uring_prep_recv(sqe, op->fd, op->addr, op->len, flags);
        break;
    case VG_OP_SEND:
        io_uring_prep_send(sqe, op->fd, op->addr, op->len, flags | MSG_NOSIGNAL);
        break;
    case VG_OP_SHUTDOWN:
        io_uring_prep_shutdown(sqe, op->fd, flags);
        break;
    case VG_OP_CLOSE:
        io_uring_prep_close(sqe, op->fd);
        break;
    default:
        vg_panic("operation of unknown code %u", op->code);
    }
    sqe->user_data = vg_ring_tag(op);
}

/*
 * The kernel keeps a socket open while an operation on it is in flight, on whichever ring: the peer
 * would not see the end, and a receive could swallow what comes for nobody. Shutting it down ends them all.
 * What was submitted here before goes first. No socket, or no longer connected: nothing to end.
 */
static void hang_up(struct vg_ring *ring, int fd)
{
    if (!ring->stalled && io_uring_sq_ready(&ring->uring) > 0)
        flush(ring);
    (void)shutdown(fd, SHUT_RDWR);
}

static void wait_for_room(struct vg_ring *ring, struct vg_op *op)
{
    /* Relaxed: another worker comes to know the operation when it gets the task. */
    vg_store(&op->state, VG_OP_WAITING, relaxed);
    op->next = NULL;
    if (ring->first == NULL)
        ring->first = op;
    else
        ring->last->next = op;
    ring->last = op;
}

void vg_ring_submit(struct vg_ring *ring, struct vg_op *op)
{
    VG_ASSERT(((uintptr_t)op & ~(uintptr_t)VG_TAG_ADDRESS) == 0);
    op->worker = ring->worker;
    op->generation = ++ring->generation;
    op->cancel_asked = 0;
    vg_ring_add(&ring->count.submissions, 1);
    vg_publish(op);
    if (op->code == VG_OP_CLOSE)
        hang_up(ring, op->fd);
    /* Those that wait go first: operations on one descriptor keep their order. */
    if (ring->first != NULL || !room(ring)) {
        wait_for_room(ring, op);
        return;
    }
    vg_store(&op->state, VG_OP_FLYING, relaxed); /* as above */
    fill(io_uring_get_sqe(&ring->uring), op);
}

unsigned vg_ring_place(struct vg_ring *ring)
{
    unsigned ended = 0;

    while (ring->first != NULL && room(ring)) {
        struct vg_op *op = ring->first;
        uint32_t waiting = VG_OP_WAITING;

        ring->first = op->next;
        /* Acquire pairs with the release of whoever asked for its cancel. */
        if (vg_cas(&op->state, &waiting, VG_OP_FLYING, acq_rel, acquire)) {
            fill(io_uring_get_sqe(&ring->uring), op);
        } else {
            vg_ring_end(ring, op, -ECANCELED);
            ended++;
        }
    }
    return ended;
}

void vg_ring_end(struct vg_ring *ring, struct vg_op *op, int32_t result)
{
    /* Acquire pairs with the compare-and-swap that set ASKED, release with one that comes too late. */
    const uint32_t state = vg_xchg(&op->state, 0, acq_rel);

    VG_ASSERT((state & (VG_OP_FLYING | VG_OP_WAITING)) != 0);
    if ((state & VG_OP_ASKED) != 0)
        vg_ring_forget(ring, op);
    vg_ring_add(&ring->count.completions, 1);
    vg_unpublish(op, result);
    op->done(op, result);
}
