/* SPDX-License-Identifier: MIT */
/*
 * cond_signal: with nobody waiting. cond_ping/W: four pairs of tasks on W workers that hand a turn to and fro, each with a
 * mutex and a condition of its own; the time is that of one turn.
 */
#include <vigil/async.h>
#include <vigil/cond.h>

#include "crowd.h"

static void cond_signal(struct bench_run *run, int64_t arg)
{
    static struct vg_cond cond = VG_COND_INIT_NAMED("bench");

    (void)arg;
    BENCH_REPEAT (run)
        vg_cond_signal(&cond);
}

struct table {
    struct vg_mutex mutex;
    struct vg_cond turned;
    unsigned turn; /* whose: 0 or 1 */
};

struct player {
    VG_FRAME(int);
    int64_t left;
    unsigned me;
    struct table *table;
    struct vg_lock lock;
    struct vg_cond_wait wait;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_lock(&f->lock, &f->table->mutex));
    for (; rc == 0 && f->left > 0; f->left--) {
        while (rc == 0 && f->table->turn != f->me)
            VG_AWAIT(rc, vg_cond_wait(&f->wait, &f->table->turned, &f->table->mutex));
        f->table->turn = !f->me;
        vg_cond_signal(&f->table->turned);
    }
    vg_unlock(&f->table->mutex);
    VG_RETURN(rc);
}

static struct player *player(struct player *f, struct table *table, unsigned me, int64_t times)
{
    VG_SETUP(f, player);
    f->table = table;
    f->me = me;
    f->left = times;
    return f;
}

static int spawn_player(struct vg_handle *handle, unsigned i, void *arg)
{
    struct table *table = arg;

    return VG_SPAWN(vg_exec_current(), handle, player, &table[i / 2], i % 2, BENCH_BATCH / CROWD);
}

static void cond_ping(struct bench_run *run, int64_t arg)
{
    struct table table[CROWD / 2];

    (void)arg;
    for (unsigned i = 0; i < CROWD / 2; i++) {
        vg_mutex_init(&table[i].mutex, "bench");
        vg_cond_init(&table[i].turned, "bench");
        table[i].turn = 0;
    }
    bench_crowd(run, spawn_player, table);
}

const struct bench bench_cond[] = {
    {"cond_signal", cond_signal, 0, 1},
    {"cond_ping", cond_ping, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
