/* SPDX-License-Identifier: MIT */
#include "echo.h"

/* The echo service and its clients, with every seed's faults. */

struct totals {
    uint64_t seeds, timeouts, late_bytes, broken;
    struct sim_stats sim;
};

static void add(struct totals *totals, const struct net *net)
{
    const struct sim_stats *s = &net->world.sim.stats;

    totals->seeds++;
    totals->timeouts += net->timeouts;
    totals->late_bytes += net->late_bytes;
    totals->broken += net->broken;
    totals->sim.cancelled += s->cancelled;
    totals->sim.overtaken += s->overtaken;
    totals->sim.shortened += s->shortened;
    totals->sim.resets += s->resets;
    totals->sim.reordered += s->reordered;
}

TEST(an_echo_conserves_every_byte_across_short_transfers_and_timeouts)
{
    struct totals totals = {0};
    FOR_SEEDS (seed, 300) {
        struct net net;
        net_open(&net, seed, false);
        net_run(&net);
        CHECK_EQ(net.broken, 0);
        CHECK_EQ(net.world.sim.stats.bytes_dropped, 0);
        add(&totals, &net);
        net_close(&net);
    }
    if (totals.seeds < 100)
        return;
    CHECK(totals.timeouts > 0);
    CHECK(totals.late_bytes > 0);
    CHECK(totals.sim.cancelled > 0);
    CHECK(totals.sim.overtaken > 0);
    CHECK(totals.sim.shortened > 0);
    CHECK(totals.sim.reordered > 0);
}

TEST(cancelled_clients_and_broken_connections_leave_nothing_behind)
{
    struct totals totals = {0};
    FOR_SEEDS (seed, 300) {
        struct net net;
        net_open(&net, seed, true);
        net.world.sim.faults.reset = seed % 2 ? 30 : 0;
        net.world.sim.faults.no_files = seed % 2 ? 300 : 0;
        net_run(&net);
        add(&totals, &net);
        net_close(&net);
    }
    CHECK(totals.seeds < 100 || (totals.broken > 0 && totals.sim.resets > 0));
}

TEST(closing_the_executor_ends_connections_in_every_state)
{
    FOR_SEEDS (seed, 300) {
        struct net net;
        struct vg_handle handle;
        net_open(&net, seed, true);
        CHECK_EQ(VG_SPAWN(net.world.exec, &handle, acceptor, &net), 0);
        vg_task_release(&handle);
        for (unsigned i = 0; i < CLIENTS; i++)
            CHECK_EQ(VG_SPAWN(net.world.exec, NULL, client, &net, i), 0);
        for (uint64_t i = sim_below(&net.world.sim, 400); i > 0; i--)
            net.world.sim.driver.ops->step(&net.world.sim.driver, net.world.exec);
        net_close(&net);
    }
}

static uint64_t hash_of_a_run(uint64_t seed)
{
    struct net net;

    net_open(&net, seed, true);
    net_run(&net);
    net_close(&net);
    return sim_hash(&net.world.sim);
}

TEST(the_same_seed_gives_the_same_traffic)
{
    FOR_SEEDS (seed, 50)
        CHECK_EQ(hash_of_a_run(seed), hash_of_a_run(seed));
}
