/* SPDX-License-Identifier: MIT */
#include <vigil/once.h>

#include "task.h"
#include "world.h"

enum { USERS_MAX = 8 };

struct house {
    struct world world;
    struct vg_once_cell cell;
    struct diary diary;
    int running, starts; /* initialisers */
    bool built;
    unsigned count;
    struct vg_handle handle[USERS_MAX];
};

static void house_open(struct house *house, uint64_t seed, bool healing)
{
    world_open(&house->world, seed, 1 + (unsigned)(seed % 4), healing);
    vg_once_init(&house->cell, "house");
    house->diary = (struct diary){.world = &house->world};
    house->running = house->starts = 0;
    house->built = false;
    house->count = 0;
}

static bool house_done(void *arg)
{
    const struct house *house = arg;

    CHECK(house->running <= 1);
    for (unsigned i = 0; i < house->count; i++)
        if (!vg_task_done(&house->handle[i]))
            return false;
    return true;
}

static int house_run(struct house *house)
{
    return sim_run(&house->world.sim, house->world.exec, house_done, house, VG_SEC(10));
}

static void house_close(struct house *house)
{
    for (unsigned i = 0; i < house->count; i++)
        vg_task_release(&house->handle[i]);
    world_close(&house->world);
    vg_once_fini(&house->cell);
}

#define HOUSE_ADD(house, kind, ...)                                                                \
    CHECK_EQ(VG_SPAWN((house)->world.exec, &(house)->handle[(house)->count++], kind, (house),      \
                      __VA_ARGS__),                                                                \
             0)

/* Takes 10 ms, and ends as it is told. A stubborn one ends well although it was cancelled. */
struct build {
    VG_FRAME(int);
    struct house *house;
    int result, rc;
    bool stubborn;
    struct vg_sleep nap;
};

VG_ASYNC(build)
{
    VG_BEGIN(f);
    CHECK_EQ(f->house->running++, 0);
    CHECK(!f->house->built);
    f->house->starts++;
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    if (f->stubborn)
        f->rc = 0;
    if (f->rc == 0)
        f->rc = f->result;
    f->house->running--;
    f->house->built = f->rc >= 0;
    VG_RETURN(f->rc);
}

static struct build *build(struct build *f, struct house *house, int result, bool stubborn)
{
    VG_SETUP(f, build);
    f->house = house;
    f->result = result;
    f->stubborn = stubborn;
    return f;
}

/* Needs the house at `arrive` ms. */
struct user {
    VG_FRAME(int);
    struct house *house;
    int who, result, rc;
    bool stubborn;
    uint64_t arrive;
    struct vg_sleep nap;
    struct build build;
    struct vg_once once;
};

VG_ASYNC(user)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->house->world.start + VG_MSEC(f->arrive)));
    VG_AWAIT(f->ret, vg_once(&f->once, &f->house->cell,
                             build(&f->build, f->house, f->result, f->stubborn)));
    CHECK(f->ret < 0 || (f->house->built && vg_once_done(&f->house->cell)));
    diary_note(&f->house->diary, f->who);
    VG_RETURN(f->ret);
}

static struct user *user(struct user *f, struct house *house, int who, uint64_t arrive, int result,
                         bool stubborn)
{
    VG_SETUP(f, user);
    f->house = house;
    f->who = who;
    f->arrive = arrive;
    f->result = result;
    f->stubborn = stubborn;
    return f;
}

TEST(the_first_initialises_and_all_go_on_when_it_has)
{
    FOR_SEEDS (seed, 100) {
        struct house h;
        house_open(&h, seed, true);
        CHECK(!vg_once_done(&h.cell));
        for (int i = 0; i < 4; i++)
            HOUSE_ADD(&h, user, i, (uint64_t)i + 1, i * 7, false);
        HOUSE_ADD(&h, user, 4, 30, 0, false);
        CHECK_EQ(house_run(&h), 0);
        CHECK_EQ(h.starts, 1);
        CHECK_EQ(h.diary.count, 5);
        for (unsigned i = 0; i < 4; i++)
            CHECK_EQ(h.diary.entry[i].ms, 11);
        CHECK_DIARY(&h.diary, 4, 4, 30); /* at once */
        for (unsigned i = 0; i < 5; i++)
            CHECK_EQ(VG_TASK_RET(&h.handle[i], struct user), 0);
        house_close(&h);
    }
}

TEST(after_a_failure_the_next_tries)
{
    FOR_SEEDS (seed, 100) {
        struct house h;
        house_open(&h, seed, true);
        HOUSE_ADD(&h, user, 0, 1, -EIO, false);
        HOUSE_ADD(&h, user, 1, 2, -ENOSPC, false);
        HOUSE_ADD(&h, user, 2, 3, 5, false);
        HOUSE_ADD(&h, user, 3, 4, -EIO, false);
        CHECK_EQ(house_run(&h), 0);
        CHECK_EQ(h.starts, 3);
        CHECK_DIARY(&h.diary, 0, 0, 11);
        CHECK_DIARY(&h.diary, 1, 1, 21);
        CHECK_EQ(h.diary.entry[2].ms, 31);
        CHECK_EQ(h.diary.entry[3].ms, 31);
        CHECK_EQ(VG_TASK_RET(&h.handle[0], struct user), -EIO);
        CHECK_EQ(VG_TASK_RET(&h.handle[1], struct user), -ENOSPC);
        CHECK_EQ(VG_TASK_RET(&h.handle[2], struct user), 0);
        CHECK_EQ(VG_TASK_RET(&h.handle[3], struct user), 0);
        house_close(&h);
    }
}

TEST(when_the_one_who_initialises_is_cancelled_the_next_takes_over)
{
    FOR_SEEDS (seed, 100) {
        struct house h;
        house_open(&h, seed, true);
        for (int i = 0; i < 3; i++)
            HOUSE_ADD(&h, user, i, (uint64_t)i + 1, 0, false);
        world_run_until(&h.world, 5);
        vg_task_cancel(&h.handle[0]);
        CHECK_EQ(house_run(&h), 0);
        CHECK_EQ(h.starts, 2);
        CHECK_EQ(VG_TASK_RET(&h.handle[0], struct user), -ECANCELED);
        CHECK_DIARY(&h.diary, 0, 0, 5);
        CHECK_EQ(h.diary.entry[1].ms, 15);
        CHECK_EQ(h.diary.entry[2].ms, 15);
        house_close(&h);
    }
}

TEST(a_cancelled_initialiser_that_ends_well_counts)
{
    FOR_SEEDS (seed, 100) {
        struct house h;
        house_open(&h, seed, true);
        HOUSE_ADD(&h, user, 0, 1, 0, true);
        HOUSE_ADD(&h, user, 1, 2, 0, false);
        world_run_until(&h.world, 5);
        vg_task_cancel(&h.handle[0]);
        CHECK_EQ(house_run(&h), 0);
        CHECK_EQ(h.starts, 1);
        CHECK_EQ(VG_TASK_RET(&h.handle[0], struct user), 0);
        CHECK_EQ(h.diary.entry[1].ms, 5);
        house_close(&h);
    }
}

TEST(one_who_only_waits_can_give_up)
{
    FOR_SEEDS (seed, 100) {
        struct house h;
        house_open(&h, seed, true);
        for (int i = 0; i < 3; i++)
            HOUSE_ADD(&h, user, i, (uint64_t)i + 1, i == 0 ? -EIO : 0, false);
        world_run_until(&h.world, 5);
        vg_task_cancel(&h.handle[1]);
        CHECK_EQ(house_run(&h), 0);
        CHECK_EQ(h.starts, 2);
        CHECK_DIARY(&h.diary, 0, 1, 5);
        CHECK_DIARY(&h.diary, 2, 2, 21);
        CHECK_EQ(VG_TASK_RET(&h.handle[1], struct user), -ECANCELED);
        house_close(&h);
    }
}

/* The turn comes while the wait is parked. */
struct parker {
    VG_FRAME(int);
    struct house *house;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct build build;
    struct vg_once once;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->house->world.start + VG_MSEC(2)));
    build(&f->build, f->house, 0, false);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_once(&f->once, &f->house->cell, &f->build)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->house->world.start + VG_MSEC(50)));
    VG_AWAIT(f->ret, &f->once);
    VG_RETURN(f->ret);
}

static struct parker *parker(struct parker *f, struct house *house, int unused)
{
    (void)unused;
    VG_SETUP(f, parker);
    f->house = house;
    return f;
}

TEST(a_turn_that_is_passed_over_goes_to_the_next)
{
    FOR_SEEDS (seed, 100) {
        struct house h;
        house_open(&h, seed, true);
        HOUSE_ADD(&h, user, 0, 1, -EIO, false);
        HOUSE_ADD(&h, parker, 0);
        HOUSE_ADD(&h, user, 2, 4, 0, false);
        CHECK_EQ(house_run(&h), 0);
        CHECK_EQ(h.starts, 2);
        CHECK_DIARY(&h.diary, 1, 2, 21);
        CHECK_EQ(VG_TASK_RET(&h.handle[1], struct parker), 0);
        CHECK_EQ(world_ms(&h.world), 50);
        house_close(&h);
    }
}

TEST(destroying_a_cell_in_use_panics_by_name)
{
    static struct vg_once_cell named = VG_ONCE_INIT_NAMED("static");
    struct house h;

    CHECK_STR(named.permits.resource.name, "static");
    vg_once_fini(&named);
    house_open(&h, 1, true);
    HOUSE_ADD(&h, user, 0, 1, 0, false);
    HOUSE_ADD(&h, user, 1, 2, 0, false);
    world_run_until(&h.world, 5);
    CHECK_PANICS("once-cell house is being initialised", vg_once_fini(&h.cell));
    CHECK_EQ(house_run(&h), 0);
    house_close(&h);
}

/* ---- at random ----------------------------------------------------------------------------- */

static bool cancel_now_and_then(void *arg)
{
    struct house *house = arg;

    if (sim_chance(&house->world.sim, 30))
        vg_task_cancel(&house->handle[sim_below(&house->world.sim, house->count)]);
    return house_done(arg);
}

TEST(one_at_a_time_until_one_has_ended_well_whoever_is_cancelled)
{
    unsigned seeds = 0, built = 0, again = 0;

    FOR_SEEDS (seed, 500) {
        struct house h;
        house_open(&h, seed, true);
        for (int i = 0; i < USERS_MAX; i++)
            HOUSE_ADD(&h, user, i, sim_below(&h.world.sim, 30),
                      sim_chance(&h.world.sim, 400) ? -EIO : 0, sim_chance(&h.world.sim, 200));
        CHECK_EQ(sim_run(&h.world.sim, h.world.exec, cancel_now_and_then, &h, VG_SEC(100)), 0);
        CHECK_EQ(h.running, 0);
        CHECK_EQ(h.built, vg_once_done(&h.cell));
        for (unsigned i = 0; i < USERS_MAX; i++)
            CHECK(h.built || VG_TASK_RET(&h.handle[i], struct user) < 0);
        seeds++;
        built += h.built;
        again += h.starts > 1;
        house_close(&h);
    }
    CHECK(seeds < 500 || (built > 0 && again > 0));
}
