/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/scope.h>
#include <vigil/time.h>

#include "world.h"

/* A worker that always has children of scopes to run also runs what is queued behind them, in bounded time. */

enum { WIDTH = 100, TURNS = 200 };

static bool stop;
static uint64_t polls; /* of children */

struct unit {
    VG_FRAME(int);
};

VG_ASYNC(unit)
{
    VG_BEGIN(f);
    polls++;
    VG_RETURN(0);
}

static struct unit *unit(struct unit *f)
{
    VG_SETUP(f, unit);
    return f;
}

/* One scope after the other: its children go first, and so does itself when they have ended. */
struct endless {
    VG_FRAME(int);
    unsigned i;
    struct vg_scope scope;
};

VG_ASYNC(endless)
{
    VG_BEGIN(f);
    int rc;
    while (!stop) {
        vg_scope_open(&f->scope, "wide", VG_SCOPE_ALL);
        for (f->i = 0; f->i < WIDTH; f->i++)
            CHECK_EQ(VG_SCOPE_SPAWN(&f->scope, unit), 0);
        VG_AWAIT(rc, &f->scope);
        CHECK_EQ(rc, 0);
    }
    VG_RETURN(0);
}

static struct endless *endless(struct endless *f)
{
    VG_SETUP(f, endless);
    return f;
}

/* Yields, and measures how many children ran meanwhile. */
struct patient {
    VG_FRAME(int);
    unsigned left;
    uint64_t since, worst;
    struct vg_yield yield;
};

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    int rc;
    for (f->worst = 0; f->left > 0; f->left--) {
        f->since = polls;
        VG_AWAIT(rc, vg_yield(&f->yield));
        CHECK_EQ(rc, 0);
        if (polls - f->since > f->worst)
            f->worst = polls - f->since;
    }
    VG_RETURN(0);
}

static struct patient *patient(struct patient *f)
{
    VG_SETUP(f, patient);
    f->left = TURNS;
    return f;
}

static bool is_done(void *arg)
{
    return vg_task_done((const struct vg_handle *)arg);
}

/* From within an executor that is busy with scopes: spawned before them, or from outside while they run. */
static uint64_t worst_wait(uint64_t seed, bool late)
{
    struct world w;
    struct vg_handle rival;
    uint64_t worst;

    stop = false;
    polls = 0;
    world_open(&w, seed, 1);
    if (!late)
        CHECK_EQ(VG_SPAWN(w.exec, &rival, patient), 0);
    CHECK_EQ(VG_SPAWN(w.exec, NULL, endless), 0);
    for (unsigned i = 0; late && i < 1000; i++)
        CHECK_EQ(vg_exec_step(w.exec, 0), VG_STEP_RAN);
    if (late)
        CHECK_EQ(VG_SPAWN(w.exec, &rival, patient), 0);
    CHECK_EQ(sim_run(&w.sim, w.exec, is_done, &rival, VG_SEC(60)), 0);
    CHECK(polls > TURNS); /* there was work all the time */
    worst = ((const struct patient *)vg_task_frame(&rival))->worst;
    stop = true;
    vg_task_release(&rival);
    CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(60)), 0);
    world_close(&w);
    return worst;
}

TEST(children_of_scopes_do_not_starve_a_task_that_yields)
{
    FOR_SEEDS (seed, 20)
        CHECK(worst_wait(seed, false) <= 64);
}

TEST(children_of_scopes_do_not_starve_a_task_from_outside)
{
    FOR_SEEDS (seed, 20)
        CHECK(worst_wait(seed, true) <= 64);
}

TEST(children_of_scopes_go_before_what_is_queued)
{
    FOR_SEEDS (seed, 20)
        CHECK(worst_wait(seed, false) > 16);
}
