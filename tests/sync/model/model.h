/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_MODEL_H
#define VIGIL_TESTS_MODEL_H

#include "../world.h"
#include "locks.h"
#include "news.h"
#include "rounds.h"
#include "signals.h"
#include "tubes.h"

/*
 * Random programs of a few tasks that use everything in sync at once, each wait bounded by a deadline, and some of the tasks
 * cancelled. Beside each primitive there is a plain model of it: who has it, how much is out, what is in it. A task brings the model up
 * to date when it sees what has become of its operation, in the same poll, and checks that the model allows that. After each step
 * of the simulator everybody who waits is looked at: time must not go on while what he waits for is there.
 */

enum { ACTORS = 5 };

struct model {
    struct world world;
    struct locks locks;
    struct tubes tubes;
    struct news news;
    struct signals signals;
    struct rounds rounds;
    struct actor *actor[ACTORS]; /* NULL: has ended */
    unsigned actors;
};

/* What a step does. */
struct op {
    const char *name;
    /* Does what needs no waiting, and returns what is to be awaited; NULL: nothing. */
    struct vg_future *(*begin)(struct actor *a);
    /* It has ended, with that; -ECANCELED also if it was never started. */
    void (*end)(struct actor *a, int ret);
    /* Whether what it waits for is there: then it ends before time goes on. NULL: that cannot be said. */
    bool (*due)(struct actor *a);
};

struct actor {
    VG_FRAME(int);
    struct model *model;
    unsigned index;
    int step, rc;
    const struct op *op;
    struct vg_future *wait; /* what the step awaits, and where its result will be */
    const int *result;
    uint64_t due_since; /* 0: what it waits for is not there */
    struct vg_timeout timeout;
    struct vg_sleep nap;
    struct holds holds; /* of the locks */
    struct view view;   /* of the channels */
    struct team team;   /* children */
    union {
        struct vg_lock lock;
        struct vg_rdlock rdlock;
        struct vg_wrlock wrlock;
        struct vg_acquire acquire;
        struct vg_cond_wait cond;
        struct vg_mpsc_send send;
        struct vg_receive receive;
        struct vg_mpmc_recv mpmc;
        struct vg_broadcast_recv broadcast;
        struct vg_watch_changed changed;
        struct vg_oneshot_recv oneshot;
        struct vg_notified notified;
        struct vg_barrier_wait barrier;
        struct vg_token_wait token;
        struct vg_rate_acquire rate;
        struct vg_once once;
        struct vg_task_wait join;
    };
};

static inline unsigned draw(struct actor *a, unsigned n)
{
    return (unsigned)sim_below(&a->model->world.sim, n);
}

/* For op.begin: awaits p. */
#define AWAITED(a, p) awaited((a), &(p)->fut, &(p)->ret)
static inline struct vg_future *awaited(struct actor *a, struct vg_future *fut, const int *ret)
{
    a->result = ret;
    return fut;
}

/* How many wait in that operation. */
unsigned waiting_in(const struct model *model, const struct op *op);

extern const struct op lock_ops[], tube_ops[], news_ops[], signal_ops[], round_ops[];
extern const unsigned lock_ops_count, tube_ops_count, news_ops_count, signal_ops_count,
    round_ops_count;

void locks_open(struct locks *locks);
void locks_let_go(struct actor *a);
void locks_check(struct locks *locks);
void locks_close(struct locks *locks);

void tubes_open(struct tubes *tubes);
void tubes_check(struct tubes *tubes);
void tubes_close(struct tubes *tubes);

void news_open(struct news *news);
void news_begin(struct actor *a);
void news_close(struct news *news);

void signals_open(struct signals *signals, uint64_t now);
void signals_close(struct signals *signals);

void rounds_open(struct rounds *rounds);
void rounds_close(struct rounds *rounds);

#endif
