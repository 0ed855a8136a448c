/* SPDX-License-Identifier: MIT */
#include <vigil/rwlock.h>

#include <pthread.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "threads.h"

/* On real threads, for the sanitizers: writers write plain memory, readers read it. */

enum { TASKS = 48, ROUNDS = 100, OUTSIDERS = 2, TRIES = 6000 };

struct shared {
    struct vg_rwlock lock;
    uint64_t a, b; /* equal, but while somebody writes */
};

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
    unsigned random;
    uint64_t score;
    VG_ARMS(2) sel;
    struct vg_yield yield;
    struct vg_rdlock rd;
    struct vg_wrlock wr;
};

static struct vg_arm read_arm(struct player *f)
{
    vg_rdlock(&f->rd, &f->shared->lock);
    return (struct vg_arm){&f->rd.fut, (uint8_t)(test_draw(&f->random) % 3), true, false};
}

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (f->round = 0; f->round < ROUNDS; f->round++) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, read_arm(f), VG_CANCEL(vg_yield(&f->yield))));
        VG_AWAIT(f->rc, vg_yield(&f->yield));
        if (test_draw(&f->random) % 2 || !vg_started(&f->rd.fut))
            VG_AWAIT_CANCEL(f->rc, &f->rd);
        else
            VG_AWAIT(f->rc, &f->rd);
        if (f->rc == 0) {
            CHECK_EQ(f->shared->a, f->shared->b);
            VG_AWAIT(f->rc, vg_yield(&f->yield));
            CHECK_EQ(f->shared->a, f->shared->b);
            vg_rdunlock(&f->shared->lock);
        }
        if (test_draw(&f->random) % 4)
            continue;
        VG_AWAIT(f->rc, vg_wrlock(&f->wr, &f->shared->lock));
        write_both(f->shared, &f->score);
        if (test_draw(&f->random) % 2) {
            vg_downgrade(&f->shared->lock);
            CHECK_EQ(f->shared->a, f->shared->b);
            vg_rdunlock(&f->shared->lock);
        } else {
            vg_wrunlock(&f->shared->lock);
        }
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
        struct shared shared = {.a = 0};
        struct outsider o[OUTSIDERS] = {{.shared = &shared}, {.shared = &shared}};
        struct vg_exec *exec = test_exec(workers);
        struct game root;

        vg_rwlock_init(&shared.lock, "shared");
        for (int i = 0; i < OUTSIDERS; i++)
            CHECK_EQ(pthread_create(&o[i].thread, NULL, outsider, &o[i]), 0);
        CHECK_EQ(vg_block_on(exec, &game(&root, &shared)->fut), 0);
        for (int i = 0; i < OUTSIDERS; i++)
            pthread_join(o[i].thread, NULL);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        CHECK_EQ(shared.a, root.score + o[0].written + o[1].written);
        vg_rwlock_fini(&shared.lock);
    }
}
