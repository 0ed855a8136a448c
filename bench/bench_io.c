/* SPDX-License-Identifier: MIT */
/*
 * io_op: an operation goes through the ring and comes back: submission, completion, wake, poll. The kernel refuses it, as there is
 * no such descriptor, so its part is small. 64 tasks do so at the same time.
 */
#include <errno.h>

#include <vigil/io.h>
#include <vigil/jemalloc.h>
#include <vigil/liveness.h>
#include <vigil/uring.h>

#include "runner.h"

enum { TASKS = 64 };

struct client {
    VG_FRAME(int);
    int64_t left;
    ssize_t len;
    struct vg_io io;
    char byte;
};

VG_ASYNC(client)
{
    VG_BEGIN(f);

    for (; f->left > 0; f->left--) {
        VG_AWAIT(f->len, vg_recv(&f->io, -1, &f->byte, 1));
        VG_ASSERT(f->len == -EBADF);
    }
    VG_RETURN(0);
}

static struct client *client(struct client *f, int64_t times)
{
    VG_SETUP(f, client);
    f->left = times;
    return f;
}

struct clients {
    VG_FRAME(int);
    int64_t operations; /* of each */
    struct vg_handle task[TASKS];
    struct gather gather;
};

VG_ASYNC(clients)
{
    VG_BEGIN(f);
    int rc;

    for (unsigned i = 0; i < TASKS; i++) {
        rc = VG_SPAWN(vg_exec_current(), &f->task[i], client, f->operations);
        VG_ASSERT(rc == 0);
    }
    VG_AWAIT(rc, gather(&f->gather, f->task, TASKS));
    VG_RETURN(rc);
}

static struct clients *clients(struct clients *f, int64_t operations)
{
    VG_SETUP(f, clients);
    f->operations = operations;
    return f;
}

static void io_op(struct bench_run *run, int64_t arg)
{
    const int64_t operations = bench_scaled(run, 5000);
    struct vg_driver *driver;
    struct vg_exec *exec;
    struct clients root;

    (void)arg;
    if (vg_uring_open(&driver, NULL, &vg_jemalloc) < 0) {
        bench_skip(run, "io_uring is refused");
        return;
    }
    exec = bench_open_with(run, VG_LEVEL_FULL, driver);
    while (exec != NULL && bench_next(run, operations * TASKS))
        if (!bench_batch(run, exec, &clients(&root, operations)->fut))
            break;
    bench_close(exec);
    vg_uring_close(driver);
}

const struct bench bench_io[] = {
    {"io_op", io_op, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
