/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_ECHO_RING_H
#define VIGIL_BENCH_ECHO_RING_H

#include "io/uring_compat.h"

/* A ring as the fastest programs set it up: that of the calling thread, which alone uses it. Failure ends the process. */
void echo_ring_open(struct io_uring *ring);

/* An entry to fill in; passes on what is queued if there is no room. */
struct io_uring_sqe *echo_ring_entry(struct io_uring *ring);

/* Buffers that the kernel chooses from when a receive has something to deliver. */
struct echo_buffers {
    struct io_uring_buf_ring *ring;
    char *memory;
    unsigned count, size; /* count is a power of two */
};

enum { ECHO_GROUP = 0 };

void echo_buffers_open(struct echo_buffers *buffers, struct io_uring *ring, unsigned count,
                       unsigned size);

static inline char *echo_buffer(const struct echo_buffers *buffers, unsigned id)
{
    return buffers->memory + (size_t)id * buffers->size;
}

/* Gives a buffer back to the kernel. */
static inline void echo_buffer_return(struct echo_buffers *buffers, unsigned id)
{
    io_uring_buf_ring_add(buffers->ring, echo_buffer(buffers, id), buffers->size,
                          (unsigned short)id, io_uring_buf_ring_mask(buffers->count), 0);
    io_uring_buf_ring_advance(buffers->ring, 1);
}

/* The buffer that a receive has filled. */
static inline unsigned echo_buffer_of(const struct io_uring_cqe *cqe)
{
    return cqe->flags >> IORING_CQE_BUFFER_SHIFT;
}

#endif
