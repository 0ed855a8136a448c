/* SPDX-License-Identifier: MIT */
#include "worker.h"

/*
 * How a worker knows the time: it reads the clock between two polls, and everything in a poll happens at the time
 * at which the poll began.
 *
 * A reading costs more than a short poll. While polls are short, a worker reads only before every eighth, and while they are
 * very short before every thirty-second. Its time
 * is then behind by up to that many short polls, 4 us; and after one poll that was unexpectedly long, by the
 * length of that, until the batch ends or an observer's vg_exec_tick() comes. Who needs more (a timer that is
 * set, a wake from a thread outside, a worker back from its driver) reads for itself. With vg_config.exact_clock the stride is
 * always 1.
 */

/* Steps between two readings, a power of two; how long they take together at most, and when there may be twice as many. */
enum { STRIDE = 8, STRIDE_MAX = 32, BATCH_NS = 4000, SHORT_BATCH_NS = 1000 };

static void spend(struct vg_worker *worker, uint64_t now)
{
    const uint32_t state = vg_load(&worker->pulse.state, relaxed);

    if (now > worker->read_at)
        vg_count(&worker->counts.time[state], now - worker->read_at);
    worker->read_at = now;
}

void vg_worker_read_clock(struct vg_worker *worker, enum vg_worker_state next)
{
    struct vg_driver *const driver = worker->exec->driver;

    worker->now = driver->ops->now(driver);
    worker->known = worker->blind;
    spend(worker, worker->now);
    if (vg_load(&worker->pulse.state, relaxed) != next)
        vg_store(&worker->pulse.state, next, relaxed);
}

/* A maximum that is forgotten within some hundred readings. */
static void note_burst(struct vg_worker *worker, uint64_t length)
{
    enum { FORGET = 64 };

    if (length >= worker->burst)
        worker->burst = length;
    else
        worker->burst -= (worker->burst - length) / FORGET;
}

/* An average over the last dozen readings or so. */
static void note_step(struct vg_worker *worker, uint64_t length)
{
    enum { WEIGHT = 8, LONG_NS = 1000000 };
    const uint32_t step = vg_load(&worker->pulse.step_ns, relaxed);

    length >>= __builtin_ctz(worker->stride);
    length = length < LONG_NS ? length : LONG_NS;
    vg_store(&worker->pulse.step_ns, (uint32_t)((step * (WEIGHT - 1) + length) / WEIGHT), relaxed);
}

/* How many steps may share the next reading, after a batch that took so long. */
static unsigned next_stride(const struct vg_worker *worker, uint64_t length)
{
    const unsigned stride = worker->stride;

    if (worker->exec->exact || worker->exec->exact_clock)
        return 1;
    if (stride == 1)
        return length < BATCH_NS / STRIDE ? STRIDE : 1;
    if (length >= BATCH_NS)
        return 1;
    return length < SHORT_BATCH_NS && stride < STRIDE_MAX ? 2 * stride : stride;
}

void vg_worker_step_clock(struct vg_worker *worker)
{
    uint64_t length = worker->read_at;

    worker->ticks = vg_load(&worker->exec->ticks, relaxed);
    vg_worker_read_clock(worker, VG_WORKER_RUN);
    length = worker->now - length;
    note_burst(worker, length);
    note_step(worker, length);
    worker->stride = next_stride(worker, length);
    worker->blind = worker->known = worker->stride - 1;
}

uint64_t vg_cx_now(struct vg_cx *cx)
{
    if (VG_UNLIKELY(vg_worker_is_stale(vg_worker_of(cx)))) {
        vg_worker_read_clock(vg_worker_of(cx), VG_WORKER_RUN);
        cx->now = vg_worker_of(cx)->now;
    }
    return cx->now;
}
