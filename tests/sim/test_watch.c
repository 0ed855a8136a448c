/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/probe.h>
#include <vigil/time.h>

#include "gate.h"
#include "world.h"

/* Virtual time as an instrument sees it. */

struct watcher {
    struct world world; /* first */
    uint64_t scans, last, widest;
    uint64_t open_at; /* scan that opens the gate */
    struct gate gate;
};

static void scan(void *arg, uint64_t now)
{
    struct watcher *w = arg;

    CHECK_EQ(now, sim_now(&w->world.sim));
    CHECK_EQ(now, vg_exec_now(w->world.exec));
    CHECK(now >= w->last);
    if (now - w->last > w->widest)
        w->widest = now - w->last;
    w->last = now;
    if (++w->scans == w->open_at)
        gate_open(&w->gate);
}

static void watch(struct watcher *w, uint64_t seed, uint64_t period)
{
    memset(w, 0, sizeof *w);
    world_open(&w->world, seed, world_workers(seed));
    w->last = sim_now(&w->world.sim);
    sim_set_watch(&w->world.sim, scan, w, period);
}

TEST(scans_come_once_a_period_while_everybody_sleeps)
{
    FOR_SEEDS (seed, 50) {
        struct watcher w;
        struct vg_sleep nap;
        watch(&w, seed, VG_MSEC(10));
        CHECK_EQ(vg_block_on(w.world.exec, &vg_sleep(&nap, VG_SEC(1))->fut), 0);
        CHECK_EQ(w.widest, VG_MSEC(10));
        CHECK_EQ(w.last, sim_now(&w.world.sim));
        CHECK(w.scans >= 100);
        sim_set_watch(&w.world.sim, NULL, NULL, 0);
        uint64_t scans = w.scans;
        CHECK_EQ(vg_block_on(w.world.exec, &vg_sleep(&nap, VG_SEC(1))->fut), 0);
        CHECK_EQ(w.scans, scans);
        world_close(&w.world);
    }
}

TEST(a_jump_over_very_many_periods_costs_a_bounded_number_of_scans)
{
    struct watcher w;
    struct vg_sleep nap;
    watch(&w, 1, VG_USEC(1));
    CHECK_EQ(vg_block_on(w.world.exec, &vg_sleep(&nap, VG_SEC(1))->fut), 0);
    CHECK(w.scans > 1000);
    CHECK(w.scans < 100000);
    CHECK_EQ(w.last, sim_now(&w.world.sim));
    world_close(&w.world);
}

TEST(a_program_that_hangs_is_watched_for_a_while_and_then_given_up)
{
    FOR_SEEDS (seed, 50) {
        struct watcher w;
        struct gate_pass pass;
        watch(&w, seed, VG_MSEC(10));
        uint64_t start = sim_now(&w.world.sim);
        w.world.sim.limits.watch_ns = VG_SEC(3);
        CHECK_EQ(vg_block_on(w.world.exec, &gate_pass(&pass, &w.gate)->fut), -EDEADLK);
        CHECK_EQ(sim_now(&w.world.sim), start + VG_SEC(3));
        CHECK_EQ(w.scans, 300);
        gate_open(&w.gate);
        world_close(&w.world);
        CHECK_EQ(pass.ret, 0);
    }
}

TEST(a_program_that_hangs_unwatched_is_given_up_at_once)
{
    FOR_SEEDS (seed, 20) {
        struct watcher w;
        struct gate_pass pass;
        watch(&w, seed, VG_MSEC(10));
        uint64_t start = sim_now(&w.world.sim);
        sim_set_watch(&w.world.sim, NULL, NULL, 0);
        CHECK_EQ(vg_block_on(w.world.exec, &gate_pass(&pass, &w.gate)->fut), -EDEADLK);
        CHECK_EQ(sim_now(&w.world.sim), start);
        gate_open(&w.gate);
        world_close(&w.world);
    }
}

TEST(what_a_scan_wakes_runs_at_the_time_of_the_scan)
{
    FOR_SEEDS (seed, 50) {
        struct watcher w;
        struct gate_pass pass;
        watch(&w, seed, VG_MSEC(10));
        uint64_t start = sim_now(&w.world.sim);
        w.open_at = 7;
        CHECK_EQ(vg_block_on(w.world.exec, &gate_pass(&pass, &w.gate)->fut), 0);
        CHECK_EQ(sim_now(&w.world.sim), start + VG_MSEC(70));
        world_close(&w.world);
    }
}

TEST(time_drifts_while_workers_run_if_it_is_told_to)
{
    FOR_SEEDS (seed, 50) {
        struct watcher w;
        struct vg_sleep nap;
        watch(&w, seed, VG_MSEC(10));
        uint64_t start = sim_now(&w.world.sim);
        w.world.sim.limits.drift_ns = VG_USEC(100);
        for (int i = 0; i < 20; i++)
            CHECK_EQ(vg_block_on(w.world.exec, &vg_sleep(&nap, VG_MSEC(5))->fut), 0);
        CHECK(sim_now(&w.world.sim) > start + VG_MSEC(100));
        world_close(&w.world);
    }
}
