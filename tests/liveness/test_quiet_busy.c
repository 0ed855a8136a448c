/* SPDX-License-Identifier: MIT */
#include <vigil/oneshot.h>

#include "quiet.h"

/* ---- busy ------------------------------------------------------------------------------------ */

struct table {
    struct vg_oneshot ball[2];
};

struct player {
    VG_FRAME(int);
    struct table *table;
    int side, rounds;
    struct vg_oneshot_recv recv;
    int rc;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->rc, vg_oneshot_recv(&f->recv, &f->table->ball[f->side]));
        vg_oneshot_fini(&f->table->ball[f->side]);
        vg_oneshot_init(&f->table->ball[f->side], "ball");
        CHECK_EQ(vg_oneshot_send(&f->table->ball[!f->side], f), 0);
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct table *table, int side, int rounds)
{
    VG_SETUP(f, player);
    f->table = table;
    f->side = side;
    f->rounds = rounds;
    return f;
}

TEST(two_tasks_that_play_ping_pong)
{
    QUIET({
        struct table table;
        for (int i = 0; i < 2; i++) {
            vg_oneshot_init(&table.ball[i], "ball");
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, player, &table, i, 2000), 0);
        }
        CHECK_EQ(vg_oneshot_send(&table.ball[0], &table), 0);
        run_all(&lab);
    });
}

struct worker {
    VG_FRAME(int);
    struct lab *lab;
    int slices;
    struct vg_yield yield;
};

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    for (; f->slices > 0; f->slices--) {
        f->lab->sim.now += VG_USEC(200);
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static struct worker *worker(struct worker *f, struct lab *lab, int slices)
{
    VG_SETUP(f, worker);
    f->lab = lab;
    f->slices = slices;
    return f;
}

TEST(a_task_that_computes_in_slices)
{
    QUIET({
        struct parker root;
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, worker, &lab, 3000), 0);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 40), 0);
        CHECK_EQ(lab_run(&lab, &parker(&root, &lab, 80)->fut), 0);
    });
}

struct pair {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_CHILDREN(2) all;
    struct vg_sleep a, b;
};

/* Both deadlines wake the task at once. */
VG_ASYNC(pair)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_JOIN(f->all, vg_sleep(&f->a, VG_MSEC(200)), vg_sleep(&f->b, VG_MSEC(200))));
    VG_RETURN(f->rc);
}

static struct pair *pair(struct pair *f, struct lab *lab)
{
    VG_SETUP(f, pair);
    f->lab = lab;
    return f;
}

TEST(two_events_that_wake_one_task)
{
    QUIET({
        struct pair root;
        CHECK_EQ(lab_run(&lab, &pair(&root, &lab)->fut), 0);
    });
}

struct storm {
    VG_FRAME(int);
    struct lab *lab;
    int rounds, arm;
    VG_ARMS(2) sel;
    struct vg_yield yield;
    struct vg_lock lock;
};

/* Loses the mutex to its holder in each round. */
VG_ASYNC(storm)
{
    VG_BEGIN(f);
    for (f->rounds = 0; f->rounds < 2000; f->rounds++) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_CANCEL(vg_lock(&f->lock, &f->lab->mutex)),
                                   VG_CANCEL(vg_yield(&f->yield))));
        CHECK_EQ(f->arm, 1);
    }
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static struct storm *storm(struct storm *f, struct lab *lab)
{
    VG_SETUP(f, storm);
    f->lab = lab;
    return f;
}

TEST(a_storm_of_selects_whose_loser_is_cancelled)
{
    QUIET({
        struct storm root;
        CHECK(vg_trylock(&lab.mutex));
        CHECK_EQ(lab_run(&lab, &storm(&root, &lab)->fut), 0);
    });
}

/* ---- cancelled ------------------------------------------------------------------------------- */

struct nest {
    VG_FRAME(int);
    struct lab *lab;
    unsigned depth;
    int rc;
    VG_ARMS(2) sel;
    struct vg_mutex mutex;
    struct vg_lock lock;
    struct vg_sleep nap, body;
    struct nest *inner;
};

enum { DEPTH = 100 };

static struct nest nests[DEPTH];

static struct nest *nest(struct nest *f, struct lab *lab, unsigned depth);

/* Holds a mutex each, and has a parked child each. */
VG_ASYNC(nest)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->mutex));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_sleep(&f->nap, VG_SEC(60))),
                              VG_CANCEL(vg_sleep(&f->body, VG_MSEC(1)))));
    if (f->depth + 1 < DEPTH)
        VG_AWAIT(f->rc, nest(&nests[f->depth + 1], f->lab, f->depth + 1));
    else
        VG_AWAIT(f->rc, vg_sleep(&f->body, VG_NEVER));
    if (vg_started(&f->nap.fut))
        VG_AWAIT_CANCEL(f->rc, &f->nap);
    vg_unlock(&f->mutex);
    VG_RETURN(f->rc);
}

static struct nest *nest(struct nest *f, struct lab *lab, unsigned depth)
{
    VG_SETUP(f, nest);
    f->lab = lab;
    f->depth = depth;
    vg_mutex_init(&f->mutex, "nested");
    return f;
}

struct nest_task {
    VG_FRAME(int);
    struct lab *lab;
};

VG_ASYNC(nest_task)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, nest(&nests[0], f->lab, 0));
    VG_RETURN(f->ret);
}

static struct nest_task *nest_task(struct nest_task *f, struct lab *lab)
{
    VG_SETUP(f, nest_task);
    f->lab = lab;
    return f;
}

TEST(a_deep_task_that_is_cancelled)
{
    FOR_SEEDS (seed, 20) {
        struct lab lab;
        struct vg_handle handle;
        struct vg_sleep nap;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(VG_SPAWN(lab.exec, &handle, nest_task, &lab), 0);
        CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_SEC(2))->fut), 0);
        vg_task_cancel(&handle);
        run_all(&lab);
        vg_task_release(&handle);
        for (unsigned i = 0; i < DEPTH; i++)
            vg_mutex_fini(&nests[i].mutex);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
