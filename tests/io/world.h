/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_IO_WORLD_H
#define VIGIL_TESTS_IO_WORLD_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/io.h>
#include <vigil/uring.h>

#include "counting_alloc.h"
#include "harness.h"

/*
 * The real executor on real rings.
 *
 *     FOR_WORKERS (workers) {
 *         struct world world;
 *         world_open(&world, workers);
 *         CHECK_EQ(vg_block_on(world.exec, &program(&frame)->fut), 0);
 *         world_close(&world);
 *     }
 */

struct world {
    struct vg_driver *driver;
    struct vg_exec *exec;
    unsigned workers;
};

/* Skips the test where io_uring is refused. */
static inline void world_open(struct world *world, unsigned workers)
{
    struct vg_config config = VG_CONFIG_INIT;
    int rc = vg_uring_open(&world->driver, NULL, &test_alloc);

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    config.driver = world->driver;
    config.workers = workers;
    config.alloc = &test_alloc;
    world->workers = workers;
    CHECK_EQ(vg_exec_open(&world->exec, &config), 0);
}

/* Of all workers together. */
static inline struct vg_uring_stats world_stats(const struct world *world)
{
    struct vg_uring_stats sum = {0}, stats;

    for (unsigned i = 0; i < world->workers; i++) {
        CHECK_EQ(vg_uring_stats(world->driver, i, &stats), 0);
        sum.inflight += stats.inflight;
        sum.submissions += stats.submissions;
        sum.completions += stats.completions;
        sum.cancels += stats.cancels;
        sum.parks += stats.parks;
        sum.doorbells += stats.doorbells;
        sum.cq_overflows += stats.cq_overflows;
        sum.abandoned += stats.abandoned;
    }
    return sum;
}

/* All tasks must end in time, and all operations with them. */
static inline void world_close(struct world *world)
{
    struct vg_uring_stats stats;

    CHECK_EQ(vg_exec_close(world->exec, VG_SEC(20)), 0);
    stats = world_stats(world);
    CHECK_EQ(stats.abandoned, 0);
    CHECK_EQ(stats.inflight, 0);
    CHECK_EQ(stats.submissions, stats.completions);
    vg_uring_close(world->driver);
}

/* The harness ends the test if that takes too long. */
static inline void wait_until_done(const struct vg_handle *handle)
{
    while (!vg_task_done(handle))
        usleep(50);
}

/* Listens on a free port of loopback, and says where. */
static inline int world_listen(int backlog, struct sockaddr_storage *address)
{
    int fd = vg_tcp_listen("127.0.0.1:0", backlog);
    char text[32];

    CHECK(fd >= 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", vg_tcp_port(fd));
    CHECK(vg_tcp_parse(text, address) > 0);
    return fd;
}

#endif
