/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>

#include "world.h"

/*
 * Selects over the same sleeps again and again, with policies, guards and pauses by chance. A sleep that
 * was kept or parked keeps its deadline, so it is known which arms may win each time, and when.
 */

enum { ARMS = 5, ROUNDS = 30 };

struct chooser {
    VG_FRAME(int);
    struct world *world;
    uint64_t *kinds; /* counts, by what became of arms */
    unsigned round, i;
    uint64_t start;
    bool biased;
    VG_ARMS(ARMS) sel;
    struct vg_arm arms[ARMS];
    struct vg_sleep nap[ARMS], pause;
    uint64_t due[ARMS]; /* of a sleep that has started and was not taken; else 0 */
};

enum { WON, CANCELLED, LEFT_KEPT, LEFT_PARKED, ENDED_BESIDE, WON_AT_ONCE, KINDS };

static uint64_t tick_of(uint64_t time)
{
    return (time + VG_MSEC(1) - 1) / VG_MSEC(1) * VG_MSEC(1);
}

static void choose_arms(struct chooser *f)
{
    struct sim *sim = &f->world->sim;
    unsigned sure = (unsigned)sim_below(sim, ARMS);

    f->start = vg_now();
    f->biased = sim_chance(sim, 300);
    for (unsigned i = 0; i < ARMS; i++) {
        bool enabled = i == sure || sim_chance(sim, 600);
        if (f->due[i] == 0)
            vg_sleep(&f->nap[i], 1 + sim_below(sim, VG_MSEC(20)));
        if (f->due[i] == 0 && enabled)
            f->due[i] = tick_of(f->start + f->nap[i].deadline);
        f->arms[i] = (struct vg_arm){&f->nap[i].fut, (uint8_t)sim_below(sim, 3), enabled, false};
    }
}

static struct vg_select *select_arms(struct chooser *f)
{
    return f->biased ? vg_select_biased(&f->sel.sel, f->sel.arm, f->arms, ARMS)
                     : vg_select(&f->sel.sel, f->sel.arm, f->arms, ARMS);
}

static uint64_t earliest(const struct chooser *f)
{
    uint64_t first = VG_NEVER;

    for (unsigned i = 0; i < ARMS; i++)
        if (f->arms[i].enabled && f->due[i] < first)
            first = f->due[i];
    return first > f->start ? first : f->start;
}

static void check_loser(struct chooser *f, unsigned i)
{
    static const enum vg_state left[] = {[VG_POLICY_KEEP] = VG_KEPT, [VG_POLICY_PARK] = VG_PARKED};
    const struct vg_sleep *nap = &f->nap[i];
    unsigned policy = f->arms[i].policy;

    if (!vg_started(&nap->fut)) {
        /* A winner was found before its turn to start had come. */
        f->due[i] = 0;
    } else if (vg_done(&nap->fut)) {
        bool late = nap->ret == 0;
        CHECK(late ? f->due[i] <= vg_now() : policy == VG_POLICY_CANCEL);
        f->kinds[late ? ENDED_BESIDE : CANCELLED]++;
        f->due[i] = policy == VG_POLICY_CANCEL ? 0 : f->due[i];
    } else {
        CHECK(policy != VG_POLICY_CANCEL);
        CHECK_EQ(nap->fut.state, left[policy]);
        f->kinds[policy == VG_POLICY_KEEP ? LEFT_KEPT : LEFT_PARKED]++;
    }
}

static void check_round(struct chooser *f, int winner)
{
    uint64_t end = earliest(f);

    CHECK(winner >= 0 && winner < ARMS);
    CHECK(f->arms[winner].enabled);
    CHECK_EQ(vg_now(), end);
    CHECK(f->due[winner] <= end);
    CHECK_EQ(f->nap[winner].ret, 0);
    for (int i = 0; i < winner && f->biased && vg_exec_workers(f->world->exec) == 1; i++)
        CHECK(!f->arms[i].enabled || f->due[i] > end);
    f->kinds[end == f->start ? WON_AT_ONCE : WON]++;
    for (unsigned i = 0; i < ARMS; i++)
        if (f->arms[i].enabled && i != (unsigned)winner)
            check_loser(f, i);
    f->due[winner] = 0;
}

/* Kept arms go on while the frame waits for something else. */
static void check_kept(const struct chooser *f)
{
    for (unsigned i = 0; i < ARMS; i++)
        if (f->nap[i].fut.state == VG_KEPT && !vg_cancelled(&f->fut))
            CHECK(f->due[i] >= vg_now());
}

VG_ASYNC(chooser)
{
    VG_BEGIN(f);
    int rc;
    f->world->started++;
    for (f->round = 0; f->round < ROUNDS && !vg_cancelled(&f->fut); f->round++) {
        choose_arms(f);
        VG_AWAIT(rc, select_arms(f));
        if (rc == -ECANCELED)
            break;
        check_round(f, rc);
        if (sim_chance(&f->world->sim, 500)) {
            VG_AWAIT(rc, vg_sleep(&f->pause, sim_below(&f->world->sim, VG_MSEC(15))));
            check_kept(f);
        }
    }
    for (f->i = 0; f->i < ARMS; f->i++) {
        if (f->nap[f->i].fut.state != VG_KEPT && f->nap[f->i].fut.state != VG_PARKED)
            continue;
        VG_AWAIT_CANCEL(rc, &f->nap[f->i]);
        CHECK(rc == -ECANCELED || f->due[f->i] <= vg_now());
    }
    f->world->ended++;
    f->world->cancelled += vg_cancelled(&f->fut);
    VG_RETURN(0);
}

static struct chooser *chooser(struct chooser *f, struct world *world, uint64_t *kinds)
{
    VG_SETUP(f, chooser);
    f->world = world;
    f->kinds = kinds;
    for (unsigned i = 0; i < ARMS; i++) {
        f->due[i] = 0;
        vg_sleep(&f->nap[i], 1);
    }
    return f;
}

/* The same below an opaque future, which is entered from above for every wake. */
struct boxed {
    VG_FRAME(int);
    VG_ARMS(1) box;
    struct chooser inner;
};

VG_ASYNC(boxed)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT_BIASED(f->box, VG_CANCEL(&f->inner)));
    CHECK_EQ(rc, vg_cancelled(&f->fut) ? -ECANCELED : 0);
    VG_RETURN(0);
}

static struct boxed *boxed(struct boxed *f, struct world *world, uint64_t *kinds)
{
    VG_SETUP(f, boxed);
    chooser(&f->inner, world, kinds);
    return f;
}

static void spawn_choosers(struct world *w, uint64_t *kinds)
{
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(VG_SPAWN(w->exec, NULL, chooser, w, kinds), 0);
        CHECK_EQ(VG_SPAWN(w->exec, NULL, boxed, w, kinds), 0);
    }
}

TEST(a_select_is_won_by_the_earliest_arm_whatever_became_of_it_before)
{
    uint64_t kinds[KINDS] = {0}, seeds = 0;
    FOR_SEEDS (seed, 300) {
        struct world w;
        world_open(&w, seed, world_workers(seed));
        spawn_choosers(&w, kinds);
        CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(60)), 0);
        CHECK_EQ(w.cancelled, 0);
        world_close(&w);
        seeds++;
    }
    for (unsigned i = 0; i < KINDS; i++)
        CHECK(seeds < 20 || kinds[i] > 0);
}

TEST(a_cancelled_select_ends_with_all_its_arms)
{
    uint64_t kinds[KINDS] = {0}, cancelled = 0, seeds = 0;
    FOR_SEEDS (seed, 300) {
        struct world w;
        world_open(&w, seed, world_workers(seed));
        spawn_choosers(&w, kinds);
        for (uint64_t i = sim_below(&w.sim, 200); i > 0; i--)
            w.sim.driver.ops->step(&w.sim.driver, w.exec);
        world_close(&w);
        cancelled += w.cancelled;
        seeds++;
    }
    CHECK(seeds < 20 || cancelled > 0);
}
