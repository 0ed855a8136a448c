/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/time.h>

#include "world.h"

/* The executor under random programs: what was spawned ends once, whatever is cancelled on the way. */

/* ---- sleeping ------------------------------------------------------------------------------ */

struct sleeper {
    VG_FRAME(int);
    struct world *world;
    uint64_t due;
    unsigned left;
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;
    f->world->started++;
    while (f->left-- > 0) {
        f->due = vg_now() + sim_below(&f->world->sim, VG_SEC(100) >> sim_below(&f->world->sim, 30));
        VG_AWAIT(rc, vg_sleep_until(&f->nap, f->due));
        CHECK_EQ(rc, 0);
        CHECK(vg_now() >= f->due);
        CHECK(vg_now() - f->due < VG_MSEC(1));
    }
    f->world->ended++;
    VG_RETURN(0);
}

static struct sleeper *sleeper(struct sleeper *f, struct world *world, unsigned left)
{
    VG_SETUP(f, sleeper);
    f->world = world;
    f->left = left;
    return f;
}

TEST(a_sleep_ends_exactly_at_its_tick)
{
    FOR_SEEDS (seed, 50) {
        struct world w;
        struct sleeper f;
        world_open(&w, seed, world_workers(seed));
        uint64_t start = sim_now(&w.sim);
        struct vg_sleep nap;
        CHECK_EQ(vg_block_on(w.exec, &vg_sleep(&nap, VG_SEC(5))->fut), 0);
        CHECK_EQ(nap.ret, 0);
        CHECK_EQ(sim_now(&w.sim), start + VG_SEC(5));
        CHECK_EQ(vg_block_on(w.exec, &vg_sleep(&nap, VG_MSEC(2) + 1)->fut), 0);
        CHECK_EQ(sim_now(&w.sim), start + VG_SEC(5) + VG_MSEC(3));
        CHECK_EQ(vg_block_on(w.exec, &sleeper(&f, &w, 20)->fut), 0);
        world_close(&w);
    }
}

TEST(hundreds_of_sleepers_each_wake_within_one_tick)
{
    FOR_SEEDS (seed, 20) {
        struct world w;
        world_open(&w, seed, world_workers(seed));
        for (int i = 0; i < 300; i++)
            CHECK_EQ(VG_SPAWN(w.exec, NULL, sleeper, &w, 5), 0);
        CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(1000)), 0);
        CHECK_EQ(w.ended, 300);
        world_close(&w);
    }
}

/* ---- spawn trees --------------------------------------------------------------------------- */

enum { KIDS = 3 };

struct node {
    VG_FRAME(int);
    struct world *world;
    unsigned depth, steps, pick;
    bool ended_before;
    struct vg_handle kid[KIDS];
    struct vg_task_wait wait;
    struct vg_sleep nap;
    struct vg_yield yield;
};

static struct node *node(struct node *f, struct world *world, unsigned depth);

static void spawn_kid(struct node *f)
{
    struct world *w = f->world;
    struct vg_handle *kid = &f->kid[f->pick];
    bool detached = kid->task != NULL || sim_chance(&w->sim, 300);

    if (w->left == 0 || f->depth == 0)
        return;
    int rc = VG_SPAWN(w->exec, detached ? NULL : kid, node, w, f->depth - 1);
    if (rc == 0) {
        w->left--;
        return;
    }
    CHECK_EQ(rc, -ESHUTDOWN);
    if (!detached)
        *kid = (struct vg_handle){NULL};
    w->refused++;
}

static int check_frame(const struct vg_handle *kid)
{
    CHECK(vg_task_done(kid));
    int ret = VG_TASK_RET(kid, struct node);
    CHECK(ret == 0 || ret == -ECANCELED);
    return ret;
}

VG_ASYNC(node)
{
    VG_BEGIN(f);
    int rc;
    f->world->started++;
    while (f->steps-- > 0 && !vg_cancelled(&f->fut)) {
        f->pick = (unsigned)sim_below(&f->world->sim, KIDS);
        switch (sim_below(&f->world->sim, 6)) {
        case 0:
            VG_AWAIT(rc, vg_sleep(&f->nap, sim_below(&f->world->sim, VG_MSEC(30))));
            CHECK(rc == 0 || vg_cancelled(&f->fut));
            break;
        case 1:
            VG_AWAIT(rc, vg_yield(&f->yield));
            CHECK_EQ(rc, 0);
            break;
        case 2:
            if (!f->kid[f->pick].task)
                break;
            VG_AWAIT(rc, vg_task_wait(&f->wait, &f->kid[f->pick]));
            if (rc == 0)
                check_frame(&f->kid[f->pick]);
            else
                CHECK(vg_cancelled(&f->fut));
            vg_task_release(&f->kid[f->pick]);
            break;
        case 3:
            if (f->kid[f->pick].task)
                vg_task_cancel(&f->kid[f->pick]);
            break;
        default:
            spawn_kid(f);
        }
    }
    for (f->pick = 0; f->pick < KIDS; f->pick++) {
        if (!f->kid[f->pick].task)
            continue;
        if (sim_chance(&f->world->sim, 500)) {
            if (vg_cancelled(&f->fut))
                vg_task_cancel(&f->kid[f->pick]);
            VG_AWAIT_SHIELDED(rc, vg_task_wait(&f->wait, &f->kid[f->pick]));
            CHECK_EQ(rc, 0);
            check_frame(&f->kid[f->pick]);
        }
        vg_task_release(&f->kid[f->pick]);
        CHECK(f->kid[f->pick].task == NULL);
    }
    CHECK(!f->ended_before);
    f->ended_before = true;
    f->world->ended++;
    f->world->cancelled += vg_cancelled(&f->fut);
    VG_RETURN(vg_cancelled(&f->fut) ? -ECANCELED : 0);
}

static struct node *node(struct node *f, struct world *world, unsigned depth)
{
    VG_SETUP(f, node);
    f->world = world;
    f->depth = depth;
    f->steps = 1 + (unsigned)sim_below(&world->sim, 12);
    f->ended_before = false;
    for (int i = 0; i < KIDS; i++)
        f->kid[i] = (struct vg_handle){NULL};
    return f;
}

TEST(everything_that_is_spawned_ends_once)
{
    uint64_t cancelled = 0, most = 0, seeds = 0;
    FOR_SEEDS (seed, 300) {
        struct world w;
        world_open(&w, seed, world_workers(seed));
        w.left = 200;
        w.sim.limits.drift_ns = seed % 3 == 0 ? VG_USEC(300) : 0;
        for (int i = 0; i < 5; i++)
            CHECK_EQ(VG_SPAWN(w.exec, NULL, node, &w, 4), 0);
        CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(60)), 0);
        CHECK_EQ(w.started, 5 + 200 - w.left);
        CHECK_EQ(w.ended, w.started);
        most = w.started > most ? w.started : most;
        cancelled += w.cancelled;
        seeds++;
        world_close(&w);
    }
    CHECK(seeds < 20 || (cancelled > 0 && most > 50));
}

TEST(closing_cancels_and_drains_whatever_runs)
{
    uint64_t cancelled = 0, refused = 0, seeds = 0;
    FOR_SEEDS (seed, 300) {
        struct world w;
        world_open(&w, seed, world_workers(seed));
        w.left = 200;
        w.sim.limits.drift_ns = seed % 3 == 0 ? VG_USEC(300) : 0;
        for (int i = 0; i < 5; i++)
            CHECK_EQ(VG_SPAWN(w.exec, NULL, node, &w, 4), 0);
        for (int i = (int)sim_below(&w.sim, 200); i > 0; i--)
            if (!w.sim.driver.ops->step(&w.sim.driver, w.exec))
                break;
        world_close(&w);
        cancelled += w.cancelled;
        refused += w.refused;
        seeds++;
    }
    CHECK(seeds < 20 || (cancelled > 0 && refused > 0));
}

static uint64_t hash_of_a_run(uint64_t seed, unsigned workers)
{
    struct world w;

    world_open(&w, seed, workers);
    w.left = 100;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(VG_SPAWN(w.exec, NULL, node, &w, 4), 0);
    CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(60)), 0);
    uint64_t hash = sim_hash(&w.sim);
    world_close(&w);
    return hash;
}

TEST(the_same_seed_gives_the_same_execution)
{
    uint64_t previous = 0;
    FOR_SEEDS (seed, 100) {
        uint64_t hash = hash_of_a_run(seed, world_workers(seed));
        CHECK_EQ(hash_of_a_run(seed, world_workers(seed)), hash);
        CHECK(hash != previous);
        previous = hash;
    }
}
