/* SPDX-License-Identifier: MIT */
#include "stage.h"

/* Every future is cancelled in every state: before each step of the executor, from its start to its end. */

/* ---- the acts ---------------------------------------------------------------------------------- */

#define MAKE(act, expression)                                                                      \
    static struct vg_future *make_##act(struct stage *s)                                           \
    {                                                                                              \
        return &(expression)->fut;                                                                 \
    }

static void give_nothing(struct stage *s)
{
    (void)s;
}

static void check_nothing(struct stage *s)
{
    (void)s;
}

MAKE(lock, vg_lock(&s->f.lock, &s->mutex))
static void give_lock(struct stage *s)
{
    vg_unlock(&s->mutex); /* the stage has it */
}
static void check_lock(struct stage *s)
{
    if (s->f.lock.ret == 0)
        vg_unlock(&s->mutex);
    CHECK(vg_trylock(&s->mutex));
    vg_unlock(&s->mutex);
}

MAKE(rdlock, vg_rdlock(&s->f.rdlock, &s->rwlock))
static void give_rwlock(struct stage *s)
{
    vg_wrunlock(&s->rwlock);
}
static void check_rdlock(struct stage *s)
{
    if (s->f.rdlock.ret == 0)
        vg_rdunlock(&s->rwlock);
    CHECK(vg_trywrlock(&s->rwlock));
    vg_wrunlock(&s->rwlock);
}

MAKE(wrlock, vg_wrlock(&s->f.wrlock, &s->rwlock))
static void check_wrlock(struct stage *s)
{
    if (s->f.wrlock.ret == 0)
        vg_wrunlock(&s->rwlock);
    CHECK(vg_trywrlock(&s->rwlock));
    vg_wrunlock(&s->rwlock);
}

MAKE(acquire, vg_acquire(&s->f.acquire, &s->semaphore, 2))
static void give_permits(struct stage *s)
{
    vg_release(&s->semaphore, 3);
}
static void check_acquire(struct stage *s)
{
    if (s->f.acquire.ret == 0)
        vg_release(&s->semaphore, 2);
    CHECK_EQ(vg_semaphore_free(&s->semaphore), 3);
}

MAKE(notified, vg_notified(&s->f.notified, &s->notifier))
static void give_notification(struct stage *s)
{
    vg_notify_one(&s->notifier);
}

MAKE(barrier, vg_barrier_wait(&s->f.barrier_wait, &s->barrier))
MAKE(cond, vg_cond_wait(&s->f.cond_wait, &s->cond, &s->mutex))
static void give_signal(struct stage *s)
{
    vg_cond_signal(&s->cond);
}
static void check_cond(struct stage *s)
{
    vg_unlock(&s->mutex); /* however it ended, it has the mutex again */
    CHECK(vg_trylock(&s->mutex));
    vg_unlock(&s->mutex);
}

MAKE(once, vg_once(&s->f.once, &s->cell, vg_sleep(&s->nap, VG_MSEC(5))))
static void check_once(struct stage *s)
{
    CHECK_EQ(vg_once_done(&s->cell), s->f.once.ret == 0);
}

MAKE(oneshot, vg_oneshot_recv(&s->f.oneshot_recv, &s->oneshot))
static void give_oneshot(struct stage *s)
{
    CHECK_EQ(vg_oneshot_send(&s->oneshot, s), 0);
}
static void check_oneshot(struct stage *s)
{
    if (s->f.oneshot_recv.ret == 0)
        CHECK(s->f.oneshot_recv.value == s);
    else
        CHECK(vg_oneshot_drop(&s->oneshot) == s);
}

static int sent(struct stage *s, struct vg_mpsc *channel)
{
    int value, n = 0;

    (void)s;
    while (vg_mpsc_try_recv(channel, &value) == 0)
        n++;
    return n;
}

MAKE(send, vg_mpsc_send(&s->f.send, &s->full, &s->value))
static void give_room(struct stage *s)
{
    CHECK_EQ(vg_mpsc_try_recv(&s->full, &s->watched), 0);
}
static void check_send(struct stage *s)
{
    CHECK_EQ(sent(s, &s->full), 1 + (s->f.send.ret == 0));
}

MAKE(reserve, vg_mpsc_reserve(&s->f.send, &s->full))
static void check_reserve(struct stage *s)
{
    if (s->f.send.ret == 0)
        vg_mpsc_unreserve(&s->full);
    CHECK_EQ(vg_mpsc_try_send(&s->full, &s->value), 0);
    CHECK_EQ(vg_mpsc_try_send(&s->full, &s->value), -EAGAIN);
    CHECK_EQ(sent(s, &s->full), 2);
}

MAKE(receive, vg_mpsc_recv(&s->f.receive, &s->mpsc, &s->value))
static void give_value(struct stage *s)
{
    CHECK_EQ(vg_mpsc_try_send(&s->mpsc, &(int){7}), 0);
}
static void check_receive(struct stage *s)
{
    CHECK_EQ(sent(s, &s->mpsc), s->f.receive.ret != 0);
}

MAKE(unbounded, vg_unbounded_recv(&s->f.receive, &s->unbounded, &s->value))
static void give_unbounded(struct stage *s)
{
    CHECK_EQ(vg_unbounded_send(&s->unbounded, &(int){7}), 0);
}
static void check_unbounded(struct stage *s)
{
    CHECK_EQ(vg_unbounded_try_recv(&s->unbounded, &s->value), s->f.receive.ret == 0 ? -EAGAIN : 0);
}

MAKE(mpmc, vg_mpmc_recv(&s->f.mpmc_recv, &s->mpmc, &s->value))
static void give_mpmc(struct stage *s)
{
    CHECK_EQ(vg_mpmc_try_send(&s->mpmc, &(int){7}), 0);
}
static void check_mpmc(struct stage *s)
{
    CHECK_EQ(vg_mpmc_try_recv(&s->mpmc, &s->value), s->f.mpmc_recv.ret == 0 ? -EAGAIN : 0);
}

MAKE(broadcast, vg_broadcast_recv(&s->f.broadcast_recv, &s->subscription, &s->value))
static void give_broadcast(struct stage *s)
{
    CHECK_EQ(vg_broadcast_send(&s->broadcast, &(int){7}), 0);
}
static void check_broadcast(struct stage *s)
{
    CHECK_EQ(vg_broadcast_try_recv(&s->subscription, &s->value),
             s->f.broadcast_recv.ret == 0 ? -EAGAIN : 0);
}

MAKE(watch, vg_watch_changed(&s->f.changed, &s->watch, &s->seen, &s->value))
static void give_change(struct stage *s)
{
    CHECK_EQ(vg_watch_set(&s->watch, &(int){7}), 0);
}
static void check_watch(struct stage *s)
{
    CHECK_EQ(s->seen == vg_watch_version(&s->watch), s->f.changed.ret == 0);
}

MAKE(token, vg_token_wait(&s->f.token_wait, &s->token))
static void give_token(struct stage *s)
{
    vg_token_cancel(&s->token);
}

MAKE(rate, vg_rate_acquire(&s->f.rate_acquire, &s->rate, 1))
MAKE(task_wait, vg_task_wait(&s->f.task_wait, &s->child))
static void check_task_wait(struct stage *s)
{
    CHECK(vg_task_done(&s->child)); /* the wait was cancelled, the task was not */
    CHECK_EQ(vg_sleep(&s->nap, 0)->ret, 0);
}

MAKE(sleep, vg_sleep(&s->nap, VG_MSEC(7)))
MAKE(yield, vg_yield(&s->f.yield))
MAKE(interval, (vg_interval_init(&s->f.interval, VG_MSEC(7)), vg_interval_next(&s->f.interval)))
MAKE(timeout, vg_timeout(&s->f.timeout, VG_MSEC(3), vg_sleep(&s->nap, VG_MSEC(5))))
MAKE(select, VG_SELECT(s->sel, VG_CANCEL(vg_sleep(&s->nap, VG_MSEC(3))),
                       VG_CANCEL(vg_sleep(&s->other_nap, VG_MSEC(5)))))
MAKE(biased, VG_SELECT_BIASED(s->sel, VG_CANCEL(vg_sleep(&s->nap, VG_MSEC(3))),
                              VG_CANCEL(vg_sleep(&s->other_nap, VG_MSEC(5)))))
MAKE(join, VG_JOIN(s->join, vg_sleep(&s->nap, VG_MSEC(3)), vg_sleep(&s->other_nap, VG_MSEC(5))))
MAKE(try_join,
     VG_TRY_JOIN(s->tries, vg_sleep(&s->nap, VG_MSEC(3)), vg_sleep(&s->other_nap, VG_MSEC(5))))

static void check_naps(struct stage *s)
{
    CHECK(s->nap.fut.state == VG_INIT || vg_done(&s->nap.fut));
    CHECK(s->other_nap.fut.state == VG_INIT || vg_done(&s->other_nap.fut));
}

MAKE(stream, vg_stream_next(vg_mpsc_stream(&s->f.stream, &s->mpsc, &s->value)))
static void check_stream(struct stage *s)
{
    CHECK_EQ(sent(s, &s->mpsc), s->f.stream.source.stream.ret != 1);
}

static const struct act acts[] = {
    {"lock", make_lock, give_lock, check_lock},
    {"rdlock", make_rdlock, give_rwlock, check_rdlock},
    {"wrlock", make_wrlock, give_rwlock, check_wrlock},
    {"acquire", make_acquire, give_permits, check_acquire},
    {"notified", make_notified, give_notification, check_nothing},
    {"barrier", make_barrier, give_nothing, check_nothing},
    {"cond", make_cond, give_signal, check_cond},
    {"once", make_once, give_nothing, check_once},
    {"oneshot", make_oneshot, give_oneshot, check_oneshot},
    {"send", make_send, give_room, check_send},
    {"reserve", make_reserve, give_room, check_reserve},
    {"receive", make_receive, give_value, check_receive},
    {"unbounded", make_unbounded, give_unbounded, check_unbounded},
    {"mpmc", make_mpmc, give_mpmc, check_mpmc},
    {"broadcast", make_broadcast, give_broadcast, check_broadcast},
    {"watch", make_watch, give_change, check_watch},
    {"token", make_token, give_token, check_nothing},
    {"rate", make_rate, give_nothing, check_nothing},
    {"task_wait", make_task_wait, give_nothing, check_task_wait},
    {"sleep", make_sleep, give_nothing, check_nothing},
    {"yield", make_yield, give_nothing, check_nothing},
    {"interval", make_interval, give_nothing, check_nothing},
    {"timeout", make_timeout, give_nothing, check_naps},
    {"select", make_select, give_nothing, check_naps},
    {"biased", make_biased, give_nothing, check_naps},
    {"join", make_join, give_nothing, check_naps},
    {"try_join", make_try_join, give_nothing, check_naps},
    {"stream", make_stream, give_value, check_stream},
};

/* ---- the tasks --------------------------------------------------------------------------------- */

/* Awaits the future of the act. */
struct actor {
    VG_FRAME(int);
    struct vg_future *child;
    struct vg_join all;
    struct vg_future *storage;
};

VG_ASYNC(actor)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_join(&f->all, &f->storage, &f->child, 1));
    VG_RETURN(rc);
}

static struct actor *actor(struct actor *f, struct vg_future *child)
{
    VG_SETUP(f, actor);
    f->child = child;
    return f;
}

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
