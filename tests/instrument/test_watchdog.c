/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include "instrument/live.h"

/* When the watchdog looks, as a calculation: no thread, no clock. */

static const uint64_t LIMIT = VG_MSEC(100);

/* Scans in the first `length` after a kick, if each takes `took`. */
static unsigned scans_within(uint64_t length, bool work, uint64_t took)
{
    struct vg_watchdog watchdog = {.period = VG_MSEC(10), .kicked_at = VG_SEC(1)};
    uint64_t now = VG_SEC(1), sleep;
    unsigned scans = 0;

    do {
        now += took;
        scans++;
        sleep = vg_watchdog_plan(&watchdog, work, LIMIT, now, took);
        now += sleep;
    } while (sleep != 0 && now < VG_SEC(1) + length);
    return scans;
}

TEST(it_looks_every_10_ms_while_a_limit_may_be_passed)
{
    CHECK_EQ(scans_within(VG_MSEC(300), true, 0), 30);
}

TEST(it_looks_less_and_less_often_when_nothing_changes)
{
    CHECK(scans_within(VG_SEC(60), true, 0) < 110);
    CHECK(scans_within(VG_SEC(60), true, 0) > 60);
}

TEST(it_sleeps_soon_when_nothing_is_owed)
{
    CHECK_EQ(scans_within(VG_SEC(60), false, 0), 11);
}

TEST(a_scan_takes_at_most_a_twentieth_of_its_time)
{
    const unsigned scans = scans_within(VG_SEC(60), true, VG_MSEC(100));

    CHECK(scans * VG_MSEC(100) <= VG_SEC(60) / 20);
    CHECK(scans > 20);
}

TEST(time_at_which_the_process_stood_still_does_not_count)
{
    struct vg_stalls stalls = {.count = 0};

    CHECK_EQ(vg_stalls_ran(&stalls, 100, 500), 400);
    CHECK_EQ(vg_stalls_ran(&stalls, 500, 100), 0);
    vg_stalls_add(&stalls, &(struct vg_stall){200, 300});
    CHECK_EQ(vg_stalls_ran(&stalls, 100, 500), 300);
    CHECK_EQ(vg_stalls_ran(&stalls, 250, 500), 200);
    CHECK_EQ(vg_stalls_ran(&stalls, 300, 500), 200);
    CHECK_EQ(vg_stalls_ran(&stalls, 100, 250), 100);
    CHECK_EQ(vg_stalls_ran(&stalls, 210, 290), 0);
    vg_stalls_add(&stalls, &(struct vg_stall){400, 1000});
    CHECK_EQ(vg_stalls_ran(&stalls, 100, 1100), 300);
    CHECK_EQ(vg_stalls_last_end(&stalls), 1000);
}

TEST(of_many_standstills_the_last_are_known)
{
    struct vg_stalls stalls = {.count = 0};

    for (uint64_t i = 0; i < 100; i++)
        vg_stalls_add(&stalls, &(struct vg_stall){1000 * i, 1000 * i + 500});
    CHECK_EQ(vg_stalls_ran(&stalls, 90000, 100000), 5000);
}

TEST(workers_whose_timers_are_overdue_are_given_a_second)
{
    struct vg_stalls stalls = {.count = 0};

    CHECK(!vg_stalls_note_deadline(&stalls, VG_NEVER, VG_SEC(10)));
    CHECK(!vg_stalls_note_deadline(&stalls, VG_SEC(10) - VG_MSEC(49), VG_SEC(10)));
    CHECK(vg_stalls_note_deadline(&stalls, VG_SEC(10) - VG_MSEC(60), VG_SEC(10)));
    CHECK(vg_stalls_note_deadline(&stalls, VG_SEC(10) - VG_MSEC(60), VG_SEC(10) + VG_MSEC(900)));
    CHECK(!vg_stalls_note_deadline(&stalls, VG_SEC(10) - VG_MSEC(60), VG_SEC(10) + VG_MSEC(950)));
}

TEST(the_time_of_late_workers_is_struck_out_when_they_are_back)
{
    struct vg_stalls stalls = {.count = 0};

    CHECK(vg_stalls_note_deadline(&stalls, VG_SEC(9), VG_SEC(9) + VG_MSEC(100)));
    CHECK_EQ(vg_stalls_ran(&stalls, VG_SEC(8), VG_SEC(10)), VG_SEC(2));
    CHECK(!vg_stalls_note_deadline(&stalls, VG_NEVER, VG_SEC(9) + VG_MSEC(500)));
    CHECK_EQ(vg_stalls_ran(&stalls, VG_SEC(8), VG_SEC(10)), VG_MSEC(1500));
    CHECK_EQ(vg_stalls_last_end(&stalls), VG_SEC(9) + VG_MSEC(500));
}
