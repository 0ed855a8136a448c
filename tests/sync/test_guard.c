/* SPDX-License-Identifier: MIT */
#include "panic.h"
#include "world.h"

/* A mutex that is owned as an object. */

struct keeper {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_mutex_guard *to; /* who unlocks instead */
    bool is_cancelled;
    struct vg_lock lock;
    struct vg_timeout timeout;
};

VG_ASYNC(keeper)
{
    VG_BEGIN(f);
    vg_lock(&f->lock, &f->scene->mutex);
    VG_AWAIT(f->ret, vg_timeout(&f->timeout, f->is_cancelled ? 0 : VG_SEC(1), &f->lock));
    *f->to = vg_mutex_guard_take(&f->lock);
    VG_RETURN(0);
}

static struct keeper *keeper(struct keeper *f, struct scene *scene, struct vg_mutex_guard *to,
                             bool is_cancelled)
{
    VG_SETUP(f, keeper);
    f->scene = scene;
    f->to = to;
    f->is_cancelled = is_cancelled;
    return f;
}

/* Waits for the mutex, and notes when it has it. */
struct next {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_lock lock;
};

VG_ASYNC(next)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_lock(&f->lock, &f->scene->mutex));
    diary_note(&f->scene->diary, 2);
    vg_unlock(&f->scene->mutex);
    VG_RETURN(0);
}

static struct next *next(struct next *f, struct scene *scene)
{
    VG_SETUP(f, next);
    f->scene = scene;
    return f;
}

TEST(whoever_has_the_object_unlocks)
{
    FOR_SEEDS (seed, 50) {
        struct vg_mutex_guard guard = {NULL}, other;
        struct scene scene;
        struct keeper first;

        scene_open(&scene, seed, 1 + (unsigned)(seed % 3), true);
        CHECK_EQ(vg_block_on(scene.world.exec, &keeper(&first, &scene, &guard, false)->fut), 0);
        CHECK_EQ(VG_SPAWN(scene.world.exec, NULL, next, &scene), 0);
        world_run_until(&scene.world, 5);
        CHECK_EQ(scene.diary.count, 0);
        CHECK(!vg_trylock(&scene.mutex));
        other = guard;
        vg_mutex_guard_release(&other);
        CHECK(other.mutex == NULL);
        vg_mutex_guard_release(&other);
        world_run_until(&scene.world, 6);
        CHECK_DIARY(&scene.diary, 0, 2, 5);
        scene_close(&scene);
    }
}

static void take_twice(void)
{
    struct vg_mutex_guard guard;
    struct scene scene;
    struct keeper first;

    scene_open(&scene, 1, 1, true);
    CHECK_EQ(vg_block_on(scene.world.exec, &keeper(&first, &scene, &guard, false)->fut), 0);
    guard = vg_mutex_guard_take(&first.lock);
}

static void take_nothing(void)
{
    struct vg_mutex_guard guard;
    struct scene scene;
    struct keeper first;

    scene_open(&scene, 1, 1, true);
    CHECK(vg_trylock(&scene.mutex));
    CHECK_EQ(vg_block_on(scene.world.exec, &keeper(&first, &scene, &guard, true)->fut), 0);
}

TEST(there_is_one_object_for_each_lock_that_owns)
{
    CHECK_PANICS("vg_mutex_guard_take: the lock does not own a mutex", take_twice());
    CHECK_PANICS("vg_mutex_guard_take: the lock does not own a mutex", take_nothing());
}
