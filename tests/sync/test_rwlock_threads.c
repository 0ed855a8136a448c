/* SPDX-License-Identifier: MIT */
#include <vigil/rwlock.h>

#include <pthread.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "counting_alloc.h"
#include "harness.h"

/* On real threads, for the sanitizers: writers write plain memory, readers read it. */

enum { TASKS = 48, ROUNDS = 100, OUTSIDERS = 2, TRIES = 6000 };

struct shared {
    struct vg_rwlock lock;
    uint64_t a, b; /* equal, but while somebody writes */
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void write_both(struct shared *shared, uint64_t *written)
{
    CHECK_EQ(shared->a++, shared->b);
    shared->b++;
    ++*written;
}

struct player {
    VG_FRAME(int);
    struct shared *shared;
    int round, rc;
    uint64_t random, written;
    VG_ARMS(2) sel;
    struct vg_yield yield;
    struct vg_rdlock rd;
    struct vg_wrlock wr;
};

static struct vg_arm read_arm(struct player *f)
{
    vg_rdlock(&f->rd, &f->shared->lock);
    return (struct vg_arm){&f->rd.fut, (uint8_t)(next_random(&f->random) % 3), true, false};
}

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (f->round = 0; f->round < ROUNDS; f->round++) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, read_arm(f), VG_CANCEL(vg_yield(&f->yield))));
        VG_AWAIT(f->rc, vg_yield(&f->yield));
        if (next_random(&f->random) % 2 || !vg_started(&f->rd.fut))
            VG_AWAIT_CANCEL(f->rc, &f->rd);
        else
            VG_AWAIT(f->rc, &f->rd);
        if (f->rc == 0) {
            CHECK_EQ(f->shared->a, f->shared->b);
            VG_AWAIT(f->rc, vg_yield(&f->yield));
            CHECK_EQ(f->shared->a, f->shared->b);
            vg_rdunlock(&f->shared->lock);
        }
        if (next_random(&f->random) % 4)
            continue;
        VG_AWAIT(f->rc, vg_wrlock(&f->wr, &f->shared->lock));
        write_both(f->shared, &f->written);
        if (next_random(&f->random) % 2) {
            vg_downgrade(&f->shared->lock);
            CHECK_EQ(f->shared->a, f->shared->b);
            vg_rdunlock(&f->shared->lock);
        } else {
            vg_wrunlock(&f->shared->lock);
        }
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct shared *shared, uint64_t seed)
{
    VG_SETUP(f, player);
    f->shared = shared;
    f->random = seed;
    f->written = 0;
    return f;
}

struct game {
    VG_FRAME(int);
    struct shared *shared;
    int i, rc;
    uint64_t written;
    struct vg_handle handle[TASKS];
    struct vg_task_wait wait;
};

VG_ASYNC(game)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < TASKS; f->i++)
        CHECK_EQ(
            VG_SPAWN(vg_exec_current(), &f->handle[f->i], player, f->shared, (uint64_t)f->i + 1),
            0);
    for (f->i = 0; f->i < TASKS; f->i++) {
        VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        f->written += ((const struct player *)vg_task_frame(&f->handle[f->i]))->written;
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(0);
}

static struct game *game(struct game *f, struct shared *shared)
{
    VG_SETUP(f, game);
    f->shared = shared;
    f->written = 0;
    return f;
}

struct outsider {
    pthread_t thread;
    struct shared *shared;
    uint64_t written;
};

static void *outsider(void *arg)
{
    struct outsider *o = arg;

    for (int i = 0; i < TRIES; i++) {
        if (i % 3 && vg_tryrdlock(&o->shared->lock)) {
            CHECK_EQ(o->shared->a, o->shared->b);
            vg_rdunlock(&o->shared->lock);
        } else if (i % 3 == 0 && vg_trywrlock(&o->shared->lock)) {
            write_both(o->shared, &o->written);
            vg_wrunlock(&o->shared->lock);
        }
    }
    return NULL;
}

TEST(nobody_reads_what_is_half_written)
{
    TEST_TIMEOUT(240);
    FOR_WORKERS (workers) {
        struct vg_config config = VG_CONFIG_INIT;
        struct shared shared = {.a = 0};
        struct outsider o[OUTSIDERS] = {{.shared = &shared}, {.shared = &shared}};
        struct vg_exec *exec;
        struct game root;

        config.workers = workers;
        config.alloc = &test_alloc;
        CHECK_EQ(vg_exec_open(&exec, &config), 0);
        vg_rwlock_init(&shared.lock, "shared");
        for (int i = 0; i < OUTSIDERS; i++)
            CHECK_EQ(pthread_create(&o[i].thread, NULL, outsider, &o[i]), 0);
        CHECK_EQ(vg_block_on(exec, &game(&root, &shared)->fut), 0);
        for (int i = 0; i < OUTSIDERS; i++)
            pthread_join(o[i].thread, NULL);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        CHECK_EQ(shared.a, root.written + o[0].written + o[1].written);
        vg_rwlock_fini(&shared.lock);
    }
}
