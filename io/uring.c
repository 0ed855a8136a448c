/* SPDX-License-Identifier: MIT */
#include <vigil/uring.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ring.h"
#include "vg_fault.h"
#include "vg_os.h"

struct vg_uring {
    struct vg_driver driver; /* first */
    const struct vg_alloc *alloc;
    struct vg_uring_config config;
    struct vg_ring *rings; /* from open() to the next open(), for their counts */
    unsigned workers;
    bool used;                   /* between open() and close() */
    VG_ATOMIC(uint32_t) spinner; /* see struct vg_ring */
};

static struct vg_uring *uring_of(struct vg_driver *driver)
{
    return (struct vg_uring *)(void *)driver;
}

struct vg_ring *vg_uring_ring(struct vg_driver *driver, unsigned worker)
{
    return &uring_of(driver)->rings[worker];
}

static void free_rings(struct vg_uring *uring)
{
    if (uring->rings != NULL)
        uring->alloc->free(uring->alloc->self, uring->rings, uring->workers * sizeof *uring->rings,
                           _Alignof(struct vg_ring));
    uring->rings = NULL;
    uring->workers = 0;
}

static void take_bells_down(struct vg_uring *uring)
{
    for (unsigned i = 0; i < uring->workers; i++) {
        if (uring->rings[i].bell >= 0)
            close(uring->rings[i].bell);
        uring->rings[i].bell = -1;
    }
}

static int hang_bell(struct vg_ring *ring)
{
    const int fault = VG_FAULT("bell");

    if (fault < 0)
        return fault;
    ring->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return ring->bell < 0 ? -errno : 0;
}

static int init_ring(struct vg_uring *uring, unsigned worker)
{
    struct vg_ring *ring = &uring->rings[worker];

    memset(ring, 0, sizeof *ring);
    ring->worker = (uint16_t)worker;
    ring->spin_ns = VG_USEC(uring->config.spin_us);
    ring->spinner = &uring->spinner;
    ring->bell = -1;
    return hang_bell(ring);
}

static int uring_open(struct vg_driver *driver, unsigned workers)
{
    struct vg_uring *uring = uring_of(driver);
    const struct vg_alloc *alloc = uring->alloc;
    int rc = 0;

    if (uring->used)
        vg_panic("vg_exec_open: the io_uring driver serves another executor, and can do so for one "
                 "at a time");
    free_rings(uring);
    uring->rings =
        alloc->alloc(alloc->self, workers * sizeof *uring->rings, _Alignof(struct vg_ring));
    if (uring->rings == NULL)
        return -ENOMEM;
    uring->workers = workers;
    for (unsigned i = 0; i < workers; i++)
        uring->rings[i].bell = -1;
    for (unsigned i = 0; i < workers && rc == 0; i++)
        rc = init_ring(uring, i);
    if (rc < 0)
        take_bells_down(uring);
    uring->used = rc == 0;
    return rc;
}

static void uring_close(struct vg_driver *driver)
{
    take_bells_down(uring_of(driver));
    uring_of(driver)->used = false;
}

static int uring_start(struct vg_driver *driver, unsigned worker)
{
    const struct vg_uring_config *config = &uring_of(driver)->config;
    struct vg_ring *ring = vg_uring_ring(driver, worker);
    int rc = vg_ring_open(ring, config->sq_entries, config->cq_entries);

    if (rc < 0)
        return rc;
    vg_ring_arm(ring);
    return 0;
}

static void uring_stop(struct vg_driver *driver, unsigned worker)
{
    vg_ring_stop(vg_uring_ring(driver, worker));
}

static uint64_t uring_now(struct vg_driver *driver)
{
    (void)driver;
    return vg_os_now();
}

static bool uring_ready(struct vg_driver *driver, unsigned worker)
{
    return vg_ring_ready(vg_uring_ring(driver, worker));
}

static unsigned uring_turn(struct vg_driver *driver, unsigned worker)
{
    return vg_ring_turn(vg_uring_ring(driver, worker));
}

static void uring_park(struct vg_driver *driver, unsigned worker, uint64_t deadline)
{
    vg_ring_park(vg_uring_ring(driver, worker), deadline);
}

static void uring_unpark(struct vg_driver *driver, unsigned worker)
{
    vg_ring_ring(vg_uring_ring(driver, worker));
}

static void uring_submit(struct vg_driver *driver, unsigned worker, struct vg_op *op)
{
    vg_ring_submit(vg_uring_ring(driver, worker), op);
}

static void uring_cancel(struct vg_driver *driver, unsigned worker, struct vg_op *op)
{
    struct vg_ring *owner = vg_uring_ring(driver, op->worker);

    if (op->worker == worker)
        vg_ring_cancel(owner, op);
    else
        vg_ring_cancel_remote(owner, op);
}

static void uring_stats(struct vg_driver *driver, unsigned worker, struct vg_driver_stats *out)
{
    struct vg_uring_stats stats;

    if (vg_uring_stats(driver, worker, &stats) < 0)
        return;
    *out = (struct vg_driver_stats){
        .submissions = stats.submissions,
        .completions = stats.completions,
        .inflight = stats.inflight,
        .enters = stats.enters,
        .cancels = stats.cancels,
        .late_cancels = stats.late_cancels,
        .sq_full = stats.sq_full,
        .cq_overflows = stats.cq_overflows,
        .doorbells = stats.doorbells,
        .abandoned = stats.abandoned,
    };
    vg_ring_look(vg_uring_ring(driver, worker), out);
}

static const struct vg_driver_ops uring_ops = {
    .name = "io_uring",
    .open = uring_open,
    .close = uring_close,
    .start = uring_start,
    .stop = uring_stop,
    .now = uring_now,
    .ready = uring_ready,
    .turn = uring_turn,
    .park = uring_park,
    .unpark = uring_unpark,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .stats = uring_stats,
};

static unsigned or_default(unsigned n, unsigned otherwise)
{
    return n != 0 ? n : otherwise;
}

/* The kernel may have no memory for a moment, and take nothing. */
static int hear_bell(struct vg_ring *ring)
{
    const uint64_t deadline = vg_os_now() + VG_SEC(1);

    vg_ring_turn(ring);
    vg_ring_ring(ring);
    do {
        vg_ring_wait(ring, deadline);
        vg_ring_turn(ring);
    } while (!ring->rung && vg_os_now() < deadline);
    if (ring->rung)
        return 0;
    return ring->stalled ? -ENOMEM : -EOPNOTSUPP;
}

/* A ring on this thread, and its doorbell: what every worker will do. */
static int try_out(struct vg_uring *uring)
{
    struct vg_ring *ring;
    int rc = uring_open(&uring->driver, 1);

    if (rc < 0)
        return rc;
    ring = &uring->rings[0];
    rc = vg_ring_open(ring, 1, 2);
    if (rc == 0) {
        rc = hear_bell(ring);
        vg_ring_stop(ring);
    }
    uring_close(&uring->driver);
    free_rings(uring);
    return rc;
}

int vg_uring_stats(struct vg_driver *driver, unsigned worker, struct vg_uring_stats *stats)
{
    const struct vg_uring *uring = uring_of(driver);
    const struct vg_ring *ring;
    const struct vg_ring_count *count;

    if (worker >= uring->workers)
        return -EINVAL;
    ring = &uring->rings[worker];
    count = &ring->count;
    *stats = (struct vg_uring_stats){
        .sq_entries = vg_load(&ring->sq_entries, relaxed),
        .cq_entries = vg_load(&ring->cq_entries, relaxed),
        .submissions = vg_load(&count->submissions, relaxed),
        .completions = vg_load(&count->completions, relaxed),
        .enters = vg_load(&count->enters, relaxed),
        .parks = vg_load(&count->parks, relaxed),
        .cancels = vg_load(&count->cancels, relaxed),
        .late_cancels = vg_load(&count->late_cancels, relaxed),
        .sq_full = vg_load(&count->sq_full, relaxed),
        .cq_overflows = vg_load(&count->cq_overflows, relaxed),
        .doorbells = vg_load(&ring->doorbells, relaxed),
        .rearms = vg_load(&count->rearms, relaxed),
        .abandoned = vg_load(&count->abandoned, relaxed),
    };
    /* The two were read one after the other: some may have ended in between. */
    if (stats->submissions > stats->completions)
        stats->inflight = stats->submissions - stats->completions;
    return 0;
}

int vg_uring_open(struct vg_driver **driver, const struct vg_uring_config *config,
                  const struct vg_alloc *alloc)
{
    struct vg_uring *uring;
    int rc;

    *driver = NULL;
    if (alloc == NULL)
        alloc = &vg_alloc_default;
    uring = alloc->alloc(alloc->self, sizeof *uring, 16);
    if (uring == NULL)
        return -ENOMEM;
    memset(uring, 0, sizeof *uring);
    uring->driver.ops = &uring_ops;
    uring->alloc = alloc;
    if (config != NULL)
        uring->config = *config;
    uring->config.sq_entries = or_default(uring->config.sq_entries, 256);
    uring->config.cq_entries = or_default(uring->config.cq_entries, 4096);
    rc = try_out(uring);
    if (rc < 0) {
        vg_uring_close(&uring->driver);
        return rc;
    }
    *driver = &uring->driver;
    return 0;
}

void vg_uring_close(struct vg_driver *driver)
{
    struct vg_uring *uring = uring_of(driver);

    if (driver == NULL)
        return;
    if (uring->used)
        vg_panic("vg_uring_close: the driver serves an executor: vg_exec_close() comes first");
    free_rings(uring);
    uring->alloc->free(uring->alloc->self, uring, sizeof *uring, 16);
}
