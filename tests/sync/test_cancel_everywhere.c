/* SPDX-License-Identifier: MIT */
#include "actor.h"
#include "acts.h"

/* Every future is cancelled in every state: before each step of the executor, from its start to its end. */

/* ---- the tasks --------------------------------------------------------------------------------- */

/* Gives it what it waits for, after 5 ms. */
struct giver {
    VG_FRAME(int);
    struct stage *stage;
    const struct act *act;
    struct vg_sleep nap;
};

VG_ASYNC(giver)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(5)));
    f->act->give(f->stage);
    VG_RETURN(rc);
}

static struct giver *giver(struct giver *f, struct stage *stage, const struct act *act)
{
    VG_SETUP(f, giver);
    f->stage = stage;
    f->act = act;
    return f;
}

/* The other party of the barrier, and the task that is waited for. */
struct partner {
    VG_FRAME(int);
    struct vg_barrier *barrier;
    struct vg_sleep nap;
    struct vg_barrier_wait wait;
    struct vg_timeout timeout;
};

VG_ASYNC(partner)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(5)));
    VG_AWAIT(rc, vg_timeout(&f->timeout, VG_MSEC(50), vg_barrier_wait(&f->wait, f->barrier)));
    VG_RETURN(rc);
}

static struct partner *partner(struct partner *f, struct vg_barrier *barrier)
{
    VG_SETUP(f, partner);
    f->barrier = barrier;
    return f;
}

/* ---- the stage --------------------------------------------------------------------------------- */

static void stage_open(struct stage *s)
{
    memset(s, 0, sizeof *s);
    rig_open_config(&s->rig, 2, NULL, true);
    vg_mutex_init(&s->mutex, "mutex");
    CHECK(vg_trylock(&s->mutex));
    vg_rwlock_init(&s->rwlock, "rwlock");
    CHECK(vg_trywrlock(&s->rwlock));
    vg_semaphore_init(&s->semaphore, "semaphore", 3);
    CHECK_EQ(vg_try_acquire(&s->semaphore, 3), 0);
    vg_notifier_init(&s->notifier, "notifier");
    vg_barrier_init(&s->barrier, "barrier", 2);
    vg_cond_init(&s->cond, "cond");
    vg_once_init(&s->cell, "cell");
    vg_oneshot_init(&s->oneshot, "oneshot");
    vg_mpsc_init(&s->mpsc, "mpsc", s->slots[0], 2);
    vg_mpsc_init(&s->full, "full", s->slots[1], 2);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(vg_mpsc_try_send(&s->full, &i), 0);
    vg_mpmc_init(&s->mpmc, "mpmc", s->slots[2], 2);
    vg_unbounded_init(&s->unbounded, "unbounded", sizeof(int), NULL);
    vg_broadcast_init(&s->broadcast, "broadcast", s->slots[3], 2);
    vg_broadcast_subscribe(&s->subscription, &s->broadcast);
    vg_watch_init(&s->watch, "watch", &s->watched);
    s->seen = vg_watch_version(&s->watch);
    vg_token_init(&s->token, "token");
    vg_rate_init(&s->rate, "rate", VG_MSEC(5), 1);
    CHECK_EQ(vg_rate_try(&s->rate, 1), 0);
}

/* Those panic that somebody still waits for. */
static void stage_close(struct stage *s)
{
    vg_notifier_fini(&s->notifier);
    vg_barrier_fini(&s->barrier);
    vg_cond_fini(&s->cond);
    vg_once_fini(&s->cell);
    vg_mpsc_fini(&s->mpsc);
    vg_mpsc_fini(&s->full);
    vg_mpmc_fini(&s->mpmc);
    vg_unbounded_close(&s->unbounded);
    vg_unbounded_fini(&s->unbounded);
    vg_broadcast_fini(&s->broadcast);
    vg_watch_fini(&s->watch);
    vg_token_fini(&s->token);
    vg_rate_fini(&s->rate);
    vg_task_release(&s->child);
    rig_close(&s->rig);
}

/* One step of the next worker; time passes when all are idle. */
static void step(struct stage *s, unsigned n, unsigned *idle)
{
    if (vg_exec_step(s->rig.exec, n % 2) != VG_STEP_IDLE)
        *idle = 0;
    else if (++*idle >= 2 && vg_exec_next_deadline(s->rig.exec) < VG_NEVER)
        s->rig.sim.now = vg_exec_next_deadline(s->rig.exec);
}

enum { ACTOR, GIVER };

static void start(struct stage *s, const struct act *act)
{
    struct rig *const rig = &s->rig;

    CHECK_EQ(VG_SPAWN(rig->exec, &s->child, partner, &s->barrier), 0);
    CHECK_EQ(VG_SPAWN(rig->exec, &rig->task[ACTOR], actor, act->make(s)), 0);
    CHECK_EQ(VG_SPAWN(rig->exec, &rig->task[GIVER], giver, s, act), 0);
    rig->tasks = 2;
}

/* Cancels before step `when`. Returns whether the act was over by then. */
static bool cancel_at(const struct act *act, unsigned when)
{
    static struct stage s;
    unsigned idle = 0;
    bool over;

    test_note("%s, cancelled before step %u", act->name, when);
    stage_open(&s);
    start(&s, act);
    for (unsigned n = 0; n < when; n++)
        step(&s, n, &idle);
    over = rig_done(&s.rig, ACTOR);
    vg_task_cancel(&s.rig.task[ACTOR]);
    rig_pass(&s.rig, VG_SEC(1));
    CHECK(rig_done(&s.rig, ACTOR));
    CHECK(rig_done(&s.rig, GIVER));
    CHECK(vg_task_done(&s.child));
    act->check(&s);
    stage_close(&s);
    return over;
}

TEST(every_future_can_be_cancelled_before_every_step)
{
    for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++) {
        unsigned when = 0;

        while (!cancel_at(&acts[i], when)) {
            when++;
            CHECK(when < 1000);
        }
        CHECK(when > 2); /* it did not end by itself at once */
    }
}
