/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "holder.h"
#include "task.h"

/* ---- order --------------------------------------------------------------------------------- */

enum { CREW = 12 };

struct crew {
    VG_FRAME(int);
    struct scene *scene;
    unsigned i;
    int rc;
    struct vg_handle handle[CREW];
    struct vg_task_wait wait;
};

VG_ASYNC(crew)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < CREW; f->i++)
        CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle[f->i], holder, f->scene, (int)f->i,
                          1 + f->i, 50),
                 0);
    for (f->i = 0; f->i < CREW; f->i++) {
        VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(0);
}

static struct crew *crew(struct crew *f, struct scene *scene)
{
    VG_SETUP(f, crew);
    f->scene = scene;
    return f;
}

TEST(waiters_get_the_mutex_in_the_order_of_their_arrival)
{
    FOR_SEEDS (seed, 100) {
        struct scene scene;
        struct crew root;
        scene_open(&scene, seed, 1 + (unsigned)(seed % 4), true);
        world_run(&scene.world, &crew(&root, &scene)->fut);
        CHECK_EQ(scene.diary.count, CREW);
        for (unsigned i = 0; i < CREW; i++)
            CHECK_DIARY(&scene.diary, i, (int)i, 1 + 50 * i);
        scene_close(&scene);
    }
}

struct barger {
    VG_FRAME(int);
    struct scene *scene;
    int rc;
    struct vg_handle handle;
    struct vg_task_wait wait;
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(barger)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle, holder, f->scene, 1, 0, 7), 0);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
    vg_unlock(&f->scene->mutex);
    CHECK(!vg_trylock(&f->scene->mutex));
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
    diary_note(&f->scene->diary, 0);
    vg_unlock(&f->scene->mutex);
    VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle));
    vg_task_release(&f->handle);
    VG_RETURN(0);
}

static struct barger *barger(struct barger *f, struct scene *scene)
{
    VG_SETUP(f, barger);
    f->scene = scene;
    return f;
}

TEST(an_unlocker_cannot_barge_in_before_the_waiter_it_handed_over_to)
{
    FOR_SEEDS (seed, 50) {
        struct scene scene;
        struct barger root;
        scene_open(&scene, seed, 1 + (unsigned)(seed % 3), true);
        world_run(&scene.world, &barger(&root, &scene)->fut);
        CHECK_DIARY(&scene.diary, 0, 1, 5);
        CHECK_DIARY(&scene.diary, 1, 0, 12);
        scene_close(&scene);
    }
}

/* ---- without waiting ----------------------------------------------------------------------- */

TEST(trylock_takes_a_free_mutex_and_no_other)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, NULL);
    CHECK(vg_trylock(&mutex));
    CHECK(!vg_trylock(&mutex));
    vg_unlock(&mutex);
    CHECK(vg_trylock(&mutex));
    vg_unlock(&mutex);
    vg_mutex_fini(&mutex);
}

TEST(a_static_mutex_is_free_and_knows_its_name)
{
    static struct vg_mutex named = VG_MUTEX_INIT_NAMED("db");
    static struct vg_mutex plain = VG_MUTEX_INIT;

    CHECK_STR(named.permits.resource.name, "db");
    CHECK_STR(plain.permits.resource.name, "test_mutex.c:");
    CHECK(vg_trylock(&named));
    CHECK(vg_trylock(&plain));
    vg_unlock(&named);
    vg_unlock(&plain);
    vg_mutex_fini(&named);
    vg_mutex_fini(&plain);
}

TEST(an_initialised_mutex_knows_its_name_and_its_place)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, "queue");
    CHECK_STR(mutex.permits.resource.name, "queue");
    CHECK_STR(mutex.permits.resource.place->file, "test_mutex.c");
    CHECK_STR(mutex.permits.resource.place->func, __func__);
    vg_mutex_fini(&mutex);
}

TEST(a_lock_that_is_never_polled_takes_nothing)
{
    struct vg_mutex mutex;
    struct vg_lock lock;

    vg_mutex_init(&mutex, NULL);
    vg_lock(&lock, &mutex);
    CHECK(vg_trylock(&mutex));
    vg_unlock(&mutex);
    vg_mutex_fini(&mutex);
}

/* ---- misuse -------------------------------------------------------------------------------- */

TEST(unlocking_a_free_mutex_panics)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, "db");
    CHECK_PANICS("mutex db is free", vg_unlock(&mutex));
    CHECK(vg_trylock(&mutex));
    vg_unlock(&mutex);
    CHECK_PANICS("mutex db is free", vg_unlock(&mutex));
}

TEST(destroying_a_held_mutex_panics)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, NULL);
    CHECK(vg_trylock(&mutex));
    CHECK_PANICS("mutex (unnamed) is held", vg_mutex_fini(&mutex));
    vg_unlock(&mutex);
    vg_mutex_fini(&mutex);
}

/* Spawned from outside, so that the test's own thread can look between the steps. */
static bool handle_done(void *handle)
{
    return vg_task_done((const struct vg_handle *)handle);
}

static int run_until_done(struct scene *scene, struct vg_handle *handle)
{
    return sim_run(&scene->world.sim, scene->world.exec, handle_done, handle, VG_SEC(100));
}

TEST(a_thread_outside_hands_the_mutex_to_a_task)
{
    FOR_SEEDS (seed, 50) {
        struct scene scene;
        struct vg_handle handle;
        scene_open(&scene, seed, 2, true);
        CHECK(vg_trylock(&scene.mutex));
        CHECK_EQ(VG_SPAWN(scene.world.exec, &handle, holder, &scene, 1, 0, 3), 0);
        CHECK_EQ(run_until_done(&scene, &handle), -EDEADLK);
        CHECK_EQ(scene.diary.count, 0);
        vg_unlock(&scene.mutex);
        CHECK_EQ(run_until_done(&scene, &handle), 0);
        CHECK_EQ(scene.diary.count, 1);
        vg_task_release(&handle);
        scene_close(&scene);
    }
}

TEST(unlocking_a_mutex_that_is_granted_but_not_taken_panics)
{
    struct scene scene;
    struct vg_handle handle;

    scene_open(&scene, 1, 1, true);
    CHECK(vg_trylock(&scene.mutex));
    CHECK_EQ(VG_SPAWN(scene.world.exec, &handle, holder, &scene, 1, 0, 0), 0);
    CHECK_EQ(run_until_done(&scene, &handle), -EDEADLK);
    vg_unlock(&scene.mutex);
    CHECK_PANICS("nobody owns it", vg_unlock(&scene.mutex));
    CHECK(!vg_trylock(&scene.mutex));
    CHECK_EQ(run_until_done(&scene, &handle), 0);
    vg_task_release(&handle);
    scene_close(&scene);
}

/* ---- load ---------------------------------------------------------------------------------- */

enum { LOOPS = 1000 };

/* Never waits. */
struct hog {
    VG_FRAME(int);
    struct scene *scene;
    int i, rc;
    struct vg_lock lock;
};

VG_ASYNC(hog)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < LOOPS; f->i++) {
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
        vg_unlock(&f->scene->mutex);
    }
    VG_RETURN(0);
}

static struct hog *hog(struct hog *f, struct scene *scene)
{
    VG_SETUP(f, hog);
    f->scene = scene;
    return f;
}

struct polite {
    VG_FRAME(int);
    struct scene *scene;
    int turns, rc;
    struct vg_handle handle;
    struct vg_yield yield;
};

VG_ASYNC(polite)
{
    VG_BEGIN(f);
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle, hog, f->scene), 0);
    while (!vg_task_done(&f->handle)) {
        VG_AWAIT(f->rc, vg_yield(&f->yield));
        f->turns++;
    }
    vg_task_release(&f->handle);
    VG_RETURN(f->turns);
}

static struct polite *polite(struct polite *f, struct scene *scene)
{
    VG_SETUP(f, polite);
    f->scene = scene;
    f->turns = 0;
    return f;
}

TEST(a_task_that_always_finds_the_mutex_free_does_not_keep_its_worker)
{
    struct scene scene;
    struct polite root;

    scene_open(&scene, 7, 1, true);
    world_run(&scene.world, &polite(&root, &scene)->fut);
    CHECK(root.ret >= LOOPS / VG_BUDGET);
    scene_close(&scene);
}

enum { CROWD = 64, ROUNDS = 20, ENTRIES = CROWD * ROUNDS };

struct worker_bee {
    VG_FRAME(int);
    struct scene *scene;
    int *inside, *total;
    int i, rc;
    struct vg_lock lock;
    struct vg_yield yield;
};

VG_ASYNC(worker_bee)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < ROUNDS; f->i++) {
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
        CHECK_EQ(++*f->inside, 1);
        if (sim_chance(&f->scene->world.sim, 300))
            VG_AWAIT(f->rc, vg_yield(&f->yield));
        ++*f->total;
        CHECK_EQ(--*f->inside, 0);
        vg_unlock(&f->scene->mutex);
    }
    VG_RETURN(0);
}

static struct worker_bee *worker_bee(struct worker_bee *f, struct scene *scene, int *inside,
                                     int *total)
{
    VG_SETUP(f, worker_bee);
    f->scene = scene;
    f->inside = inside;
    f->total = total;
    return f;
}

TEST(sixty_four_tasks_never_meet_inside)
{
    FOR_SEEDS (seed, 60) {
        struct scene scene;
        struct vg_handle handle[CROWD];
        int inside = 0, total = 0;
        scene_open(&scene, seed, 1 + (unsigned)(seed % 6), true);
        for (int i = 0; i < CROWD; i++)
            CHECK_EQ(VG_SPAWN(scene.world.exec, &handle[i], worker_bee, &scene, &inside, &total),
                     0);
        for (int i = 0; i < CROWD; i++) {
            CHECK_EQ(run_until_done(&scene, &handle[i]), 0);
            vg_task_release(&handle[i]);
        }
        CHECK_EQ(total, ENTRIES);
        scene_close(&scene);
    }
}
