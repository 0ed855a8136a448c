/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SIM_PRIVATE_H
#define VIGIL_TESTS_SIM_PRIVATE_H

#include "sim.h"

/*
 * The simulator's parts: sim.c steps workers and moves the clock, sim_ops.c carries operations from
 * submission to completion, sim_net.c does what they ask for, sim_stream.c moves the bytes.
 */

enum sim_cancel {
    SIM_CANCEL_NONE,
    SIM_CANCEL_SURE, /* ends with -ECANCELED, or with what it has already moved */
    SIM_CANCEL_LATE, /* ends with its real result if there is one by then */
};

struct sim_op {
    struct sim_op *next;
    struct vg_op *op;
    struct sim_socket *socket; /* NULL until issued, and if the descriptor was bad */
    uint64_t ready_at;
    uint64_t order;  /* of submission */
    uint64_t digest; /* of the operation and its buffer, which must not change */
    uint32_t moved;  /* bytes, of a transfer that goes on until all have moved */
    unsigned worker;
    bool issued;
    bool blocked; /* it could not be done when last looked at */
    uint8_t cancel;
};

struct sim_socket {
    unsigned refs; /* its descriptor, operations issued on it, a place in a backlog */
    bool listener, connected, fin, reset;
    bool shut_read, shut_write;
    struct sim_socket *peer; /* NULL: gone, or never there */
    uint8_t *bytes;          /* to be received here */
    uint32_t head, count, size;
    struct sim_socket **backlog;
    unsigned waiting, backlog_size;
};

static inline struct sim *sim_of(struct vg_driver *driver)
{
    return (struct sim *)(void *)driver;
}

/* sim.c */
void sim_note(struct sim *sim, char what, uint64_t a, uint64_t b); /* adds to the hash */
uint64_t sim_latency(struct sim *sim);
void *sim_new(size_t count, size_t size);

/* sim_ops.c */
void sim_ops_submit(struct vg_driver *driver, unsigned worker, struct vg_op *op);
void sim_ops_cancel(struct vg_driver *driver, unsigned worker, struct vg_op *op);
bool sim_ops_ready(struct vg_driver *driver, unsigned worker);
unsigned sim_ops_turn(struct vg_driver *driver, unsigned worker);
void sim_ops_stop(struct vg_driver *driver, unsigned worker);
uint64_t sim_ops_next(struct sim *sim); /* when the next can proceed; VG_NEVER */
void sim_ops_retime(struct sim *sim);   /* after something changed on a socket */

/* sim_stream.c */
struct sim_socket *sim_socket_new(struct sim *sim);
void sim_socket_put(struct sim *sim, struct sim_socket *socket);
void sim_socket_join(struct sim_socket *a, struct sim_socket *b);
void sim_socket_reset(struct sim *sim, struct sim_socket *socket);
bool sim_can_receive(const struct sim_socket *s);
bool sim_can_send(const struct sim_socket *s);
/* Bytes moved, 0: the stream has ended, or negative errno. */
int32_t sim_receive(struct sim *sim, struct sim_socket *s, void *to, uint32_t max, bool peek);
int32_t sim_transmit(struct sim *sim, struct sim_socket *s, const void *from, uint32_t max);
int sim_shut(struct sim_socket *s, int how);

/* sim_net.c */
struct sim_socket *sim_socket_get(struct sim *sim,
                                  int fd); /* NULL, and counted, if it is not open */
struct sim_socket *sim_adopt(struct sim *sim, int fd);
void sim_disown(struct sim *sim, int fd); /* after a connect that failed: its caller closes it */
bool sim_can(struct sim *sim, const struct sim_op *o);
/* The result, or -EINPROGRESS: more must move before the operation ends. */
int32_t sim_do(struct sim *sim, struct sim_op *o);
void sim_net_close(struct sim *sim);

#endif
