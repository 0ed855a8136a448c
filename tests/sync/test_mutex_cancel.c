/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "holder.h"
#include "task.h"

/* ---- one cancel at a time ------------------------------------------------------------------ */

struct two {
    VG_FRAME(int);
    struct scene *scene;
    int rc;
    bool late; /* cancel only when the mutex is granted */
    struct vg_handle first, second;
    struct vg_task_wait wait;
    struct vg_sleep nap;
    struct vg_lock lock;
};

/* Owns the mutex while two others come to wait for it; cancels the first of them. */
VG_ASYNC(two)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->first, holder, f->scene, 1, 1, 1), 0);
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->second, holder, f->scene, 2, 2, 1), 0);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
    vg_task_cancel(&f->first);
    if (!f->late)
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
    vg_unlock(&f->scene->mutex);
    VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->first));
    CHECK_EQ(VG_TASK_RET(&f->first, struct holder), -ECANCELED);
    VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->second));
    vg_task_release(&f->first);
    vg_task_release(&f->second);
    VG_RETURN(0);
}

static struct two *two(struct two *f, struct scene *scene, bool late)
{
    VG_SETUP(f, two);
    f->scene = scene;
    f->late = late;
    return f;
}

TEST(a_cancelled_lock_leaves_the_queue)
{
    FOR_SEEDS (seed, 100) {
        struct scene scene;
        struct two root;
        scene_open(&scene, seed, 1 + (unsigned)(seed % 4), true);
        world_run(&scene.world, &two(&root, &scene, false)->fut);
        CHECK_EQ(scene.diary.count, 1);
        CHECK_DIARY(&scene.diary, 0, 2, 10);
        scene_close(&scene);
    }
}

/* The cancel is pushed before the grant, so the task sees it first. */
TEST(a_lock_that_is_cancelled_when_granted_passes_the_mutex_on)
{
    FOR_SEEDS (seed, 200) {
        struct scene scene;
        struct two root;
        scene_open(&scene, seed, 1 + (unsigned)(seed % 4), true);
        world_run(&scene.world, &two(&root, &scene, true)->fut);
        CHECK_EQ(scene.diary.count, 1);
        CHECK_DIARY(&scene.diary, 0, 2, 5);
        scene_close(&scene);
    }
}

/* ---- cancelled early ----------------------------------------------------------------------- */

/* Ready at its first poll, without asking for budget. */
struct instant {
    struct vg_future fut;
    int ret;
};

static vg_poll instant_poll(struct vg_future *fut, struct vg_cx *cx)
{
    (void)fut, (void)cx;
    return VG_READY;
}

static const struct vg_ops instant_ops = {
    .poll = instant_poll,
    .name = "instant",
    .size = sizeof(struct instant),
    .kind = VG_KIND_LEAF,
};

static struct instant *instant(struct instant *f)
{
    vg_future_init(&f->fut, &instant_ops);
    f->ret = 0;
    return f;
}

struct early {
    VG_FRAME(int);
    struct scene *scene;
    int i, rc, lost;
    bool parks;
    struct instant instant;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_sleep nap;
};

/* Uses up the budget of a poll, so that the next lock yields before it has looked at the mutex. */
VG_ASYNC(early)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < VG_BUDGET; f->i++) {
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
        vg_unlock(&f->scene->mutex);
    }
    if (f->parks)
        VG_AWAIT(f->lost, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->lock, &f->scene->mutex)),
                                    VG_CANCEL(instant(&f->instant))));
    else
        VG_AWAIT(f->lost, VG_SELECT(f->sel, VG_CANCEL(vg_lock(&f->lock, &f->scene->mutex)),
                                    VG_CANCEL(instant(&f->instant))));
    CHECK_EQ(f->lost, 1);
    CHECK(vg_trylock(&f->scene->mutex));
    vg_unlock(&f->scene->mutex);
    if (f->parks) {
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5))); /* its wake is passed over meanwhile */
        VG_AWAIT(f->rc, &f->lock);
        vg_unlock(&f->scene->mutex);
    }
    VG_RETURN(f->lock.ret);
}

static struct early *early(struct early *f, struct scene *scene, bool parks)
{
    VG_SETUP(f, early);
    f->scene = scene;
    f->parks = parks;
    return f;
}

TEST(a_lock_that_yielded_can_be_cancelled)
{
    unsigned seeds = 0, cancelled = 0;

    FOR_SEEDS (seed, 40) {
        struct scene scene;
        struct early root;
        scene_open(&scene, seed, 1, true);
        world_run(&scene.world, &early(&root, &scene, false)->fut);
        /* The select may have begun with the other arm, and ended at once. */
        CHECK_EQ(root.ret, vg_started(&root.lock.fut) ? -ECANCELED : 0);
        seeds++;
        cancelled += root.ret == -ECANCELED;
        scene_close(&scene);
    }
    CHECK(seeds < 40 || cancelled > 0);
}

TEST(a_lock_that_yielded_can_be_parked)
{
    FOR_SEEDS (seed, 40) {
        struct scene scene;
        struct early root;
        scene_open(&scene, seed, 1, true);
        world_run(&scene.world, &early(&root, &scene, true)->fut);
        CHECK_EQ(root.ret, 0);
        scene_close(&scene);
    }
}

struct aborted {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_lock lock;
};

VG_ASYNC(aborted)
{
    VG_BEGIN(f);
    VG_AWAIT_CANCEL(f->ret, vg_lock(&f->lock, &f->scene->mutex));
    VG_RETURN(f->ret);
}

static struct aborted *aborted(struct aborted *f, struct scene *scene)
{
    VG_SETUP(f, aborted);
    f->scene = scene;
    return f;
}

TEST(a_lock_cancelled_before_its_first_poll_does_not_take_a_free_mutex)
{
    struct scene scene;
    struct aborted root;

    scene_open(&scene, 1, 1, true);
    world_run(&scene.world, &aborted(&root, &scene)->fut);
    CHECK_EQ(root.ret, -ECANCELED);
    scene_close(&scene);
}

/* ---- conservation -------------------------------------------------------------------------- */

enum { MUTEXES = 3, TASKS = 10, STEPS = 12 };

struct commons {
    struct world world;
    struct vg_mutex mutex[MUTEXES];
    int owner[MUTEXES]; /* 0: none */
    unsigned taken, cancelled;
};

static void own(struct commons *commons, unsigned m, int who)
{
    CHECK_EQ(commons->owner[m], 0);
    commons->owner[m] = who;
    commons->taken++;
}

static void disown(struct commons *commons, unsigned m, int who)
{
    CHECK_EQ(commons->owner[m], who);
    commons->owner[m] = 0;
    vg_unlock(&commons->mutex[m]);
}

/* Does something random with one mutex, again and again. */
struct villager {
    VG_FRAME(int);
    struct commons *commons;
    int who, step, rc, arm;
    unsigned m;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_sleep nap;
};

static uint64_t below(struct villager *f, uint64_t n)
{
    return sim_below(&f->commons->world.sim, n);
}

static struct vg_sleep *doze(struct villager *f)
{
    return vg_sleep(&f->nap, VG_MSEC(below(f, 6)));
}

static struct vg_arm lock_arm(struct villager *f)
{
    vg_lock(&f->lock, &f->commons->mutex[f->m]);
    switch (below(f, 3)) {
    case 0:
        return VG_CANCEL(&f->lock);
    case 1:
        return VG_KEEP(&f->lock);
    default:
        return VG_PARK(&f->lock);
    }
}

VG_ASYNC(villager)
{
    VG_BEGIN(f);
    for (f->step = 0; f->step < STEPS; f->step++) {
        f->m = (unsigned)below(f, MUTEXES);
        VG_AWAIT(f->arm, VG_SELECT(f->sel, lock_arm(f), VG_CANCEL(doze(f))));
        if (f->lock.fut.state == VG_KEPT || f->lock.fut.state == VG_PARKED)
            VG_AWAIT(f->rc, doze(f));
        if (below(f, 2))
            VG_AWAIT_CANCEL(f->rc, &f->lock);
        else if (vg_started(&f->lock.fut))
            VG_AWAIT(f->rc, &f->lock);
        else
            f->rc = -ECANCELED;
        if (f->rc < 0) {
            f->commons->cancelled++;
            continue;
        }
        own(f->commons, f->m, f->who);
        VG_AWAIT(f->rc, doze(f));
        disown(f->commons, f->m, f->who);
    }
    VG_RETURN(0);
}

static struct villager *villager(struct villager *f, struct commons *commons, int who)
{
    VG_SETUP(f, villager);
    f->commons = commons;
    f->who = who;
    return f;
}

struct village {
    VG_FRAME(int);
    struct commons *commons;
    unsigned i;
    int rc;
    struct vg_handle handle[TASKS];
    struct vg_task_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(village)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < TASKS; f->i++)
        CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle[f->i], villager, f->commons, (int)f->i + 1),
                 0);
    for (f->i = 0; f->i < TASKS; f->i++) {
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(sim_below(&f->commons->world.sim, 5))));
        if (sim_chance(&f->commons->world.sim, 300))
            vg_task_cancel(&f->handle[f->i]);
    }
    for (f->i = 0; f->i < TASKS; f->i++) {
        VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(0);
}

static struct village *village(struct village *f, struct commons *commons)
{
    VG_SETUP(f, village);
    f->commons = commons;
    return f;
}

TEST(no_ownership_is_lost_or_doubled_whatever_is_cancelled_kept_or_parked)
{
    unsigned taken = 0, cancelled = 0;

    TEST_TIMEOUT(240);
    FOR_SEEDS (seed, 500) {
        struct commons commons = {.taken = 0};
        struct village root;
        world_open(&commons.world, seed, 1 + (unsigned)(seed % 5), true);
        for (unsigned m = 0; m < MUTEXES; m++)
            vg_mutex_init(&commons.mutex[m], "commons");
        world_run(&commons.world, &village(&root, &commons)->fut);
        world_close(&commons.world);
        for (unsigned m = 0; m < MUTEXES; m++) {
            CHECK_EQ(commons.owner[m], 0);
            vg_mutex_fini(&commons.mutex[m]);
        }
        taken += commons.taken;
        cancelled += commons.cancelled;
    }
    CHECK(taken > 0 && cancelled > 0);
}
