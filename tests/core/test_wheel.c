/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "rig.h"
#include "task.h"
#include "wheel.h"
#include "worker.h"

/*
 * The timer wheel against a plain list: random timers, removals and steps of time. Timers wake waiters of a
 * task that nobody polls; what has been pushed on it has fired.
 */

enum { TIMERS = 400, STEPS = 3000 };

struct alarm_ {
    struct vg_waiter waiter; /* first */
    struct vg_timer timer;
    struct vg_future fut;
    bool waits;
};

struct bench {
    struct rig rig;
    struct vg_wheel wheel;
    struct vg_task task; /* has an owner, as far as wakes can see: this one */
    struct vg_cx cx;
    uint64_t now;
    struct alarm_ alarm[TIMERS];
    unsigned waiting, fired;
};

static void bench_open(struct bench *b, uint64_t now)
{
    static const struct vg_ops ops = {.name = "alarm", .kind = VG_KIND_LEAF};

    memset(b, 0, sizeof *b);
    rig_open(&b->rig);
    b->task.exec = b->rig.exec;
    b->task.word = VG_WORD_S;
    b->task.base = VG_WORD_S;
    b->cx.task = &b->task;
    b->now = now;
    vg_wheel_init(&b->wheel, now);
    for (unsigned i = 0; i < TIMERS; i++)
        b->alarm[i].fut.ops = &ops;
}

static void bench_close(struct bench *b)
{
    rig_close(&b->rig);
    free(b);
}

static uint64_t tick_of(uint64_t deadline)
{
    return deadline / VG_TICK_NS + (deadline % VG_TICK_NS != 0);
}

static void insert(struct bench *b, struct alarm_ *alarm, uint64_t deadline)
{
    vg_arm(&alarm->waiter, &alarm->fut, &b->cx);
    alarm->timer.deadline = deadline;
    alarm->timer.waiter = &alarm->waiter;
    alarm->waits = true;
    vg_wheel_insert(&b->wheel, &alarm->timer);
    b->waiting++;
}

static void drop(struct bench *b, struct alarm_ *alarm)
{
    vg_wheel_remove(&alarm->timer);
    alarm->waiter.flags = 0;
    alarm->waits = false;
    b->waiting--;
}

/* What has fired must have been due. */
static void collect(struct bench *b)
{
    struct vg_wnode *node = vg_word_take(&b->task.word, &b->task.base), *next;

    for (; node != NULL; node = next) {
        struct alarm_ *alarm = (struct alarm_ *)(void *)node;
        next = vg_wnode_next(node);
        CHECK(alarm->waits);
        CHECK(alarm->timer.deadline <= b->now);
        alarm->waiter.flags = 0;
        alarm->waits = false;
        b->waiting--;
        b->fired++;
    }
}

/* Nothing that is due is left, and the wheel asks to be looked at before the next is. */
static void check_rest(const struct bench *b)
{
    uint64_t next = VG_NEVER;

    for (unsigned i = 0; i < TIMERS; i++) {
        const struct alarm_ *alarm = &b->alarm[i];
        if (!alarm->waits || alarm->timer.deadline == VG_NEVER)
            continue;
        CHECK(tick_of(alarm->timer.deadline) > b->now / VG_TICK_NS);
        next = alarm->timer.deadline < next ? alarm->timer.deadline : next;
    }
    if (next == VG_NEVER)
        CHECK_EQ(vg_wheel_deadline(&b->wheel), VG_NEVER);
    else
        CHECK(vg_wheel_deadline(&b->wheel) <= tick_of(next) * VG_TICK_NS);
}

static void fire(struct bench *b)
{
    unsigned most = 0;

    while (vg_wheel_fire(&b->wheel, b->now) > 0)
        CHECK(most++ < TIMERS);
    collect(b);
    check_rest(b);
}

/* From less than a tick to years: the bits of the result are as many as chance says. */
static uint64_t distance(struct sim *sim)
{
    return sim_below(sim, UINT64_C(1) << (10 + sim_below(sim, 49)));
}

static uint64_t deadline(struct bench *b)
{
    struct sim *sim = &b->rig.sim;

    if (sim_chance(sim, 20))
        return sim_chance(sim, 500) ? VG_NEVER : sim_below(sim, b->now);
    return b->now + distance(sim);
}

static void advance(struct bench *b)
{
    struct sim *sim = &b->rig.sim;
    const uint64_t next = vg_wheel_deadline(&b->wheel);

    /* Mostly to the moment the wheel asks for, or just before; sometimes far beyond. */
    if (next != VG_NEVER && next > b->now && sim_chance(sim, 700))
        b->now = next - (sim_chance(sim, 300) ? 1 : 0);
    else
        b->now += distance(sim);
    fire(b);
}

static void random_steps(struct bench *b)
{
    struct sim *sim = &b->rig.sim;

    for (unsigned step = 0; step < STEPS; step++) {
        struct alarm_ *alarm = &b->alarm[sim_below(sim, TIMERS)];
        if (sim_chance(sim, 300))
            advance(b);
        else if (!alarm->waits)
            insert(b, alarm, deadline(b));
        else if (sim_chance(sim, 300))
            drop(b, alarm);
    }
    for (unsigned i = 0; i < TIMERS; i++)
        if (b->alarm[i].waits && b->alarm[i].timer.deadline == VG_NEVER)
            drop(b, &b->alarm[i]);
    for (unsigned step = 0; b->waiting > 0; step++) {
        CHECK(step < 100 * TIMERS); /* each timer moves down a few times */
        b->now = vg_wheel_deadline(&b->wheel);
        fire(b);
    }
    CHECK_EQ(vg_wheel_deadline(&b->wheel), VG_NEVER);
}

static void random_wheels(uint64_t start)
{
    FOR_SEEDS (seed, 30) {
        struct bench *b = aligned_alloc(16, (sizeof *b + 15) & ~(size_t)15);
        CHECK(b != NULL);
        bench_open(b, start);
        b->rig.sim.random = seed;
        random_steps(b);
        CHECK(b->fired > STEPS / 10);
        bench_close(b);
    }
}

TEST(timers_fire_when_they_are_due_and_not_before)
{
    random_wheels(VG_SEC(1));
}

TEST(timers_fire_when_they_are_due_on_a_machine_that_has_run_for_years)
{
    random_wheels((UINT64_C(1) << 36) * VG_TICK_NS - VG_SEC(100000));
}

TEST(a_timer_years_away_does_not_fire_early)
{
    static const uint64_t days[] = {1, 20, 400, 799, 5000};
    struct bench *b = aligned_alloc(16, (sizeof *b + 15) & ~(size_t)15);

    CHECK(b != NULL);
    bench_open(b, VG_SEC(1));
    for (unsigned i = 0; i < 5; i++)
        insert(b, &b->alarm[i], days[i] * 24 * 3600 * VG_SEC(1));
    for (unsigned i = 0; i < 5; i++) {
        b->now = days[i] * 24 * 3600 * VG_SEC(1) - 1;
        fire(b);
        CHECK_EQ(b->fired, i);
        b->now++;
        fire(b);
        CHECK_EQ(b->fired, i + 1);
    }
    bench_close(b);
}

TEST(many_timers_of_one_tick_fire_in_batches)
{
    struct bench *b = aligned_alloc(16, (sizeof *b + 15) & ~(size_t)15);

    CHECK(b != NULL);
    bench_open(b, VG_SEC(1));
    for (unsigned i = 0; i < TIMERS; i++)
        insert(b, &b->alarm[i], VG_SEC(2));
    b->now = VG_SEC(2);
    CHECK(vg_wheel_fire(&b->wheel, b->now) <= VG_WHEEL_BATCH);
    collect(b);
    CHECK(b->waiting > 0);
    CHECK(vg_wheel_deadline(&b->wheel) <= b->now); /* it asks to be called again */
    fire(b);
    CHECK_EQ(b->fired, TIMERS);
    bench_close(b);
}
