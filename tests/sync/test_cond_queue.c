/* SPDX-License-Identifier: MIT */
#include <vigil/cond.h>

#include "task.h"
#include "world.h"

/* A queue of limited length. */

enum { LENGTH = 2, ITEMS = 40, CONSUMERS = 4 };

struct queue {
    struct world world;
    struct vg_mutex mutex;
    struct vg_cond filled, emptied;
    int length, made, taken;
    struct vg_handle consumer[CONSUMERS];
};

struct producer {
    VG_FRAME(int);
    struct queue *q;
    int rc;
    struct vg_lock lock;
    struct vg_cond_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(producer)
{
    VG_BEGIN(f);
    while (f->q->made < ITEMS) {
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->q->mutex));
        while (f->q->length == LENGTH)
            VG_AWAIT(f->rc, vg_cond_wait(&f->wait, &f->q->emptied, &f->q->mutex));
        f->q->length++;
        f->q->made++;
        vg_cond_signal(&f->q->filled);
        vg_unlock(&f->q->mutex);
        if (sim_chance(&f->q->world.sim, 300))
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(sim_below(&f->q->world.sim, 4))));
    }
    VG_RETURN(0);
}

static struct producer *producer(struct producer *f, struct queue *q)
{
    VG_SETUP(f, producer);
    f->q = q;
    return f;
}

/* Gives up now and then, and tries again; ends when it has been cancelled. */
struct consumer {
    VG_FRAME(int);
    struct queue *q;
    int rc;
    struct vg_lock lock;
    struct vg_cond_wait wait;
    struct vg_timeout timeout;
};

VG_ASYNC(consumer)
{
    VG_BEGIN(f);
    for (;;) {
        VG_AWAIT_SHIELDED(f->rc, vg_lock(&f->lock, &f->q->mutex));
        while (f->q->length == 0 && !vg_cancelled(&f->fut)) {
            vg_cond_wait(&f->wait, &f->q->filled, &f->q->mutex);
            VG_AWAIT(f->rc,
                     vg_timeout(&f->timeout, VG_MSEC(sim_below(&f->q->world.sim, 5)), &f->wait));
        }
        if (f->q->length > 0) {
            f->q->length--;
            f->q->taken++;
            vg_cond_signal(&f->q->emptied);
        }
        vg_unlock(&f->q->mutex);
        if (vg_cancelled(&f->fut))
            VG_RETURN(0);
    }
}

static struct consumer *consumer(struct consumer *f, struct queue *q)
{
    VG_SETUP(f, consumer);
    f->q = q;
    return f;
}

static bool all_taken(void *arg)
{
    const struct queue *q = arg;

    CHECK_EQ(q->made, q->taken + q->length);
    return q->taken == ITEMS;
}

TEST(nothing_is_lost_in_a_queue_whose_consumers_give_up_all_the_time)
{
    TEST_TIMEOUT(240);
    FOR_SEEDS (seed, 300) {
        struct queue q = {.length = 0};
        world_open(&q.world, seed, 1 + (unsigned)(seed % 4), true);
        vg_mutex_init(&q.mutex, "queue");
        vg_cond_init(&q.filled, "filled");
        vg_cond_init(&q.emptied, "emptied");
        for (int i = 0; i < CONSUMERS; i++)
            CHECK_EQ(VG_SPAWN(q.world.exec, &q.consumer[i], consumer, &q), 0);
        CHECK_EQ(VG_SPAWN(q.world.exec, NULL, producer, &q), 0);
        CHECK_EQ(sim_run(&q.world.sim, q.world.exec, all_taken, &q, VG_SEC(100)), 0);
        for (int i = 0; i < CONSUMERS; i++) {
            vg_task_cancel(&q.consumer[i]);
            vg_task_release(&q.consumer[i]);
        }
        world_close(&q.world);
        vg_cond_fini(&q.filled);
        vg_cond_fini(&q.emptied);
        vg_mutex_fini(&q.mutex);
    }
}
