/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>
#include <vigil/oneshot.h>
#include <vigil/time.h>

#include "panic.h"
#include "world.h"

/* Locks and oneshots misused by a task: the message has the resource by name, the task, and where that is. */

struct culprit {
    VG_FRAME(int);
    void (*deed)(void);
    struct vg_sleep nap;
};

VG_ASYNC(culprit)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    f->deed();
    VG_RETURN(rc);
}

static struct culprit *culprit(struct culprit *f, void (*deed)(void))
{
    VG_SETUP(f, culprit);
    f->deed = deed;
    return f;
}

static bool done(void *handle)
{
    return vg_task_done((const struct vg_handle *)handle);
}

static void commit(void (*deed)(void))
{
    struct world world;
    struct vg_handle handle;

    world_open(&world, 1, 1, true);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, culprit, deed), 0);
    CHECK_EQ(sim_run(&world.sim, world.exec, done, &handle, VG_SEC(1)), 0);
}

#define CULPRIT(file, message) PANIC(file, message, "culprit", "culprit") "vg_sleep(&f->nap"

static void unlock_free(void)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, "db");
    vg_unlock(&mutex);
}

static void destroy_held(void)
{
    struct vg_mutex mutex;

    vg_mutex_init(&mutex, "db");
    CHECK(vg_trylock(&mutex));
    vg_mutex_fini(&mutex);
}

TEST(a_task_that_misuses_a_mutex_is_named)
{
    CHECK_PANICS(CULPRIT("sync/mutex.c", "vg_unlock: mutex db is free"), commit(unlock_free));
    CHECK_PANICS(CULPRIT("sync/mutex.c", "vg_mutex_fini: mutex db is held"), commit(destroy_held));
}

static void send_twice(void)
{
    struct vg_oneshot oneshot;

    vg_oneshot_init(&oneshot, "reply");
    CHECK_EQ(vg_oneshot_send(&oneshot, NULL), 0);
    CHECK_EQ(vg_oneshot_send(&oneshot, NULL), 0);
}

static void close_after_send(void)
{
    struct vg_oneshot oneshot;

    vg_oneshot_init(&oneshot, "reply");
    CHECK_EQ(vg_oneshot_send(&oneshot, NULL), 0);
    vg_oneshot_close(&oneshot);
}

TEST(a_task_that_misuses_a_oneshot_is_named)
{
    CHECK_PANICS(CULPRIT("sync/oneshot.c", "the sender of oneshot reply has sent or closed before"),
                 commit(send_twice));
    CHECK_PANICS(CULPRIT("sync/oneshot.c", "the sender of oneshot reply has sent or closed before"),
                 commit(close_after_send));
}

/* ---- a mutex that others wait for ---------------------------------------------------------- */

static struct vg_mutex shared;

struct waiter {
    VG_FRAME(int);
    struct vg_lock lock;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_lock(&f->lock, &shared));
    vg_unlock(&shared);
    VG_RETURN(rc);
}

static struct waiter *waiter(struct waiter *f)
{
    VG_SETUP(f, waiter);
    return f;
}

static void destroy_awaited(void)
{
    vg_unlock(&shared); /* which grants it to the waiter, that has not run since */
    vg_mutex_fini(&shared);
}

static void await_and_destroy(void)
{
    struct world world;
    struct vg_handle handle;

    world_open(&world, 1, 1, true);
    vg_mutex_init(&shared, "shared");
    CHECK(vg_trylock(&shared));
    CHECK_EQ(VG_SPAWN(world.exec, NULL, waiter), 0);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, culprit, destroy_awaited), 0);
    CHECK_EQ(sim_run(&world.sim, world.exec, done, &handle, VG_SEC(1)), 0);
}

TEST(a_mutex_that_was_granted_is_not_destroyed_before_it_is_given_back)
{
    CHECK_PANICS(CULPRIT("sync/mutex.c", "vg_mutex_fini: mutex shared is held"),
                 await_and_destroy());
}
