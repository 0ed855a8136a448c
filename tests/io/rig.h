/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_IO_RIG_H
#define VIGIL_TESTS_IO_RIG_H

#include <pthread.h>

#include <vigil/uring.h>

#include "harness.h"
#include "vg_atomic.h"

/*
 * A driver without an executor: the test's thread is worker 0, and further workers are threads that do
 * nothing but park.
 *
 *     struct rig rig;
 *     rig_open(&rig, 2, NULL);
 *     rig_recv(&op, fd, buf, sizeof buf);
 *     rig_submit(&rig, 0, &op);
 *     CHECK_EQ(rig_result(&rig, &op), 5);
 *     rig_close(&rig);
 */

#define RIG_WORKERS_MAX 4
#define RIG_PATIENCE VG_SEC(30) /* more than that is a hang */

struct rig_worker {
    struct rig *rig;
    unsigned index;
    pthread_t thread;
    VG_ATOMIC(struct vg_op *) mail;  /* to be submitted by this worker */
    VG_ATOMIC(uint32_t) submissions; /* of what came by mail */
};

struct rig {
    struct vg_driver *driver;
    const struct vg_driver_ops *ops;
    unsigned workers;
    VG_ATOMIC(uint32_t) stop;
    VG_ATOMIC(uint32_t) started;
    struct rig_worker worker[RIG_WORKERS_MAX];
};

struct rig_op {
    struct vg_op op; /* first */
    int32_t result;
    VG_ATOMIC(uint32_t) ended; /* times that done() was called */
};

/* Skips the test where io_uring is refused. */
void rig_open(struct rig *rig, unsigned workers, const struct vg_uring_config *config);
/* Stops all workers; nothing may have been abandoned. */
void rig_close(struct rig *rig);

struct vg_uring_stats rig_stats(struct rig *rig, unsigned worker);

void rig_init(struct rig_op *op, enum vg_op_code code, int fd, void *addr, size_t len);
/* On worker 0, which is the caller, or on another; returns when that one has the operation. */
void rig_submit(struct rig *rig, unsigned worker, struct rig_op *op);
bool rig_ended(const struct rig_op *op);
/* Runs worker 0 until the operation has ended, and returns its result. */
int32_t rig_result(struct rig *rig, struct rig_op *op);
/* Runs worker 0 until n operations have ended. */
void rig_results(struct rig *rig, struct rig_op *ops, unsigned n);
/* Until worker 0 has passed on what was submitted. */
void rig_flush(struct rig *rig);

/* A connected pair of TCP sockets on loopback, and a listener; they fail the test. */
void rig_tcp_pair(int fd[2]);
int rig_listen(char address[32]);
void rig_socket_pair(int fd[2]);

/* Starts a thread, or fails the test. */
pthread_t rig_thread(void *(*run)(void *), void *arg);

#endif
