/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/time.h>

#include "gate.h"
#include "world.h"

/* How workers share what there is to do, and what becomes of tasks that never end. */

/* ---- sharing the work ---------------------------------------------------------------------- */

struct busy {
    VG_FRAME(int);
    uint64_t *seen; /* workers that polled it, a bit each */
    unsigned left;
    struct vg_yield yield;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    int rc;
    while (f->left-- > 0) {
        *f->seen |= UINT64_C(1) << vg_driver_here().worker;
        VG_AWAIT(rc, vg_yield(&f->yield));
        CHECK_EQ(rc, 0);
    }
    VG_RETURN(0);
}

static struct busy *busy(struct busy *f, uint64_t *seen, unsigned left)
{
    VG_SETUP(f, busy);
    f->seen = seen;
    f->left = left;
    return f;
}

struct parent {
    VG_FRAME(int);
    struct vg_exec *exec;
    uint64_t *seen;
    unsigned i, worker;
    struct vg_handle kid[40];
    struct vg_task_wait wait;
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    int rc;
    f->worker = vg_driver_here().worker;
    for (f->i = 0; f->i < 40; f->i++)
        CHECK_EQ(VG_SPAWN(f->exec, &f->kid[f->i], busy, f->seen, 20), 0);
    for (f->i = 0; f->i < 40; f->i++) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->kid[f->i]));
        CHECK_EQ(rc, 0);
        vg_task_release(&f->kid[f->i]);
    }
    VG_RETURN(0);
}

static struct parent *parent(struct parent *f, struct vg_exec *exec, uint64_t *seen)
{
    VG_SETUP(f, parent);
    f->exec = exec;
    f->seen = seen;
    return f;
}

TEST(idle_workers_are_woken_and_steal_what_one_worker_spawned)
{
    FOR_SEEDS (seed, 100) {
        struct world w;
        struct parent f;
        uint64_t seen = 0;
        world_open(&w, seed, 4);
        w.sim.faults.spurious = 0;
        struct vg_sleep nap;
        CHECK_EQ(vg_block_on(w.exec, &vg_sleep(&nap, VG_SEC(1))->fut), 0);
        while (w.sim.driver.ops->step(&w.sim.driver, w.exec))
            ;
        uint64_t unparks = w.sim.stats.unparks;
        CHECK_EQ(vg_block_on(w.exec, &parent(&f, w.exec, &seen)->fut), 0);
        CHECK_EQ(seen, 15);
        CHECK(w.sim.stats.unparks > unparks + 1);
        world_close(&w);
    }
}

/* ---- fairness ------------------------------------------------------------------------------ */

struct stopper {
    VG_FRAME(int);
    bool *stop;
};

VG_ASYNC(stopper)
{
    VG_BEGIN(f);
    *f->stop = true;
    VG_RETURN(0);
}

static struct stopper *stopper(struct stopper *f, bool *stop)
{
    VG_SETUP(f, stopper);
    f->stop = stop;
    return f;
}

/* Two of them wake each other for ever; the first also spawns the third that is to end it. */
struct game {
    struct vg_exec *exec;
    struct gate gates[2];
    unsigned rounds, spawned_at;
    bool stop;
};

struct player {
    VG_FRAME(int);
    struct game *game;
    unsigned me;
    struct gate_pass pass;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    int rc;
    while (!f->game->stop && f->game->rounds < 100000) {
        if (++f->game->rounds == f->game->spawned_at)
            CHECK_EQ(VG_SPAWN(f->game->exec, NULL, stopper, &f->game->stop), 0);
        gate_open(&f->game->gates[1 - f->me]);
        VG_AWAIT(rc, gate_pass(&f->pass, &f->game->gates[f->me]));
        CHECK_EQ(rc, 0);
    }
    gate_open(&f->game->gates[1 - f->me]);
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct game *game, unsigned me)
{
    VG_SETUP(f, player);
    f->game = game;
    f->me = me;
    return f;
}

static unsigned play(uint64_t seed, struct game *game)
{
    struct world w;

    world_open(&w, seed, 1);
    game->exec = w.exec;
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(VG_SPAWN(w.exec, NULL, player, game, i), 0);
    for (int i = 0; i < 50; i++)
        w.sim.driver.ops->step(&w.sim.driver, w.exec);
    unsigned before = game->rounds;
    CHECK(before > 0);
    if (game->spawned_at == 0)
        CHECK_EQ(VG_SPAWN(w.exec, NULL, stopper, &game->stop), 0);
    CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(1)), 0);
    CHECK(game->stop);
    world_close(&w);
    return game->rounds - (game->spawned_at ? game->spawned_at : before);
}

TEST(two_tasks_that_wake_each_other_do_not_starve_one_that_is_queued_behind_them)
{
    FOR_SEEDS (seed, 50) {
        struct game game = {.spawned_at = 10 + (unsigned)(seed % 70)};
        CHECK(play(seed, &game) < 16);
    }
}

TEST(nor_do_they_starve_one_that_comes_from_outside)
{
    FOR_SEEDS (seed, 50) {
        struct game game = {.spawned_at = 0};
        CHECK(play(seed, &game) < 200);
    }
}

struct glutton {
    VG_FRAME(int);
    struct gate *gate;
    const bool *stop;
    unsigned rounds;
    struct gate_pass pass;
};

VG_ASYNC(glutton)
{
    VG_BEGIN(f);
    int rc;
    while (!*f->stop && f->rounds < 100000) {
        f->rounds++;
        gate_open(f->gate);
        VG_AWAIT(rc, gate_pass(&f->pass, f->gate));
        CHECK_EQ(rc, 0);
    }
    CHECK(f->rounds < 10000);
    VG_RETURN(0);
}

static struct glutton *glutton(struct glutton *f, struct gate *gate, const bool *stop)
{
    VG_SETUP(f, glutton);
    f->gate = gate;
    f->stop = stop;
    f->rounds = 0;
    return f;
}

TEST(a_future_that_is_always_ready_does_not_hold_its_worker)
{
    FOR_SEEDS (seed, 50) {
        struct world w;
        struct gate gate = {NULL, false};
        bool stop = false;
        world_open(&w, seed, 1);
        CHECK_EQ(VG_SPAWN(w.exec, NULL, glutton, &gate, &stop), 0);
        CHECK_EQ(VG_SPAWN(w.exec, NULL, stopper, &stop), 0);
        CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(1)), 0);
        world_close(&w);
    }
}

/* ---- closing ------------------------------------------------------------------------------- */

struct stubborn {
    VG_FRAME(int);
    struct gate *gate;
    struct gate_pass pass;
};

VG_ASYNC(stubborn)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT_SHIELDED(rc, gate_pass(&f->pass, f->gate));
    VG_RETURN(rc);
}

static struct stubborn *stubborn(struct stubborn *f, struct gate *gate)
{
    VG_SETUP(f, stubborn);
    f->gate = gate;
    return f;
}

static _Noreturn void close_with_stubborn_tasks(unsigned count)
{
    struct world w;
    struct gate gate[4] = {{NULL, false}};
    bool stopped = false;

    world_open(&w, 1, 2);
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(VG_SPAWN(w.exec, NULL, stubborn, &gate[i]), 0);
    CHECK_EQ(VG_SPAWN(w.exec, NULL, stopper, &stopped), 0);
    CHECK_EQ(vg_exec_close(w.exec, VG_SEC(1)), (int)count);
    CHECK(stopped);
    FAIL("as expected");
}

TEST(closing_reports_the_tasks_that_do_not_end)
{
    CHECK_PANICS("stubborn", close_with_stubborn_tasks(1));
    CHECK_PANICS("as expected", close_with_stubborn_tasks(3));
}

TEST(a_program_that_nothing_can_wake_is_a_deadlock)
{
    FOR_SEEDS (seed, 20) {
        struct world w;
        struct gate gate = {NULL, false};
        struct stubborn f;
        world_open(&w, seed, world_workers(seed));
        CHECK_EQ(vg_block_on(w.exec, &stubborn(&f, &gate)->fut), -EDEADLK);
        gate_open(&gate);
        CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(1)), 0);
        CHECK_EQ(f.ret, 0);
        world_close(&w);
    }
}
