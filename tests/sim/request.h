/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_REQUEST_H
#define VIGIL_TESTS_REQUEST_H

#include "sim.h"

/* Operations made and turned by hand, with no executor, for tests of the driver table itself. */

struct request {
    struct vg_op op; /* first */
    unsigned ends;
    int32_t result;
};

static inline void request_done(struct vg_op *op, int32_t result)
{
    struct request *r = (struct request *)(void *)op;

    r->ends++;
    r->result = result;
}

static inline void submit(struct sim *sim, unsigned worker, struct request *r, enum vg_op_code code,
                          int fd, void *addr, uint32_t len)
{
    uint32_t flags = r->op.flags;

    *r = (struct request){.op = {.done = request_done, .addr = addr, .len = len, .flags = flags}};
    r->op.code = (uint8_t)code;
    r->op.fd = fd;
    sim->driver.ops->submit(&sim->driver, worker, &r->op);
}

static inline void cancel(struct sim *sim, struct request *r)
{
    sim->driver.ops->cancel(&sim->driver, 0, &r->op);
}

static inline void turn_all(struct sim *sim)
{
    for (unsigned i = 0; i < sim->workers; i++)
        sim->driver.ops->turn(&sim->driver, i);
}

/* Until nothing more can happen. */
static inline void settle(struct sim *sim)
{
    do
        turn_all(sim);
    while (sim_skip(sim));
}

#endif
