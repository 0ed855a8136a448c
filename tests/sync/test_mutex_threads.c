/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>

#include "threads.h"

/* On real threads, for the sanitizers: what the mutex protects is plain memory. */

/* ---- contention ---------------------------------------------------------------------------- */

struct shared {
    struct vg_mutex mutex;
    uint64_t entered; /* guarded by the mutex */
    bool inside;
};

static void enter(struct shared *shared)
{
    CHECK(!shared->inside);
    shared->inside = true;
    shared->entered++;
}

static void leave(struct shared *shared)
{
    CHECK(shared->inside);
    shared->inside = false;
    vg_unlock(&shared->mutex);
}

enum { TASKS = 64, ROUNDS = 100, MUTEXES = 8 };

struct player {
    VG_FRAME(int);
    struct shared *all, *shared;
    int round, rc;
    unsigned random;
    uint64_t turns, score;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_yield yield;
};

static struct vg_arm lock_arm(struct player *f)
{
    vg_lock(&f->lock, &f->shared->mutex);
    switch (test_draw(&f->random) % 4) {
    case 0:
        return VG_CANCEL(&f->lock);
    case 1:
        return VG_PARK(&f->lock);
    default:
        return VG_KEEP(&f->lock);
    }
}

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (f->round = 0; f->round < ROUNDS; f->round++) {
        f->shared = &f->all[test_draw(&f->random) % MUTEXES];
        VG_AWAIT(f->rc, VG_SELECT(f->sel, lock_arm(f), VG_CANCEL(vg_yield(&f->yield))));
        for (f->turns = test_draw(&f->random) % 16; f->turns > 0; f->turns--)
            VG_AWAIT(f->rc, vg_yield(&f->yield));
        if (test_draw(&f->random) % 3 == 0)
            VG_AWAIT_CANCEL(f->rc, &f->lock);
        else if (vg_started(&f->lock.fut))
            VG_AWAIT(f->rc, &f->lock);
        else
            VG_AWAIT(f->rc, vg_lock(&f->lock, &f->shared->mutex));
        if (f->rc < 0)
            continue;
        enter(f->shared);
        f->score++;
        for (f->turns = test_draw(&f->random) % 3; f->turns > 0; f->turns--)
            VG_AWAIT(f->rc, vg_yield(&f->yield));
        leave(f->shared);
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct shared *all, unsigned seed)
{
    VG_SETUP(f, player);
    f->all = all;
    f->random = seed;
    f->score = 0;
    return f;
}

#include "game.h" /* needs the player */

/* Threads that are no workers take part without waiting. */
struct outsider {
    pthread_t thread;
    struct shared *all;
    uint64_t entered;
};

static void *outsider(void *arg)
{
    struct outsider *o = arg;

    for (int i = 0; i < 6000; i++) {
        struct shared *shared = &o->all[i % MUTEXES];
        if (!vg_trylock(&shared->mutex))
            continue;
        enter(shared);
        o->entered++;
        leave(shared);
    }
    return NULL;
}

/* Reads what instruments read, while owners and queue change. */
static void *watcher(void *arg)
{
    struct shared *all = arg;

    for (int i = 0; i < 6000; i++) {
        struct vg_resource *resource = &all[i % MUTEXES].mutex.permits.resource;
        struct vg_owner owner;
        if (resource->ops->owner(resource, &owner) && owner.task != 0)
            CHECK(owner.frame != NULL);
        CHECK(resource->ops->waiters(resource) <= TASKS);
    }
    return NULL;
}

TEST(every_entry_is_counted_once_whoever_enters)
{
    TEST_TIMEOUT(240);
    FOR_WORKERS (workers) {
        struct shared all[MUTEXES] = {{.entered = 0}};
        struct outsider o[2] = {{.all = all}, {.all = all}};
        struct vg_exec *exec = test_exec(workers);
        uint64_t entered = 0;
        pthread_t watch;
        struct game root;

        for (int i = 0; i < MUTEXES; i++)
            vg_mutex_init(&all[i].mutex, "shared");
        for (int i = 0; i < 2; i++)
            CHECK_EQ(pthread_create(&o[i].thread, NULL, outsider, &o[i]), 0);
        CHECK_EQ(pthread_create(&watch, NULL, watcher, all), 0);
        CHECK_EQ(vg_block_on(exec, &game(&root, all)->fut), 0);
        for (int i = 0; i < 2; i++)
            pthread_join(o[i].thread, NULL);
        pthread_join(watch, NULL);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        for (int i = 0; i < MUTEXES; i++) {
            entered += all[i].entered;
            vg_mutex_fini(&all[i].mutex);
        }
        CHECK_EQ(entered, root.score + o[0].entered + o[1].entered);
    }
}

/* ---- destruction --------------------------------------------------------------------------- */

/* Several tasks refer to the object; the last one frees it, with the mutex it has just unlocked. */
struct object {
    struct vg_mutex mutex;
    int refs; /* guarded by the mutex */
};

struct user {
    VG_FRAME(int);
    struct object *object;
    bool last;
    int rc;
    struct vg_lock lock;
};

VG_ASYNC(user)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->object->mutex));
    CHECK_EQ(f->rc, 0);
    f->last = --f->object->refs == 0;
    vg_unlock(&f->object->mutex);
    if (f->last) {
        vg_mutex_fini(&f->object->mutex);
        free(f->object);
    }
    VG_RETURN(0);
}

static struct user *user(struct user *f, struct object *object)
{
    VG_SETUP(f, user);
    f->object = object;
    return f;
}

enum { OBJECTS = 500, USERS = 3 };

struct destroyer {
    VG_FRAME(int);
    int i, j, rc;
    struct object *object;
    struct vg_handle handle[USERS];
    struct vg_task_wait wait;
};

VG_ASYNC(destroyer)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < OBJECTS; f->i++) {
        f->object = malloc(sizeof *f->object);
        CHECK(f->object != NULL);
        vg_mutex_init(&f->object->mutex, "object");
        f->object->refs = USERS;
        for (f->j = 0; f->j < USERS; f->j++)
            CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle[f->j], user, f->object), 0);
        for (f->j = 0; f->j < USERS; f->j++) {
            VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle[f->j]));
            vg_task_release(&f->handle[f->j]);
        }
    }
    VG_RETURN(0);
}

static struct destroyer *destroyer(struct destroyer *f)
{
    VG_SETUP(f, destroyer);
    return f;
}

TEST(the_last_owner_may_destroy_the_mutex_at_once)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct destroyer root;

        CHECK_EQ(vg_block_on(exec, &destroyer(&root)->fut), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
}
