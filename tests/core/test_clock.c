/* SPDX-License-Identifier: MIT */
#include "counted_clock.h"
#include "counting_alloc.h"
#include "nodes.h"
#include "rig.h"
#include "vg_atomic.h"
#include "worker.h"

/* The clock that a poll shows, and that wakes are stamped with. */

/* ---- of a worker that has read it a moment too early ------------------------------------------------------------------------------ */

struct sleeper {
    VG_FRAME(int);
    uint64_t deadline, woken;
    struct vg_sleep sleep;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep_until(&f->sleep, f->deadline));
    f->woken = vg_now();
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f, uint64_t deadline)
{
    VG_SETUP(f, sleeper);
    f->deadline = deadline;
    f->woken = 0;
    return f;
}

static struct {
    struct rig rig;
    struct vg_driver_ops ops;
    bool (*ready)(struct vg_driver *driver, unsigned worker);
    bool armed;
} early;

/* Worker 1 has read its clock and is about to look for tasks: now the timer on worker 0 falls due, and a thread
 * outside fires it. */
static bool ready_late(struct vg_driver *driver, unsigned worker)
{
    struct vg_worker *const here = vg_worker_here;
    struct vg_wheel *wheel = &early.rig.exec->workers[0].wheel;

    if (worker == 1 && early.armed) {
        early.armed = false;
        early.rig.sim.now += VG_MSEC(5);
        vg_worker_here = NULL;
        CHECK_EQ(vg_wheel_fire(wheel, early.rig.sim.now), 1);
        vg_worker_here = here;
    }
    return early.ready(driver, worker);
}

TEST(who_has_slept_never_sees_a_time_before_its_deadline_though_its_worker_read_the_clock_before)
{
    struct rig *const rig = &early.rig;
    const struct sleeper *f;

    rig_open_config(rig, 2, NULL, true);
    early.ops = *rig->sim.driver.ops;
    early.ready = early.ops.ready;
    early.ops.ready = ready_late;
    rig->sim.driver.ops = &early.ops;
    CHECK_EQ(
        VG_SPAWN(rig->exec, &rig->task[rig->tasks++], sleeper, sim_now(&rig->sim) + VG_MSEC(3)), 0);
    CHECK_EQ(vg_exec_step(rig->exec, 0), VG_STEP_RAN);  /* its timer is there now */
    CHECK_EQ(vg_exec_step(rig->exec, 1), VG_STEP_IDLE); /* the first step has a turn in any case */
    early.armed = true;
    CHECK_EQ(vg_exec_step(rig->exec, 1), VG_STEP_RAN);
    CHECK(!early.armed);
    CHECK(rig_done(rig, 0));
    f = vg_task_frame(&rig->task[0]);
    CHECK(f->woken >= f->deadline);
    rig_close(rig);
}

/* ---- of a worker that sleeps ----------------------------------------------------------------- */

struct waiter {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    VG_RETURN(rc);
}

static struct waiter *waiter(struct waiter *f, struct event *event)
{
    VG_SETUP(f, waiter);
    f->event = event;
    return f;
}

/* A driver on threads whose clock moves only while its worker sleeps, and then something completes. */
static struct {
    struct vg_driver_futex futex;
    struct vg_driver_ops ops;
    void (*park)(struct vg_driver *driver, unsigned worker, uint64_t deadline);
    struct event event;
    VG_ATOMIC(uint64_t) clock;
} slept;

static uint64_t slept_now(struct vg_driver *driver)
{
    (void)driver;
    return vg_load(&slept.clock, relaxed);
}

static void slept_park(struct vg_driver *driver, unsigned worker, uint64_t deadline)
{
    bool waits;

    vg_spin_lock(&slept.event.guard);
    waits = slept.event.waiter != NULL;
    vg_spin_unlock(&slept.event.guard);
    if (!waits) {
        slept.park(driver, worker, deadline);
        return;
    }
    vg_fetch_add(&slept.clock, VG_SEC(1), acq_rel); /* pairs with nothing: a time */
    event_set(&slept.event);
}

struct listener {
    struct vg_probe probe;
    unsigned visits;
    uint64_t runtime_ns;
};

static void hear_visit(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    struct listener *listener = (struct listener *)(void *)probe;

    (void)worker;
    listener->visits++;
    listener->runtime_ns = visit->runtime_ns;
}

TEST(a_completion_that_comes_while_its_worker_sleeps_has_not_waited_since_before)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct listener listener = {.probe = {.visited = hear_visit}};
    struct vg_exec *exec;
    struct waiter f;

    vg_store(&slept.clock, VG_SEC(100), relaxed);
    config.driver = vg_driver_futex(&slept.futex);
    slept.ops = *config.driver->ops;
    slept.park = slept.ops.park;
    slept.ops.park = slept_park;
    slept.ops.now = slept_now;
    config.driver->ops = &slept.ops;
    config.workers = 1;
    config.alloc = &test_alloc;
    config.probe = &listener.probe;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(vg_block_on(exec, &waiter(&f, &slept.event)->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    CHECK_EQ(vg_load(&slept.clock, relaxed), VG_SEC(101));
    CHECK_EQ(listener.visits, 1);
    CHECK_EQ(listener.runtime_ns, 0);
}

/* ---- of a worker whose polls are short ------------------------------------------------------- */

enum { TURNS = 800 };

struct ticker {
    VG_FRAME(int);
    unsigned turn, at;
    bool tick;
    uint64_t slows_to;    /* unless 0, each reading takes so long from that turn on */
    uint64_t seen, reads; /* of vg_now() in that turn; and in the turn that follows it */
    uint64_t all_reads;   /* from the first turn to the last */
    struct vg_yield yield;
};

/* In one of its turns time passes, and it asks for the time, or has the worker told that time has passed. */
static void look(struct ticker *f)
{
    vg_fetch_add(&counted.clock, VG_MSEC(5), relaxed);
    f->reads = vg_load(&counted.reads, relaxed);
    if (f->slows_to != 0)
        vg_store(&counted.step, f->slows_to, relaxed);
    else if (f->tick)
        vg_exec_tick(vg_exec_current());
    else
        f->seen = vg_now();
}

VG_ASYNC(ticker)
{
    VG_BEGIN(f);
    int rc;
    f->all_reads = vg_load(&counted.reads, relaxed);
    for (f->turn = 0; f->turn < TURNS; f->turn++) {
        if (f->turn == f->at)
            look(f);
        else if (f->turn == f->at + 1)
            f->reads = vg_load(&counted.reads, relaxed) - f->reads;
        VG_AWAIT(rc, vg_yield(&f->yield));
        CHECK_EQ(rc, 0);
    }
    f->all_reads = vg_load(&counted.reads, relaxed) - f->all_reads;
    VG_RETURN(0);
}

static struct ticker *ticker(struct ticker *f, unsigned at, bool tick)
{
    VG_SETUP(f, ticker);
    f->at = at;
    f->tick = tick;
    f->seen = f->reads = f->slows_to = 0;
    return f;
}

/* Returns how often the clock was read while it had its turns. */
static uint64_t count_reads(struct ticker *f, bool exact, uint64_t step)
{
    count_on(&f->fut, exact, step);
    return f->all_reads;
}

TEST(short_polls_share_a_reading_of_the_clock)
{
    struct ticker f;

    CHECK(count_reads(ticker(&f, TURNS, false), false, 10) < TURNS / 4);
}

TEST(very_short_polls_share_one_among_thirty_two)
{
    struct ticker f;

    CHECK(count_reads(ticker(&f, TURNS, false), false, 1) < TURNS / 16);
}

TEST(with_an_exact_clock_short_polls_have_one_each)
{
    struct ticker f;

    CHECK(count_reads(ticker(&f, TURNS, false), true, 10) >= TURNS);
}

TEST(polls_that_are_not_short_have_one_each)
{
    struct ticker f;

    CHECK(count_reads(ticker(&f, TURNS, false), false, VG_USEC(1)) >= TURNS);
}

/* The first batch is over when it shows. */
TEST(polls_that_have_become_long_have_one_each)
{
    struct ticker f;

    ticker(&f, TURNS / 2, false)->slows_to = VG_USEC(5);
    CHECK(count_reads(&f, false, 10) >= TURNS / 2 - 32);
}

/* All turns but those that begin with a reading, one in eight or fewer. */
TEST(who_asks_for_the_time_between_two_readings_gets_it)
{
    unsigned fresh = 0;

    for (unsigned i = 0; i < 16; i++) {
        struct ticker f;

        count_reads(ticker(&f, 400 + i, false), false, 0);
        CHECK(f.seen == VG_SEC(100) + VG_MSEC(5) || f.seen == VG_SEC(100));
        fresh += f.seen != VG_SEC(100);
    }
    CHECK(fresh >= 12);
}

TEST(when_time_has_passed_the_next_step_reads_the_clock)
{
    for (unsigned i = 0; i < 16; i++) {
        struct ticker f;

        count_reads(ticker(&f, 400 + i, true), false, 0);
        CHECK(f.reads > 0);
    }
}
