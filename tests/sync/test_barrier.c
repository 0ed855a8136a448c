/* SPDX-License-Identifier: MIT */
#include <vigil/barrier.h>

#include "task.h"
#include "world.h"

enum { PARTIES_MAX = 10 };

struct gathering {
    struct world world;
    struct vg_barrier barrier;
    struct diary diary;
    unsigned leaders, count;
    struct vg_handle handle[PARTIES_MAX];
};

static void gathering_open(struct gathering *g, uint64_t seed, uint32_t parties)
{
    world_open(&g->world, seed, 1 + (unsigned)(seed % 4), true);
    vg_barrier_init(&g->barrier, "gathering", parties);
    g->diary = (struct diary){.world = &g->world};
    g->leaders = g->count = 0;
}

static bool gathering_over(void *arg)
{
    const struct gathering *g = arg;

    CHECK(g->barrier.permits.waiters.length < g->barrier.parties);
    for (unsigned i = 0; i < g->count; i++)
        if (!vg_task_done(&g->handle[i]))
            return false;
    return true;
}

static int gathering_run(struct gathering *g)
{
    return sim_run(&g->world.sim, g->world.exec, gathering_over, g, VG_SEC(10));
}

static void gathering_close(struct gathering *g)
{
    for (unsigned i = 0; i < g->count; i++)
        vg_task_release(&g->handle[i]);
    world_close(&g->world);
    vg_barrier_fini(&g->barrier);
}

/* Comes at `arrive` ms, meets the others `rounds` times, each time `pause` ms after the last. */
struct party {
    VG_FRAME(int);
    struct gathering *g;
    int who, rc;
    unsigned rounds;
    uint64_t arrive, pause;
    struct vg_sleep nap;
    struct vg_barrier_wait wait;
};

VG_ASYNC(party)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->g->world.start + VG_MSEC(f->arrive)));
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->ret, vg_barrier_wait(&f->wait, &f->g->barrier));
        if (f->ret < 0)
            VG_RETURN(f->ret);
        f->g->leaders += f->ret == VG_BARRIER_LEADER;
        diary_note(&f->g->diary, f->who);
        if (f->pause > 0)
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->pause)));
    }
    VG_RETURN(f->ret);
}

static struct party *party(struct party *f, struct gathering *g, int who, uint64_t arrive,
                           uint64_t pause, unsigned rounds)
{
    VG_SETUP(f, party);
    f->g = g;
    f->who = who;
    f->arrive = arrive;
    f->pause = pause;
    f->rounds = rounds;
    return f;
}

#define PARTY(g, kind, ...)                                                                        \
    CHECK_EQ(VG_SPAWN((g)->world.exec, &(g)->handle[(g)->count++], kind, (g), __VA_ARGS__), 0)

TEST(all_go_on_when_the_last_arrives_and_the_last_is_the_leader)
{
    FOR_SEEDS (seed, 100) {
        struct gathering g;
        gathering_open(&g, seed, 3);
        PARTY(&g, party, 0, 1, 0, 1);
        PARTY(&g, party, 1, 20, 0, 1);
        PARTY(&g, party, 2, 10, 0, 1);
        CHECK_EQ(gathering_run(&g), 0);
        CHECK_EQ(g.diary.count, 3);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(g.diary.entry[i].ms, 20);
        CHECK_EQ(VG_TASK_RET(&g.handle[0], struct party), 0);
        CHECK_EQ(VG_TASK_RET(&g.handle[1], struct party), VG_BARRIER_LEADER);
        CHECK_EQ(VG_TASK_RET(&g.handle[2], struct party), 0);
        gathering_close(&g);
    }
}

/* The fast one is at the next round before the slow ones have run. */
TEST(rounds_do_not_mix)
{
    FOR_SEEDS (seed, 100) {
        struct gathering g;
        gathering_open(&g, seed, 4);
        for (int i = 0; i < 4; i++)
            PARTY(&g, party, i, (uint64_t)i, 0, 20);
        CHECK_EQ(gathering_run(&g), 0);
        CHECK_EQ(g.leaders, 20);
        CHECK_EQ(g.diary.count, 80);
        for (unsigned i = 0, seen = 0; i < 80; i++) { /* nobody is two rounds ahead */
            seen += g.diary.entry[i].who == 0;
            CHECK(seen >= i / 4 && seen <= i / 4 + 1 + (i % 4 != 0));
        }
        gathering_close(&g);
    }
}

/* Counts its turns until a party has ended that never waits. */
struct polite {
    VG_FRAME(int);
    struct gathering *g;
    int turns;
    struct vg_yield yield;
};

VG_ASYNC(polite)
{
    VG_BEGIN(f);
    while (!vg_task_done(&f->g->handle[0])) {
        VG_AWAIT(f->ret, vg_yield(&f->yield));
        f->turns++;
    }
    VG_RETURN(f->turns);
}

static struct polite *polite(struct polite *f, struct gathering *g, int unused)
{
    (void)unused;
    VG_SETUP(f, polite);
    f->g = g;
    f->turns = 0;
    return f;
}

enum { LOOPS = 1000 };

/* Its party writes no diary. */
struct soloist {
    VG_FRAME(int);
    struct gathering *g;
    int i;
    struct vg_barrier_wait wait;
};

VG_ASYNC(soloist)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < LOOPS; f->i++) {
        VG_AWAIT(f->ret, vg_barrier_wait(&f->wait, &f->g->barrier));
        CHECK_EQ(f->ret, VG_BARRIER_LEADER);
    }
    VG_RETURN(0);
}

static struct soloist *soloist(struct soloist *f, struct gathering *g, int unused)
{
    (void)unused;
    VG_SETUP(f, soloist);
    f->g = g;
    return f;
}

TEST(a_barrier_of_one_lets_everybody_pass_and_does_not_keep_the_worker)
{
    struct gathering g;

    gathering_open(&g, 4, 1); /* one worker */
    PARTY(&g, soloist, 0);
    PARTY(&g, polite, 0);
    CHECK_EQ(gathering_run(&g), 0);
    CHECK(VG_TASK_RET(&g.handle[1], struct polite) >= LOOPS / VG_BUDGET);
    gathering_close(&g);
}

TEST(a_party_that_is_cancelled_has_not_arrived)
{
    FOR_SEEDS (seed, 100) {
        struct gathering g;
        gathering_open(&g, seed, 3);
        PARTY(&g, party, 0, 0, 0, 1);
        PARTY(&g, party, 1, 0, 0, 1);
        CHECK_EQ(gathering_run(&g), -EDEADLK);
        vg_task_cancel(&g.handle[0]);
        PARTY(&g, party, 2, 5, 0, 1);
        CHECK_EQ(gathering_run(&g), -EDEADLK);
        CHECK_EQ(g.diary.count, 0);
        CHECK_EQ(VG_TASK_RET(&g.handle[0], struct party), -ECANCELED);
        PARTY(&g, party, 3, 0, 0, 1);
        CHECK_EQ(gathering_run(&g), 0);
        CHECK_EQ(g.diary.count, 3);
        CHECK_EQ(g.leaders, 1);
        gathering_close(&g);
    }
}

/* The last arrives, and cancels another one that has not run since. */
struct spoilsport {
    VG_FRAME(int);
    struct gathering *g;
    struct vg_barrier_wait wait;
};

VG_ASYNC(spoilsport)
{
    VG_BEGIN(f);
    vg_task_cancel(&f->g->handle[0]);
    VG_AWAIT(f->ret, vg_barrier_wait(&f->wait, &f->g->barrier));
    CHECK_EQ(f->ret, VG_BARRIER_LEADER);
    CHECK_PANICS("1 futures wait at barrier gathering", vg_barrier_fini(&f->g->barrier));
    VG_RETURN(0);
}

static struct spoilsport *spoilsport(struct spoilsport *f, struct gathering *g, int unused)
{
    (void)unused;
    VG_SETUP(f, spoilsport);
    f->g = g;
    return f;
}

TEST(a_cancel_after_the_end_of_the_round_comes_too_late)
{
    struct gathering g;

    gathering_open(&g, 4, 2); /* one worker */
    PARTY(&g, party, 0, 0, 0, 1);
    CHECK_EQ(gathering_run(&g), -EDEADLK);
    PARTY(&g, spoilsport, 0);
    CHECK_EQ(gathering_run(&g), 0);
    CHECK_EQ(VG_TASK_RET(&g.handle[0], struct party), 0);
    gathering_close(&g);
}

struct parker {
    VG_FRAME(int);
    struct gathering *g;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_barrier_wait wait;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_barrier_wait(&f->wait, &f->g->barrier)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(49)));
    VG_AWAIT(f->ret, &f->wait);
    diary_note(&f->g->diary, 9);
    VG_RETURN(f->ret);
}

static struct parker *parker(struct parker *f, struct gathering *g, int unused)
{
    (void)unused;
    VG_SETUP(f, parker);
    f->g = g;
    return f;
}

TEST(a_parked_party_has_arrived)
{
    FOR_SEEDS (seed, 100) {
        struct gathering g;
        gathering_open(&g, seed, 2);
        PARTY(&g, parker, 0);
        PARTY(&g, party, 1, 10, 0, 1);
        CHECK_EQ(gathering_run(&g), 0);
        CHECK_DIARY(&g.diary, 0, 1, 10);
        CHECK_DIARY(&g.diary, 1, 9, 50);
        gathering_close(&g);
    }
}

TEST(misuse_panics_by_name)
{
    struct gathering g;

    CHECK_PANICS("barrier none has no parties", vg_barrier_init(&g.barrier, "none", 0));
    gathering_open(&g, 1, 2);
    CHECK_STR(g.barrier.permits.resource.ops->kind, "barrier");
    PARTY(&g, party, 0, 0, 0, 1);
    CHECK_EQ(gathering_run(&g), -EDEADLK);
    CHECK_EQ(g.barrier.permits.resource.ops->waiters(&g.barrier.permits.resource), 1);
    CHECK_PANICS("1 futures wait at barrier gathering", vg_barrier_fini(&g.barrier));
    PARTY(&g, party, 1, 0, 0, 1);
    CHECK_EQ(gathering_run(&g), 0);
    gathering_close(&g);
}

/* ---- at random ----------------------------------------------------------------------------- */

enum { CROWD = 8, QUORUM = 3, VISITS = 15 };

/* Comes and gives up at random, and counts the rounds it was part of. */
struct restless {
    VG_FRAME(int);
    struct gathering *g;
    int step, arm, rc;
    unsigned *passed;
    VG_ARMS(2) sel;
    struct vg_barrier_wait wait;
    struct vg_sleep nap;
};

static struct vg_arm wait_arm(struct restless *f)
{
    vg_barrier_wait(&f->wait, &f->g->barrier);
    return (struct vg_arm){&f->wait.fut, (uint8_t)sim_below(&f->g->world.sim, 3), true, false};
}

static struct vg_sleep *doze(struct restless *f)
{
    return vg_sleep(&f->nap, VG_MSEC(sim_below(&f->g->world.sim, 6)));
}

VG_ASYNC(restless)
{
    VG_BEGIN(f);
    for (f->step = 0; f->step < VISITS; f->step++) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, wait_arm(f), VG_CANCEL(doze(f))));
        VG_AWAIT(f->rc, doze(f));
        VG_AWAIT_CANCEL(f->rc, &f->wait);
        if (f->rc < 0)
            continue;
        f->g->leaders += f->rc == VG_BARRIER_LEADER;
        ++*f->passed;
    }
    VG_RETURN(0);
}

static struct restless *restless(struct restless *f, struct gathering *g, unsigned *passed)
{
    VG_SETUP(f, restless);
    f->g = g;
    f->passed = passed;
    return f;
}

TEST(each_round_is_passed_by_its_number_of_parties_whoever_gives_up)
{
    FOR_SEEDS (seed, 300) {
        struct gathering g;
        unsigned passed = 0;
        gathering_open(&g, seed, QUORUM);
        for (int i = 0; i < CROWD; i++)
            PARTY(&g, restless, &passed);
        CHECK_EQ(gathering_run(&g), 0);
        CHECK_EQ(passed, QUORUM * g.leaders);
        CHECK(g.leaders > 0);
        gathering_close(&g);
    }
}
