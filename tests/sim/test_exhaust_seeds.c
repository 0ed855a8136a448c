/* SPDX-License-Identifier: MIT */
#include "echo.h"

#include <vigil/liveness.h>

#include "counting_alloc.h"
#include "exhaust.h"

/*
 * The whole of the echo, its clients, their timeouts and the instruments, while memory runs out anywhere: what
 * cannot be had is refused with -ENOMEM, and every byte and descriptor is accounted for all the same.
 */

enum { SEEDS = 20, SNAPSHOTS = 2 };

struct observed {
    struct vg_liveness *live;
    uint64_t snapshots, refused;
};

static void observe(void *arg, uint64_t now)
{
    struct observed *observed = (struct observed *)arg;
    struct vg_snapshot *snapshot;

    vg_watch_scan(observed->live, now);
    if (observed->snapshots + observed->refused == SNAPSHOTS)
        return; /* each is one more request that may fail */
    if (exhaust_hit(vg_snapshot(observed->live, &snapshot))) {
        CHECK(snapshot == NULL);
        observed->refused++;
        return;
    }
    observed->snapshots++;
    vg_snapshot_free(snapshot);
}

static int open_live(struct vg_liveness **live)
{
    struct vg_liveness_config config = VG_LIVENESS_INIT;

    config.manual = true;
    config.alloc = &test_alloc;
    return vg_liveness_open(live, &config);
}

static void run_and_close(struct net *net, struct observed *observed)
{
    net->scarce = true;
    sim_set_watch(&net->world.sim, observe, observed, VG_MSEC(20));
    net_run(net);
    sim_set_watch(&net->world.sim, NULL, NULL, 0);
    CHECK(observed->snapshots + observed->refused > 0 || exhaust_refused() > 0);
    net_close(net);
}

static void echo_and_observe(void *arg)
{
    struct observed observed = {.live = NULL};
    struct net net;

    if (exhaust_hit(open_live(&observed.live)))
        return;
    if (!exhaust_hit(
            net_try_open(&net, *(const uint64_t *)arg, true, vg_liveness_probe(observed.live))))
        run_and_close(&net, &observed);
    vg_liveness_close(observed.live);
}

TEST(an_echo_conserves_every_byte_whichever_request_for_memory_fails)
{
    FOR_SEEDS (seed, SEEDS)
        CHECK(exhaust(&exhaust_memory, echo_and_observe, &seed) > 10);
}

/* Refused at its own door, too: the rest of the run goes on with what it has. */
TEST(an_echo_conserves_every_byte_whichever_slab_is_not_to_be_had)
{
    const struct exhaust slabs = {"slab", -ENOMEM, 0};

    FOR_SEEDS (seed, SEEDS)
        CHECK(exhaust(&slabs, echo_and_observe, &seed) > 2);
}
