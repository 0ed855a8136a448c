/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "holder.h"

/* What happens to a grant whose task runs and does not poll the lock. */

/* Locks at `arrive`, parks that lock a millisecond later, comes back to it at `back`: to await it,
 * or to cancel it. */
struct parker {
    VG_FRAME(int);
    struct scene *scene;
    int who, rc;
    uint64_t arrive, back;
    bool gives_up;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_lock lock;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, scene_at(f->scene, f->arrive)));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->lock, &f->scene->mutex)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    CHECK_EQ(f->rc, 1);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, scene_at(f->scene, f->back)));
    if (f->gives_up) {
        VG_AWAIT_CANCEL(f->rc, &f->lock);
        VG_RETURN(f->rc);
    }
    VG_AWAIT(f->rc, &f->lock);
    diary_note(&f->scene->diary, f->who);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
    vg_unlock(&f->scene->mutex);
    VG_RETURN(0);
}

static struct parker *parker(struct parker *f, struct scene *scene, int who, uint64_t arrive,
                             uint64_t back, bool gives_up)
{
    VG_SETUP(f, parker);
    f->scene = scene;
    f->who = who;
    f->arrive = arrive;
    f->back = back;
    f->gives_up = gives_up;
    return f;
}

/* Owner 0 holds the mutex until 10 ms; parkers and holders come before that. */
struct stage {
    struct scene scene;
    struct vg_handle handle[4];
    unsigned count;
};

static void stage_open(struct stage *stage, uint64_t seed, bool healing)
{
    *stage = (struct stage){.count = 0};
    scene_open(&stage->scene, seed, 1 + (unsigned)(seed % 4), healing);
}

#define STAGE_ADD(stage, kind, ...)                                                                \
    CHECK_EQ(VG_SPAWN((stage)->scene.world.exec, &(stage)->handle[(stage)->count++], kind,         \
                      &(stage)->scene, __VA_ARGS__),                                               \
             0)

static bool all_done(void *arg)
{
    const struct stage *stage = arg;

    for (unsigned i = 0; i < stage->count; i++)
        if (!vg_task_done(&stage->handle[i]))
            return false;
    return true;
}

static void stage_run(struct stage *stage)
{
    struct world *world = &stage->scene.world;

    CHECK_EQ(sim_run(&world->sim, world->exec, all_done, stage, VG_SEC(10)), 0);
}

static void stage_close(struct stage *stage)
{
    for (unsigned i = 0; i < stage->count; i++)
        vg_task_release(&stage->handle[i]);
    scene_close(&stage->scene);
}

TEST(a_passed_over_waiter_keeps_its_place)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, true);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 20, false);
        STAGE_ADD(&s, holder, 2, 3, 20);
        STAGE_ADD(&s, holder, 3, 4, 1);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 1, 2, 10);
        CHECK_DIARY(&s.scene.diary, 2, 1, 30);
        CHECK_DIARY(&s.scene.diary, 3, 3, 35);
        stage_close(&s);
    }
}

TEST(a_mutex_whose_waiters_are_all_passed_over_is_free_for_others)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, true);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 40, false);
        STAGE_ADD(&s, parker, 2, 3, 41, false);
        STAGE_ADD(&s, holder, 3, 20, 30);
        world_run_until(&s.scene.world, 15);
        CHECK(vg_trylock(&s.scene.mutex));
        CHECK(!vg_trylock(&s.scene.mutex));
        vg_unlock(&s.scene.mutex);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 1, 3, 20); /* at once */
        CHECK_DIARY(&s.scene.diary, 2, 1, 50);
        CHECK_DIARY(&s.scene.diary, 3, 2, 55);
        stage_close(&s);
    }
}

TEST(a_passed_over_waiter_takes_a_mutex_that_is_free_when_it_is_polled)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, true);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 40, false);
        STAGE_ADD(&s, parker, 2, 2, 30, false);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 1, 2, 30);
        CHECK_DIARY(&s.scene.diary, 2, 1, 40);
        stage_close(&s);
    }
}

TEST(a_passed_over_waiter_can_give_up)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, true);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 20, true);
        STAGE_ADD(&s, parker, 2, 1, 30, false);
        world_run_until(&s.scene.world, 15);
        CHECK_PANICS("2 futures wait", vg_mutex_fini(&s.scene.mutex));
        world_run_until(&s.scene.world, 25);
        CHECK_PANICS("1 futures wait", vg_mutex_fini(&s.scene.mutex));
        stage_run(&s);
        CHECK_EQ(VG_TASK_RET(&s.handle[1], struct parker), -ECANCELED);
        CHECK_EQ(s.scene.diary.count, 2);
        stage_close(&s);
    }
}

TEST(a_waiter_that_gives_up_before_its_turn_lets_the_others_pass)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, false);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 5, true);
        STAGE_ADD(&s, holder, 2, 2, 1);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 1, 2, 10);
        stage_close(&s);
    }
}

TEST(without_healing_a_grant_stays_until_it_is_taken)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, false);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 30, false);
        STAGE_ADD(&s, holder, 2, 3, 1);
        world_run_until(&s.scene.world, 20);
        CHECK(!vg_trylock(&s.scene.mutex));
        CHECK_EQ(s.scene.diary.count, 1);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 1, 1, 30);
        CHECK_DIARY(&s.scene.diary, 2, 2, 35);
        stage_close(&s);
    }
}

TEST(without_healing_giving_up_a_grant_passes_it_on)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, false);
        STAGE_ADD(&s, holder, 0, 0, 10);
        STAGE_ADD(&s, parker, 1, 1, 30, true);
        STAGE_ADD(&s, holder, 2, 3, 1);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 1, 2, 30);
        stage_close(&s);
    }
}

/* ---- one task, two parked locks ------------------------------------------------------------ */

struct hoarder {
    VG_FRAME(int);
    struct scene *scene;
    int rc;
    VG_ARMS(3) sel;
    struct vg_sleep nap;
    struct vg_lock first, second;
};

VG_ASYNC(hoarder)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT_BIASED(f->sel, VG_PARK(vg_lock(&f->first, &f->scene->mutex)),
                                     VG_PARK(vg_lock(&f->second, &f->scene->mutex)),
                                     VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    CHECK_EQ(f->rc, 2);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(50)));
    VG_AWAIT(f->rc, &f->second);
    diary_note(&f->scene->diary, 2);
    vg_unlock(&f->scene->mutex);
    VG_AWAIT(f->rc, &f->first);
    diary_note(&f->scene->diary, 1);
    vg_unlock(&f->scene->mutex);
    VG_RETURN(0);
}

static struct hoarder *hoarder(struct hoarder *f, struct scene *scene)
{
    VG_SETUP(f, hoarder);
    f->scene = scene;
    return f;
}

TEST(two_parked_locks_of_one_task_do_not_pass_a_grant_to_and_fro)
{
    FOR_SEEDS (seed, 50) {
        struct stage s;
        stage_open(&s, seed, true);
        CHECK(vg_trylock(&s.scene.mutex));
        CHECK_EQ(VG_SPAWN(s.scene.world.exec, &s.handle[s.count++], hoarder, &s.scene), 0);
        world_run_until(&s.scene.world, 10);
        vg_unlock(&s.scene.mutex);
        world_run_until(&s.scene.world, 20);
        CHECK(vg_trylock(&s.scene.mutex));
        vg_unlock(&s.scene.mutex);
        stage_run(&s);
        CHECK_DIARY(&s.scene.diary, 0, 2, 51);
        CHECK_DIARY(&s.scene.diary, 1, 1, 51);
        stage_close(&s);
    }
}

/* ---- owners -------------------------------------------------------------------------------- */

/* Parks a whole operation that already owns the mutex. */
struct sitter {
    VG_FRAME(int);
    struct scene *scene;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct holder op;
};

VG_ASYNC(sitter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(holder(&f->op, f->scene, 1, 0, 10)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    CHECK_EQ(f->rc, 1);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(49)));
    VG_AWAIT(f->rc, &f->op);
    VG_RETURN(f->rc);
}

static struct sitter *sitter(struct sitter *f, struct scene *scene)
{
    VG_SETUP(f, sitter);
    f->scene = scene;
    return f;
}

TEST(a_parked_owner_is_not_robbed)
{
    FOR_SEEDS (seed, 100) {
        struct stage s;
        stage_open(&s, seed, true);
        CHECK_EQ(VG_SPAWN(s.scene.world.exec, &s.handle[s.count++], sitter, &s.scene), 0);
        STAGE_ADD(&s, holder, 2, 20, 0);
        world_run_until(&s.scene.world, 30);
        CHECK(!vg_trylock(&s.scene.mutex));
        stage_run(&s);
        CHECK_EQ(world_ms(&s.scene.world), 50);
        CHECK_DIARY(&s.scene.diary, 0, 1, 0);
        CHECK_DIARY(&s.scene.diary, 1, 2, 50);
        stage_close(&s);
    }
}
