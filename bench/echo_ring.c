/* SPDX-License-Identifier: MIT */
#include "echo_ring.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "echo_reference.h"

void echo_ring_open(struct io_uring *ring)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                 IORING_SETUP_CQSIZE,
        .cq_entries = 4096,
    };
    int rc = io_uring_queue_init_params(256, ring, &params);

    if (rc == 0)
        rc = io_uring_register_ring_fd(ring);
    if (rc < 0)
        echo_die("io_uring", -rc);
}

struct io_uring_sqe *echo_ring_entry(struct io_uring *ring)
{
    struct io_uring_sqe *sqe;

    while ((sqe = io_uring_get_sqe(ring)) == NULL)
        io_uring_submit(ring);
    return sqe;
}

static void *map(size_t size)
{
    void *space =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (space == MAP_FAILED)
        echo_die("mmap", ENOMEM);
    return space;
}

void echo_buffers_open(struct echo_buffers *buffers, struct io_uring *ring, unsigned count,
                       unsigned size)
{
    struct io_uring_buf_reg reg = {.ring_entries = count, .bgid = ECHO_GROUP};
    int rc;

    *buffers = (struct echo_buffers){.count = count, .size = size};
    buffers->ring = map(count * sizeof(struct io_uring_buf));
    buffers->memory = map((size_t)count * size);
    reg.ring_addr = (uintptr_t)buffers->ring;
    rc = io_uring_register_buf_ring(ring, &reg, 0);
    if (rc < 0)
        echo_die("io_uring_register_buf_ring", -rc);
    io_uring_buf_ring_init(buffers->ring);
    for (unsigned i = 0; i < count; i++)
        echo_buffer_return(buffers, i);
}
