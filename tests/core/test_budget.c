/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* What is always ready must not hold the worker. */

struct greedy {
    VG_FRAME(int);
    unsigned rounds, i;
    struct vg_sleep nap;
};

VG_ASYNC(greedy)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < f->rounds; f->i++) {
        VG_AWAIT(rc, vg_sleep(&f->nap, 0));
        if (rc < 0)
            VG_RETURN(rc);
    }
    VG_RETURN((int)f->i);
}

static struct greedy *greedy(struct greedy *f, unsigned rounds)
{
    VG_SETUP(f, greedy);
    f->rounds = rounds;
    return f;
}

TEST(a_thousand_awaits_that_are_always_ready_take_eight_polls)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, greedy, 1000);
    CHECK_EQ(RIG_RET(&rig, 0, struct greedy), 1000);
    /* The first poll answers 128, each later one the await that was put off, and 128 more. */
    CHECK_EQ(rig_polls(&rig, 0), 8);
    rig_close(&rig);
}

TEST(a_budget_that_suffices_costs_no_poll)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, greedy, VG_BUDGET);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    rig_spawn(&rig, greedy, VG_BUDGET + 1);
    CHECK_EQ(rig_polls(&rig, 1), 2);
    rig_close(&rig);
}

/* ---- turns ----------------------------------------------------------------------------------- */

struct turns {
    VG_FRAME(int);
    unsigned *shared;
    unsigned mine, i;
    bool greedy;
    unsigned seen; /* how far the other one came meanwhile */
    union {
        struct vg_yield yield;
        struct vg_sleep nap;
    } u;
};

VG_ASYNC(turns)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < f->mine; f->i++) {
        ++*f->shared;
        if (f->greedy)
            VG_AWAIT(rc, vg_sleep(&f->u.nap, 0));
        else
            VG_AWAIT(rc, vg_yield(&f->u.yield));
        if (rc < 0)
            VG_RETURN(rc);
    }
    VG_RETURN((int)*f->shared);
}

static struct turns *turns(struct turns *f, unsigned *shared, unsigned mine, bool greedy)
{
    VG_SETUP(f, turns);
    f->shared = shared;
    f->mine = mine;
    f->greedy = greedy;
    return f;
}

TEST(tasks_that_yield_take_turns)
{
    struct rig rig;
    unsigned shared = 0;

    rig_open(&rig);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[rig.tasks++], turns, &shared, 100, false), 0);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct turns), 200);
    CHECK_EQ(RIG_RET(&rig, 1, struct turns), 200);
    CHECK_EQ(rig_polls(&rig, 0), 101);
    CHECK_EQ(rig_polls(&rig, 1), 101);
    rig_close(&rig);
}

TEST(a_task_that_never_waits_lets_others_run)
{
    struct rig rig;
    unsigned shared = 0;

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[0], turns, &shared, 100000, true), 0);
    CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[1], turns, &shared, 10, false), 0);
    rig.tasks = 2;
    rig_run(&rig);
    CHECK(RIG_RET(&rig, 1, struct turns) < 2000);
    CHECK_EQ(RIG_RET(&rig, 0, struct turns), 100010);
    rig_close(&rig);
}

TEST(a_yield_ends_in_a_poll_of_its_own)
{
    struct rig rig;
    unsigned shared = 0;

    rig_open(&rig);
    rig_spawn(&rig, turns, &shared, 5, false);
    CHECK_EQ(rig_polls(&rig, 0), 6);
    rig_close(&rig);
}

/* ---- a poll that was cut short has passed nothing over --------------------------------------- */

struct listener {
    struct vg_probe probe;
    unsigned passed;
};

static void hear_passed(struct vg_probe *probe, unsigned worker, const struct vg_passed *passed,
                        uint64_t now)
{
    CHECK_EQ(worker, 0);
    CHECK(passed->waiter != NULL && now > 0);
    ((struct listener *)(void *)probe)->passed++;
}

static void hear_visit(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    (void)probe, (void)worker, (void)visit;
}

/* Parks a wait, is woken together with it, works through its budget, and only then comes back to it. */
struct busy {
    VG_FRAME(int);
    struct event *event; /* three */
    unsigned rounds;
    VG_ARMS(2) arms;
    struct event_wait parked, go;
    struct greedy greedy;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_PARK(event_wait(&f->parked, &f->event[0])),
                           VG_CANCEL(event_wait(&f->go, &f->event[1]))));
    VG_AWAIT(rc, event_wait(&f->go, &f->event[2]));
    VG_AWAIT(rc, greedy(&f->greedy, f->rounds));
    VG_AWAIT(rc, &f->parked);
    VG_RETURN(rc);
}

static struct busy *busy(struct busy *f, struct event *event, unsigned rounds)
{
    VG_SETUP(f, busy);
    f->event = event;
    f->rounds = rounds;
    return f;
}

static unsigned passed_over(unsigned rounds)
{
    struct rig rig;
    struct listener listener = {.probe = {.visited = hear_visit, .passed_over = hear_passed}};
    struct event event[3] = {{.set = false}};

    rig_open_config(&rig, 1, &listener.probe, true);
    rig_spawn(&rig, busy, event, rounds);
    event_set(&event[1]);
    rig_run(&rig);
    event_set(&event[0]); /* is held first, */
    event_set(&event[2]); /* and then the budget is worked through */
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct busy), 0);
    rig_close(&rig);
    return listener.passed;
}

TEST(a_poll_that_is_cut_short_by_its_budget_passes_nothing_over)
{
    CHECK_EQ(passed_over(VG_BUDGET + 10), 0);
}

TEST(a_task_that_is_always_cut_short_passes_over_in_its_second_poll)
{
    CHECK_EQ(passed_over(VG_BUDGET * 5), 1);
}
