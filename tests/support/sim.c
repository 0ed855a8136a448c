/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "counting_alloc.h"
#include "harness.h"
#include "sim_private.h"
#include "worker.h"

enum { SCANS_PER_HOP = 1000 };

static const uint64_t TICK = VG_MSEC(1);

/* Chance */

static uint64_t next_random(struct sim *sim)
{
    uint64_t z = sim->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t sim_below(struct sim *sim, uint64_t n)
{
    CHECK(n > 0);
    return next_random(sim) % n;
}

bool sim_chance(struct sim *sim, unsigned p)
{
    return p > 0 && sim_below(sim, 1000) < p;
}

/* Often none, so that several complete at one moment; mostly short, sometimes the whole of it. */
uint64_t sim_latency(struct sim *sim)
{
    if (sim_chance(sim, 300))
        return 0;
    return sim_below(sim, sim->limits.latency_ns + 1) >> sim_below(sim, 16);
}

void sim_note(struct sim *sim, char what, uint64_t a, uint64_t b)
{
    const uint64_t words[] = {(uint64_t)what, a, b, sim->now};
    const unsigned char *bytes = (const unsigned char *)words;

    for (size_t i = 0; i < sizeof words; i++)
        sim->hash = (sim->hash ^ bytes[i]) * 0x100000001b3u;
}

uint64_t sim_hash(const struct sim *sim)
{
    return sim->hash;
}

uint64_t sim_now(const struct sim *sim)
{
    return sim->now;
}

void *sim_new(size_t count, size_t size)
{
    void *p = calloc(count, size);
    CHECK(p != NULL);
    return p;
}

/* Time */

static void call_scan(struct sim *sim)
{
    sim->stats.scans++;
    if (sim->watch.next <= sim->now)
        sim->watch.next +=
            ((sim->now - sim->watch.next) / sim->watch.period + 1) * sim->watch.period;
    sim_note(sim, 's', 0, 0);
    sim->watch.scan(sim->watch.arg, sim->now);
}

static bool anybody_awake(const struct sim *sim)
{
    for (unsigned i = 0; i < sim->workers; i++)
        if (sim->worker[i].awake)
            return true;
    return false;
}

/* Ends early if a scan wakes a worker that had nothing to do. */
static void hop(struct sim *sim, uint64_t to)
{
    bool busy = anybody_awake(sim);

    for (int n = 0; n < SCANS_PER_HOP && sim->watch.scan && sim->watch.next < to; n++) {
        sim->now = sim->watch.next;
        call_scan(sim);
        if (!busy && anybody_awake(sim))
            return;
    }
    sim->now = to;
    if (sim->watch.scan)
        call_scan(sim);
}

void sim_set_watch(struct sim *sim, void (*scan)(void *arg, uint64_t now), void *arg,
                   uint64_t period)
{
    CHECK(scan == NULL || period > 0);
    sim->watch.scan = scan;
    sim->watch.arg = arg;
    sim->watch.period = period;
    sim->watch.next = sim->now + period;
    sim->watch.quiet_since = sim->now;
}

/* Steps */

/* A worker with something to do; any, if chance says so; -1: all are idle. */
static int pick_worker(struct sim *sim)
{
    unsigned awake[VG_WORKERS_MAX], n = 0;

    if (sim_chance(sim, sim->faults.spurious))
        return (int)sim_below(sim, sim->workers);
    for (unsigned i = 0; i < sim->workers; i++)
        if (sim->worker[i].awake)
            awake[n++] = i;
    return n > 0 ? (int)awake[sim_below(sim, n)] : -1;
}

static bool run_worker(struct sim *sim, struct vg_exec *exec)
{
    int picked = pick_worker(sim);
    if (picked < 0)
        return false;

    struct sim_worker *worker = &sim->worker[picked];
    worker->awake = false;
    enum vg_step result = vg_exec_step(exec, (unsigned)picked);
    sim_note(sim, 'w', (uint64_t)picked, result);
    if (result == VG_STEP_RAN) {
        worker->awake = true;
        sim->watch.quiet_since = sim->now;
    } else {
        sim->stats.idle_steps++;
    }
    if (sim->limits.drift_ns > 0)
        hop(sim, sim->now + sim_below(sim, sim->limits.drift_ns + 1));
    return true;
}

/* One of the idle workers that have completions to report. */
static bool wake_for_completion(struct sim *sim)
{
    unsigned ready[VG_WORKERS_MAX], n = 0;

    for (unsigned i = 0; i < sim->workers; i++)
        if (sim_ops_ready(&sim->driver, i))
            ready[n++] = i;
    if (n > 0)
        sim->worker[ready[sim_below(sim, n)]].awake = true;
    return n > 0;
}

/* A deadline has come: the workers whose timers are due return from where they have parked. */
static void wake_for_deadline(struct sim *sim, const struct vg_exec *exec)
{
    for (unsigned i = 0; i < sim->workers; i++)
        if (vg_wheel_deadline(&exec->workers[i].wheel) <= sim->now)
            sim->worker[i].awake = true;
}

/* The earliest moment after now at which something is due. */
static uint64_t next_moment(struct sim *sim, uint64_t deadline)
{
    uint64_t ops = sim_ops_next(sim);

    /* The timer is on a tick that is not over; its worker has looked and found it early. */
    if (deadline <= sim->now)
        deadline = sim->now - sim->now % TICK + TICK;
    return ops < deadline ? ops : deadline;
}

bool sim_skip(struct sim *sim)
{
    uint64_t to = sim_ops_next(sim);

    if (to != VG_NEVER && to > sim->now)
        hop(sim, to);
    return to != VG_NEVER;
}

/* Nothing is due, but tasks live and somebody watches them. */
static bool watch_on(struct sim *sim, struct vg_exec *exec)
{
    if (!sim->watch.scan || vg_exec_live(exec) == 0)
        return false;
    if (sim->watch.next > sim->watch.quiet_since + sim->limits.watch_ns)
        return false;
    hop(sim, sim->watch.next);
    return true;
}

static bool pass_time(struct sim *sim, struct vg_exec *exec)
{
    if (wake_for_completion(sim))
        return true;
    uint64_t deadline = vg_exec_next_deadline(exec);
    uint64_t to = next_moment(sim, deadline);
    if (to == VG_NEVER)
        return watch_on(sim, exec);
    hop(sim, to);
    sim_note(sim, 't', 0, 0);
    if (sim->now >= deadline)
        wake_for_deadline(sim, exec);
    return true;
}

static bool sim_step(struct vg_driver *driver, struct vg_exec *exec)
{
    struct sim *sim = sim_of(driver);

    CHECK(!sim->stepping);
    if (++sim->stats.steps > sim->limits.steps)
        FAIL("no end after %llu steps", (unsigned long long)sim->limits.steps);
    sim->stepping = true;
    bool going = run_worker(sim, exec) || pass_time(sim, exec);
    sim->stepping = false;
    return going;
}

int sim_run(struct sim *sim, struct vg_exec *exec, bool (*done)(void *arg), void *arg,
            uint64_t max_ns)
{
    uint64_t end = sim->now + max_ns;

    while (!done(arg)) {
        if (!sim_step(&sim->driver, exec))
            return -EDEADLK;
        if (sim->now > end)
            return -ETIME;
    }
    return 0;
}

/* The rest of the driver table */

static int driver_open(struct vg_driver *driver, unsigned workers)
{
    CHECK_EQ(workers, sim_of(driver)->workers);
    return 0;
}

static void driver_close(struct vg_driver *driver)
{
    CHECK_EQ(sim_in_flight(sim_of(driver)), 0);
}

static int driver_start(struct vg_driver *driver, unsigned worker)
{
    struct sim *sim = sim_of(driver);

    CHECK(worker < sim->workers);
    sim->worker[worker].awake = true;
    return 0;
}

static uint64_t driver_now(struct vg_driver *driver)
{
    return sim_of(driver)->now;
}

/* For callers of the table; a stepped executor's workers go idle instead. Nothing blocks here. */
static void driver_park(struct vg_driver *driver, unsigned worker, uint64_t deadline)
{
    (void)deadline;
    sim_ops_turn(driver, worker);
}

static void driver_unpark(struct vg_driver *driver, unsigned worker)
{
    struct sim *sim = sim_of(driver);

    CHECK(worker < sim->workers);
    sim->stats.unparks++;
    sim->worker[worker].awake = true;
    sim_note(sim, 'u', worker, 0);
}

static const struct vg_driver_ops sim_driver = {
    .name = "simulator",
    .open = driver_open,
    .close = driver_close,
    .start = driver_start,
    .stop = sim_ops_stop,
    .now = driver_now,
    .ready = sim_ops_ready,
    .turn = sim_ops_turn,
    .park = driver_park,
    .unpark = driver_unpark,
    .submit = sim_ops_submit,
    .cancel = sim_ops_cancel,
    .step = sim_step,
};

/* Setting up */

static void *alloc_get(void *self, size_t size, size_t align)
{
    (void)self;
    return test_alloc_get(size, align);
}

static void alloc_put(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    test_alloc_put(ptr, size, align);
}

struct vg_config sim_config(struct sim *sim)
{
    static const struct vg_alloc alloc = {alloc_get, alloc_put, NULL};
    struct vg_config config = VG_CONFIG_INIT;

    config.name = "sim";
    config.workers = sim->workers;
    config.driver = &sim->driver;
    config.alloc = &alloc;
    config.seed = sim->seed;
    return config;
}

static void choose_faults(struct sim *sim)
{
    sim->faults.short_io = (unsigned)sim_below(sim, 3) * 200;
    sim->faults.late_cancel = 500;
    sim->faults.reorder = (unsigned)sim_below(sim, 3) * 300;
    /* Half of the runs without: a stray step can make up for a wake that was lost. */
    sim->faults.spurious = sim_chance(sim, 500) ? 20 : 0;
    sim->limits.submissions = 1 + (unsigned)sim_below(sim, 32);
    sim->limits.completions = 1 + (unsigned)sim_below(sim, 16);
    sim->limits.stream_bytes = 64u << sim_below(sim, 8);
}

/* Once for each seed, however many simulators its body opens. */
static void count_seed(void)
{
    static uint64_t counted;

    if (test_seed != 0 && test_seed != counted)
        test_count(1, "simulator seeds");
    counted = test_seed;
}

void sim_open(struct sim *sim, uint64_t seed, unsigned workers)
{
    CHECK(workers > 0 && workers <= VG_WORKERS_MAX);
    memset(sim, 0, sizeof *sim);
    sim->driver.ops = &sim_driver;
    sim->seed = seed ? seed : 1;
    sim->random = seed;
    sim->hash = 0xcbf29ce484222325u;
    sim->now = VG_SEC(1);
    sim->workers = workers;
    sim->limits.latency_ns = VG_MSEC(20);
    sim->limits.watch_ns = VG_SEC(10);
    sim->limits.steps = 20 * 1000 * 1000;
    choose_faults(sim);
    count_seed();
}

void sim_close(struct sim *sim)
{
    CHECK_EQ(sim_in_flight(sim), 0);
    CHECK_EQ(sim->stats.submitted, sim->stats.completed);
    if (!sim->may_leave_fds)
        CHECK_EQ(sim_open_fds(sim), 0);
    if (!sim->may_use_bad_fds)
        CHECK_EQ(sim->stats.bad_fds, 0);
    sim_net_close(sim);
    CHECK_EQ(sim->stats.bytes_sent, sim->stats.bytes_received + sim->stats.bytes_dropped);
}
