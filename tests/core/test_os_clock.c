/* SPDX-License-Identifier: MIT */
/*
 * The clock that counts ticks: first with a counter and a system clock that are the test's, then with the real ones.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "harness.h"
#include "vg_os.h"

#define VIGIL_SEAM_TICKS_H /* instead of it: */

static struct {
    uint64_t ticks, ns;
    uint64_t asked; /* times that the system was asked */
    bool trusted;
} world = {.ticks = 5000, .ns = 7000000000, .trusted = true};

static uint64_t vg_ticks(void)
{
    return world.ticks;
}

static bool vg_ticks_trusted(void)
{
    return world.trusted;
}

static int fake_gettime(clockid_t id, struct timespec *ts)
{
    (void)id;
    world.asked++;
    ts->tv_sec = (time_t)(world.ns / 1000000000);
    ts->tv_nsec = (long)(world.ns % 1000000000);
    return 0;
}

#define clock_gettime fake_gettime
#define vg_os_now counted_now
#include "core/os_clock.c"
#undef vg_os_now
#undef clock_gettime

enum { USEC = 1000, MSEC = 1000 * USEC };

/* Lets time pass: so many nanoseconds, at three ticks each. */
static void pass(uint64_t ns)
{
    world.ns += ns;
    world.ticks += 3 * ns;
}

/* Counts for long enough to know what a tick is. */
static void learn(void)
{
    for (int i = 0; i < 30; i++) {
        pass(MSEC);
        CHECK_EQ(counted_now(), world.ns);
    }
}

static uint64_t error(void)
{
    const uint64_t now = counted_now();

    return now > world.ns ? now - world.ns : world.ns - now;
}

TEST(it_asks_the_system_once_in_a_millisecond)
{
    learn();
    world.asked = 0;
    for (int i = 0; i < 100 * 1000; i++) {
        pass(100);
        CHECK(error() <= 1);
    }
    CHECK(world.asked >= 9 && world.asked <= 11);
}

TEST(until_it_knows_the_rate_it_asks_each_time)
{
    for (int i = 0; i < 9; i++) {
        pass(MSEC);
        CHECK_EQ(counted_now(), world.ns);
    }
    CHECK(world.asked >= 9);
}

TEST(it_follows_a_clock_that_is_slewed)
{
    uint64_t last;

    learn();
    last = counted_now();
    for (int i = 0; i < 5 * 1000 * 1000; i++) {
        const uint64_t now = (pass(i < 2500000 ? 1000 : 999), counted_now());

        CHECK(error() < USEC);
        CHECK(now >= last);
        last = now;
        if (i < 2500000)
            world.ticks -= 1; /* 0.03 % slow; then 0.03 % or so fast */
    }
}

TEST(after_a_long_sleep_it_is_right_at_once)
{
    learn();
    pass(UINT64_C(3600) * 1000 * MSEC);
    CHECK_EQ(counted_now(), world.ns);
    pass(500 * USEC);
    CHECK(error() <= 1);
}

TEST(a_counter_that_jumps_is_not_counted_on_again)
{
    uint64_t before;

    learn();
    (void)counted_now();
    world.ticks += 3 * 400 * USEC; /* and no time has passed */
    CHECK(error() <= 400 * USEC);
    pass(700 * USEC);
    before = counted_now();
    world.asked = 0;
    for (int i = 0; i < 100; i++) {
        pass(10 * USEC);
        CHECK(counted_now() >= before);
    }
    CHECK_EQ(world.asked, 100);
    CHECK_EQ(error(), 0);
}

TEST(a_counter_that_goes_back_does_not_take_time_back)
{
    uint64_t before;

    learn();
    pass(300 * USEC);
    before = counted_now();
    world.ticks -= 1000000;
    pass(1);
    CHECK(counted_now() >= before);
    CHECK(error() <= MSEC);
}

TEST(where_the_counter_cannot_be_trusted_each_call_asks_the_system)
{
    world.trusted = false;
    learn();
    world.asked = 0;
    for (int i = 0; i < 1000; i++) {
        pass(10);
        CHECK_EQ(counted_now(), world.ns);
    }
    CHECK_EQ(world.asked, 1000);
}

static uint64_t system_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

TEST(the_real_one_agrees_with_the_system_and_never_goes_back)
{
    const uint64_t end = system_now() + 100 * MSEC;
    uint64_t last = 0, before, now;

    for (before = system_now(); before < end; before = system_now()) {
        now = vg_os_now();
        CHECK(now + USEC >= before);
        CHECK(now <= system_now() + USEC);
        CHECK(now >= last);
        last = now;
    }
}
