/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "threads.h"
#include "vg_atomic.h"

/* On real threads, for the sanitizers: who has all permits writes plain memory, who has one reads it. */

enum { TASKS = 48, ROUNDS = 100, PERMITS = 4, OUTSIDERS = 2, TRIES = 6000 };

struct shared {
    struct vg_semaphore semaphore;
    uint64_t a, b; /* equal, but while somebody has all permits */
};

static void use(struct shared *shared, uint32_t count, uint64_t *written)
{
    if (count == PERMITS) {
        shared->a++;
        ++*written;
    }
    CHECK_EQ(shared->a - (count == PERMITS), shared->b);
    if (count == PERMITS)
        shared->b++;
}

struct player {
    VG_FRAME(int);
    struct shared *shared;
    int round, rc;
    uint32_t count;
    unsigned random;
    uint64_t turns, score;
    VG_ARMS(2) sel;
    struct vg_acquire acquire;
    struct vg_permit permit;
    struct vg_yield yield;
};

static struct vg_arm acquire_arm(struct player *f)
{
    f->count = test_draw(&f->random) % 4 == 0 ? PERMITS : 1;
    vg_acquire(&f->acquire, &f->shared->semaphore, f->count);
    switch (test_draw(&f->random) % 4) {
    case 0:
        return VG_CANCEL(&f->acquire);
    case 1:
        return VG_PARK(&f->acquire);
    default:
        return VG_KEEP(&f->acquire);
    }
}

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (f->round = 0; f->round < ROUNDS; f->round++) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, acquire_arm(f), VG_CANCEL(vg_yield(&f->yield))));
        for (f->turns = test_draw(&f->random) % 16; f->turns > 0; f->turns--)
            VG_AWAIT(f->rc, vg_yield(&f->yield));
        if (test_draw(&f->random) % 3 == 0 || !vg_started(&f->acquire.fut))
            VG_AWAIT_CANCEL(f->rc, &f->acquire);
        else
            VG_AWAIT(f->rc, &f->acquire);
        if (f->rc < 0)
            continue;
        f->permit = vg_permit_take(&f->acquire);
        use(f->shared, f->count, &f->score);
        for (f->turns = test_draw(&f->random) % 3; f->turns > 0; f->turns--)
            VG_AWAIT(f->rc, vg_yield(&f->yield));
        vg_permit_release(&f->permit);
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct shared *shared, unsigned seed)
{
    VG_SETUP(f, player);
    f->shared = shared;
    f->random = seed;
    f->score = 0;
    return f;
}

#include "game.h" /* needs the player */

/* Takes part without waiting. */
struct outsider {
    pthread_t thread;
    struct shared *shared;
    uint64_t written;
};

static void *outsider(void *arg)
{
    struct outsider *o = arg;

    for (uint32_t i = 0; i < TRIES; i++) {
        const uint32_t count = i % 3 == 0 ? PERMITS : 1;
        if (vg_try_acquire(&o->shared->semaphore, count) < 0)
            continue;
        use(o->shared, count, &o->written);
        vg_release(&o->shared->semaphore, count);
    }
    return NULL;
}

/* Reads what instruments read, meanwhile. */
static void *watcher(void *arg)
{
    struct shared *shared = arg;

    for (int i = 0; i < TRIES; i++) {
        struct vg_resource *resource = &shared->semaphore.permits.resource;
        struct vg_owner owner;
        if (resource->ops->owner(resource, &owner))
            CHECK(owner.task != 0 && owner.frame != NULL);
        CHECK(resource->ops->waiters(resource) <= TASKS);
        CHECK(vg_semaphore_free(&shared->semaphore) <= PERMITS);
    }
    return NULL;
}

TEST(who_has_all_permits_is_alone)
{
    TEST_TIMEOUT(240);
    FOR_WORKERS (workers) {
        struct shared shared = {.a = 0};
        struct outsider o[OUTSIDERS] = {{.shared = &shared}, {.shared = &shared}};
        struct vg_exec *exec = test_exec(workers);
        pthread_t watch;
        struct game root;

        vg_semaphore_init(&shared.semaphore, "shared", PERMITS);
        for (int i = 0; i < OUTSIDERS; i++)
            CHECK_EQ(pthread_create(&o[i].thread, NULL, outsider, &o[i]), 0);
        CHECK_EQ(pthread_create(&watch, NULL, watcher, &shared), 0);
        CHECK_EQ(vg_block_on(exec, &game(&root, &shared)->fut), 0);
        for (int i = 0; i < OUTSIDERS; i++)
            pthread_join(o[i].thread, NULL);
        pthread_join(watch, NULL);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        CHECK_EQ(shared.a, root.score + o[0].written + o[1].written);
        CHECK_EQ(vg_semaphore_free(&shared.semaphore), PERMITS);
        vg_semaphore_fini(&shared.semaphore);
    }
}

/* ---- closing and destruction --------------------------------------------------------------- */

/* The last of those who refer to it frees it; one of them closes it first. */
struct object {
    struct vg_semaphore semaphore;
    VG_ATOMIC(int) refs;
};

struct user {
    VG_FRAME(int);
    struct object *object;
    bool closes;
    int rc;
    struct vg_acquire acquire;
};

static void put(struct object *object)
{
    if (vg_fetch_sub(&object->refs, 1, acq_rel) > 1)
        return;
    vg_semaphore_fini(&object->semaphore);
    free(object);
}

VG_ASYNC(user)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_acquire(&f->acquire, &f->object->semaphore, 2));
    CHECK(f->rc == 0 || f->rc == -EPIPE);
    if (f->closes)
        vg_semaphore_close(&f->object->semaphore);
    if (f->rc == 0)
        vg_release(&f->object->semaphore, 2);
    put(f->object);
    VG_RETURN(0);
}

static struct user *user(struct user *f, struct object *object, bool closes)
{
    VG_SETUP(f, user);
    f->object = object;
    f->closes = closes;
    return f;
}

enum { OBJECTS = 500, USERS = 4 };

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
        vg_semaphore_init(&f->object->semaphore, "object", 3);
        vg_store(&f->object->refs, USERS, relaxed);
        for (f->j = 0; f->j < USERS; f->j++)
            CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle[f->j], user, f->object,
                              f->i % 2 && f->j == 1),
                     0);
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

TEST(the_last_owner_may_destroy_the_semaphore_at_once)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct destroyer root;

        CHECK_EQ(vg_block_on(exec, &destroyer(&root)->fut), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
}
