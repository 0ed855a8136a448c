/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_IO_RING_H
#define VIGIL_IO_RING_H

#include <vigil/driver.h>
#include <vigil/uring.h>

#include "uring_compat.h"
#include "vg_atomic.h"

/*
 * One worker's ring. All of it belongs to the worker's thread, except the inbox and what is atomic.
 *
 * An operation that was submitted is either on the list `waiting`, because there was no room in the
 * submission queue, or in that queue, or in the kernel. In the latter two cases it may also be linked in
 * the inbox, because its cancel waits to be passed on. op->state says which, as far as others than the owner need to know:
 *
 *     0         Not the driver's.
 *     FLYING    Has a submission entry. Set by the owner.
 *     WAITING   On the list `waiting`, linked through next. Set by the owner, which moves it on to
 *               FLYING by compare-and-swap: if that fails, a cancel came first and it ends unsubmitted.
 *     ASKED     Beside FLYING or WAITING: a cancel was asked for. Set by compare-and-swap by the worker that
 *               polls the task. If the operation flies, that worker passes the cancel on: the owner to the
 *               kernel, others into the inbox. Others set it and link the operation in one
 *               critical section of the inbox.
 *
 * To end an operation the owner exchanges its state for 0 before it calls done(). If it finds ASKED there it
 * goes through the inbox's guard, so the link is complete, and takes it out. If it does not, every later
 * compare-and-swap fails. Either way nobody touches the operation after done(). The asking worker may, up to
 * its compare-and-swap: it is polling the task, so the future cannot have ended meanwhile.
 *
 * Other members of the operation: worker and generation are written before the state. cancel_asked is 1
 * while it is linked in the inbox, and is guarded like next and prev by the inbox, once it flies.
 */
enum { VG_OP_FLYING = 1, VG_OP_WAITING = 2, VG_OP_ASKED = 4 };

/*
 * user_data: bits 0 to 2 say what completed. For an operation they are 0, bits 3 to 47 are its address and
 * 48 to 63 the low bits of its generation, so that the memory's next operation is not taken for this one.
 * The others are small numbers, which are no address.
 */
enum { VG_TAG_OP = 0, VG_TAG_BELL = 1, VG_TAG_CANCEL = 2, VG_TAG_MASK = 7 };
#define VG_TAG_ADDRESS 0x0000fffffffffff8u

/* Written by the owner, read by anyone. */
struct vg_ring_count {
    VG_ATOMIC(uint64_t)
    submissions, completions, enters, parks, cancels, late_cancels, sq_full, cq_overflows, rearms,
        abandoned;
};

struct vg_ring_inbox {
    struct vg_spin guard; /* of all below, and of the links of the operations in it */
    bool closed;
    struct vg_op *first, *last;
    /* Whether there is any: 1 is stored under the guard, and read without it by the owner. */
    VG_ATOMIC(uint32_t) any;
};

struct vg_ring {
    struct io_uring uring;
    struct vg_op *first, *last; /* waiting */
    uint64_t spin_ns;
    VG_ATOMIC(uint32_t) *spinner; /* 1: a worker of this driver spins; taken by compare-and-swap */
    int bell;                     /* eventfd; any thread writes it. Outlives the ring */
    uint32_t generation;
    uint16_t worker;
    bool open;
    bool armed;       /* the kernel watches the bell */
    bool rung;        /* the bell was heard, and no park has returned since */
    bool stalled;     /* the kernel took nothing the last time: no memory, or no room */
    bool overflowing; /* the overflow under way has been counted */
    bool stopping;
    bool registered; /* enter_ring_fd is the thread's index for the descriptor */
    bool no_iowait;
    VG_ATOMIC(uint32_t) sq_entries, cq_entries; /* as obtained */
    struct vg_ring_count count;

    /* What other threads write. */
    _Alignas(128) struct vg_ring_inbox inbox;
    /* 1 from before the owner's last look at its inbox until it is back from the kernel. Whoever exchanges it
     * for 0 rings. Only for cancels: an unpark always rings. */
    VG_ATOMIC(uint32_t) parked;
    VG_ATOMIC(uint64_t) doorbells;
    struct vg_spin mapped_guard; /* of `mapped`, against readers on other threads */
    bool mapped;                 /* the queues may be looked at */
};

static inline void vg_ring_add(VG_ATOMIC(uint64_t) *counter, uint64_t n)
{
    vg_store(counter, vg_load(counter, relaxed) + n, relaxed);
}

static inline uint64_t vg_ring_inflight(const struct vg_ring *ring)
{
    return vg_load(&ring->count.submissions, relaxed) - vg_load(&ring->count.completions, relaxed);
}

/* uring.c. The ring of a worker. */
struct vg_ring *vg_uring_ring(struct vg_driver *driver, unsigned worker);

/* uring_ring.c. Sets the ring up on the calling thread, smaller than asked for if need be. */
VG_MUST_USE int vg_ring_open(struct vg_ring *ring, unsigned sq_entries, unsigned cq_entries);
/* How much waits in it for the owner, from any thread. */
void vg_ring_look(struct vg_ring *ring, struct vg_driver_stats *stats);
/* Frees the ring; nothing may be in flight. */
void vg_ring_exit(struct vg_ring *ring);

/* uring_stop.c. Ends what is in flight and frees the ring, unless that takes too long. */
void vg_ring_stop(struct vg_ring *ring);

/* uring_submit.c */
void vg_ring_submit(struct vg_ring *ring, struct vg_op *op);
/* An entry to fill in, after flushing if need be; NULL: the kernel takes nothing now. */
struct io_uring_sqe *vg_ring_sqe(struct vg_ring *ring);
/* Gives waiting operations an entry, as far as there is room; ends those that were cancelled. */
unsigned vg_ring_place(struct vg_ring *ring);
uint64_t vg_ring_tag(const struct vg_op *op);
/* Takes the operation down and reports its result. */
void vg_ring_end(struct vg_ring *ring, struct vg_op *op, int32_t result);

/* uring_turn.c */
bool vg_ring_ready(const struct vg_ring *ring);
unsigned vg_ring_turn(struct vg_ring *ring);
void vg_ring_park(struct vg_ring *ring, uint64_t deadline);
/* Counts a system call that returned rc and takes note of what it means. */
void vg_ring_entered(struct vg_ring *ring, int rc);

/* uring_wait.c. Whether nothing keeps the worker from sleeping. */
bool vg_ring_quiet(const struct vg_ring *ring);
/* Sleeps in the kernel until there is a completion, or the deadline has passed. */
void vg_ring_wait(struct vg_ring *ring, uint64_t deadline);
/* Looks at the ring for a while; true: there is something to do. */
bool vg_ring_spin(struct vg_ring *ring, uint64_t deadline);

/* uring_cancel.c. Of an operation of this ring, on its worker's thread. */
void vg_ring_cancel(struct vg_ring *ring, struct vg_op *op);
/* The same from another thread. */
void vg_ring_cancel_remote(struct vg_ring *ring, struct vg_op *op);
/* Passes on to the kernel what is in the inbox, as far as there is room. */
void vg_ring_pass_cancels(struct vg_ring *ring);
/* Takes an operation that is about to end out of the inbox. */
void vg_ring_forget(struct vg_ring *ring, struct vg_op *op);
/* No cancel is taken in any more. */
void vg_ring_refuse(struct vg_ring *ring);

/* uring_bell.c */
void vg_ring_ring(struct vg_ring *ring);
/* Has the kernel watch the bell, if it does not. False: there was no room. */
bool vg_ring_arm(struct vg_ring *ring);
/* The kernel says that the bell was rung, or that it no longer watches. */
void vg_ring_heard(struct vg_ring *ring, const struct io_uring_cqe *cqe);

#endif
