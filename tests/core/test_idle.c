/* SPDX-License-Identifier: MIT */
#include "idle.h"

#include "threads.h"

static struct vg_idle idle;

static void sleep_as(unsigned worker)
{
    vg_idle_prepare_park(&idle, worker, false);
    CHECK(vg_idle_may_park(&idle, worker));
}

TEST(nobody_is_woken_while_nobody_sleeps)
{
    vg_idle_init(&idle, 4);
    CHECK_EQ(vg_idle_notify(&idle), -1);
    for (unsigned i = 0; i < 4; i++)
        CHECK(!vg_idle_notify_worker(&idle, i));
}

TEST(the_last_to_sleep_is_woken_first)
{
    vg_idle_init(&idle, 3);
    for (unsigned i = 0; i < 3; i++)
        sleep_as(i);
    for (int i = 2; i >= 0; i--) {
        CHECK_EQ(vg_idle_notify(&idle), i);
        CHECK(!vg_idle_may_park(&idle, (unsigned)i));
        CHECK(vg_idle_end_park(&idle, (unsigned)i));
        CHECK(vg_idle_stop_search(&idle));
    }
    CHECK_EQ(vg_idle_notify(&idle), -1);
}

TEST(nobody_is_woken_while_somebody_searches)
{
    vg_idle_init(&idle, 4);
    sleep_as(0);
    sleep_as(1);
    CHECK(vg_idle_start_search(&idle));
    CHECK_EQ(vg_idle_notify(&idle), -1);
    CHECK(vg_idle_stop_search(&idle));
    CHECK_EQ(vg_idle_notify(&idle), 1);
    CHECK_EQ(vg_idle_notify(&idle), -1); /* worker 1 searches, from the moment it was picked */
    CHECK(vg_idle_end_park(&idle, 1));
    CHECK(vg_idle_stop_search(&idle));
    CHECK_EQ(vg_idle_notify(&idle), 0);
}

TEST(at_most_half_search_and_one_of_one)
{
    for (unsigned workers = 1; workers <= 8; workers++) {
        unsigned searching = 0;

        vg_idle_init(&idle, workers);
        while (vg_idle_start_search(&idle))
            searching++;
        CHECK_EQ(searching, (workers + 1) / 2);
        for (; searching > 1; searching--)
            CHECK(!vg_idle_stop_search(&idle));
        CHECK(vg_idle_stop_search(&idle));
    }
}

TEST(a_searcher_that_goes_to_sleep_searches_no_more)
{
    vg_idle_init(&idle, 1);
    CHECK(vg_idle_start_search(&idle));
    vg_idle_prepare_park(&idle, 0, true);
    CHECK_EQ(vg_idle_notify(&idle), 0);
    CHECK(vg_idle_end_park(&idle, 0));
}

TEST(a_worker_that_wakes_by_itself_leaves_the_list)
{
    vg_idle_init(&idle, 3);
    for (unsigned i = 0; i < 3; i++)
        sleep_as(i);
    CHECK(!vg_idle_end_park(&idle, 1));
    CHECK_EQ(vg_idle_notify(&idle), 2);
    CHECK(vg_idle_end_park(&idle, 2));
    CHECK(vg_idle_stop_search(&idle));
    CHECK_EQ(vg_idle_notify(&idle), 0);
}

TEST(a_message_rings_once_and_does_not_make_a_searcher)
{
    vg_idle_init(&idle, 2);
    sleep_as(0);
    CHECK(vg_idle_notify_worker(&idle, 0));
    CHECK(!vg_idle_notify_worker(&idle, 0));
    CHECK_EQ(vg_idle_notify(&idle), -1); /* picked, but its doorbell has been rung */
    CHECK(vg_idle_end_park(&idle, 0));
    CHECK(!vg_idle_notify_worker(&idle, 0));
}

/* ---- workers that sleep on futexes while others make work ------------------------------------ */

enum { WORKERS = 4, PRODUCERS = 2, JOBS = 40000 };

static VG_ATOMIC(uint32_t) bells[WORKERS];
static VG_ATOMIC(int) available, taken;

static void ring(int worker)
{
    if (worker < 0)
        return;
    vg_fetch_add(&bells[worker], 1u, acq_rel); /* pairs with the load in park() */
    vg_os_wake(&bells[worker], 1);
}

static void park(unsigned me, uint32_t seen)
{
    while (vg_load(&bells[me], acquire) == seen)
        vg_os_wait(&bells[me], seen, VG_NEVER);
}

static bool take_one(void)
{
    int n = vg_load(&available, relaxed);

    while (n > 0)
        if (vg_cas(&available, &n, n - 1, acq_rel, relaxed))
            return true;
    return false;
}

static bool over(void)
{
    return vg_load(&taken, relaxed) == JOBS;
}

static void work(unsigned me)
{
    bool searching = vg_idle_start_search(&idle);

    while (!over()) {
        uint32_t seen = vg_load(&bells[me], acquire);

        if (take_one()) {
            if (searching && vg_idle_stop_search(&idle))
                ring(vg_idle_notify(&idle));
            searching = false;
            vg_fetch_add(&taken, 1, relaxed);
            continue;
        }
        vg_idle_prepare_park(&idle, me, searching);
        if (vg_load(&available, relaxed) == 0 && !over() && vg_idle_may_park(&idle, me))
            park(me, seen);
        searching = vg_idle_end_park(&idle, me) || vg_idle_start_search(&idle);
    }
    for (int i = 0; i < WORKERS; i++)
        ring(i);
}

static void work_or_produce(int id)
{
    if (id < WORKERS) {
        work((unsigned)id);
        return;
    }
    for (int i = 0; i < JOBS / PRODUCERS; i++) {
        vg_fetch_add(&available, 1, acq_rel);
        ring(vg_idle_notify(&idle));
        if (i % 7 == 0)
            vg_os_yield(); /* let them fall asleep */
    }
}

TEST(no_wake_is_lost_while_work_comes_and_workers_sleep)
{
    vg_idle_init(&idle, WORKERS);
    test_threads(WORKERS + PRODUCERS, work_or_produce);
    CHECK_EQ(vg_load(&taken, relaxed), JOBS);
    CHECK_EQ(vg_load(&available, relaxed), 0);
}
