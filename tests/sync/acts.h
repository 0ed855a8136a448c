/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_ACTS_H
#define VIGIL_TESTS_SYNC_ACTS_H

#include "stage.h"

/* An act for each future of core and sync. */

#define MAKE(act, expression)                                                                      \
    static inline struct vg_future *make_##act(struct stage *s)                                    \
    {                                                                                              \
        return &(expression)->fut;                                                                 \
    }

static inline void give_nothing(struct stage *s)
{
    (void)s;
}

static inline void check_nothing(struct stage *s)
{
    (void)s;
}

MAKE(lock, vg_lock(&s->f.lock, &s->mutex))
static inline void give_lock(struct stage *s)
{
    vg_unlock(&s->mutex); /* the stage has it */
}
static inline void check_lock(struct stage *s)
{
    if (s->f.lock.ret == 0)
        vg_unlock(&s->mutex);
    CHECK(vg_trylock(&s->mutex));
    vg_unlock(&s->mutex);
}

MAKE(rdlock, vg_rdlock(&s->f.rdlock, &s->rwlock))
static inline void give_rwlock(struct stage *s)
{
    vg_wrunlock(&s->rwlock);
}
static inline void check_rdlock(struct stage *s)
{
    if (s->f.rdlock.ret == 0)
        vg_rdunlock(&s->rwlock);
    CHECK(vg_trywrlock(&s->rwlock));
    vg_wrunlock(&s->rwlock);
}

MAKE(wrlock, vg_wrlock(&s->f.wrlock, &s->rwlock))
static inline void check_wrlock(struct stage *s)
{
    if (s->f.wrlock.ret == 0)
        vg_wrunlock(&s->rwlock);
    CHECK(vg_trywrlock(&s->rwlock));
    vg_wrunlock(&s->rwlock);
}

MAKE(acquire, vg_acquire(&s->f.acquire, &s->semaphore, 2))
static inline void give_permits(struct stage *s)
{
    vg_release(&s->semaphore, 3);
}
static inline void check_acquire(struct stage *s)
{
    if (s->f.acquire.ret == 0)
        vg_release(&s->semaphore, 2);
    CHECK_EQ(vg_semaphore_free(&s->semaphore), 3);
}

MAKE(notified, vg_notified(&s->f.notified, &s->notifier))
static inline void give_notification(struct stage *s)
{
    vg_notify_one(&s->notifier);
}

MAKE(barrier, vg_barrier_wait(&s->f.barrier_wait, &s->barrier))
MAKE(cond, vg_cond_wait(&s->f.cond_wait, &s->cond, &s->mutex))
static inline void give_signal(struct stage *s)
{
    vg_cond_signal(&s->cond);
}
static inline void check_cond(struct stage *s)
{
    vg_unlock(&s->mutex); /* however it ended, it has the mutex again */
    CHECK(vg_trylock(&s->mutex));
    vg_unlock(&s->mutex);
}

MAKE(once, vg_once(&s->f.once, &s->cell, vg_sleep(&s->nap, VG_MSEC(5))))
static inline void check_once(struct stage *s)
{
    CHECK_EQ(vg_once_done(&s->cell), s->f.once.ret == 0);
}

MAKE(oneshot, vg_oneshot_recv(&s->f.oneshot_recv, &s->oneshot))
static inline void give_oneshot(struct stage *s)
{
    CHECK_EQ(vg_oneshot_send(&s->oneshot, s), 0);
}
static inline void check_oneshot(struct stage *s)
{
    if (s->f.oneshot_recv.ret == 0)
        CHECK(s->f.oneshot_recv.value == s);
    else
        CHECK(vg_oneshot_drop(&s->oneshot) == s);
}

static inline int sent(struct stage *s, struct vg_mpsc *channel)
{
    int value, n = 0;

    (void)s;
    while (vg_mpsc_try_recv(channel, &value) == 0)
        n++;
    return n;
}

MAKE(send, vg_mpsc_send(&s->f.send, &s->full, &s->value))
static inline void give_room(struct stage *s)
{
    CHECK_EQ(vg_mpsc_try_recv(&s->full, &s->watched), 0);
}
static inline void check_send(struct stage *s)
{
    CHECK_EQ(sent(s, &s->full), 1 + (s->f.send.ret == 0));
}

MAKE(reserve, vg_mpsc_reserve(&s->f.send, &s->full))
static inline void check_reserve(struct stage *s)
{
    if (s->f.send.ret == 0)
        vg_mpsc_unreserve(&s->full);
    CHECK_EQ(vg_mpsc_try_send(&s->full, &s->value), 0);
    CHECK_EQ(vg_mpsc_try_send(&s->full, &s->value), -EAGAIN);
    CHECK_EQ(sent(s, &s->full), 2);
}

MAKE(receive, vg_mpsc_recv(&s->f.receive, &s->mpsc, &s->value))
static inline void give_value(struct stage *s)
{
    CHECK_EQ(vg_mpsc_try_send(&s->mpsc, &(int){7}), 0);
}
static inline void check_receive(struct stage *s)
{
    CHECK_EQ(sent(s, &s->mpsc), s->f.receive.ret != 0);
}

MAKE(unbounded, vg_unbounded_recv(&s->f.receive, &s->unbounded, &s->value))
static inline void give_unbounded(struct stage *s)
{
    CHECK_EQ(vg_unbounded_send(&s->unbounded, &(int){7}), 0);
}
static inline void check_unbounded(struct stage *s)
{
    CHECK_EQ(vg_unbounded_try_recv(&s->unbounded, &s->value), s->f.receive.ret == 0 ? -EAGAIN : 0);
}

MAKE(mpmc, vg_mpmc_recv(&s->f.mpmc_recv, &s->mpmc, &s->value))
static inline void give_mpmc(struct stage *s)
{
    CHECK_EQ(vg_mpmc_try_send(&s->mpmc, &(int){7}), 0);
}
static inline void check_mpmc(struct stage *s)
{
    CHECK_EQ(vg_mpmc_try_recv(&s->mpmc, &s->value), s->f.mpmc_recv.ret == 0 ? -EAGAIN : 0);
}

MAKE(broadcast, vg_broadcast_recv(&s->f.broadcast_recv, &s->subscription, &s->value))
static inline void give_broadcast(struct stage *s)
{
    CHECK_EQ(vg_broadcast_send(&s->broadcast, &(int){7}), 0);
}
static inline void check_broadcast(struct stage *s)
{
    CHECK_EQ(vg_broadcast_try_recv(&s->subscription, &s->value),
             s->f.broadcast_recv.ret == 0 ? -EAGAIN : 0);
}

MAKE(watch, vg_watch_changed(&s->f.changed, &s->watch, &s->seen, &s->value))
static inline void give_change(struct stage *s)
{
    CHECK_EQ(vg_watch_set(&s->watch, &(int){7}), 0);
}
static inline void check_watch(struct stage *s)
{
    CHECK_EQ(s->seen == vg_watch_version(&s->watch), s->f.changed.ret == 0);
}

MAKE(token, vg_token_wait(&s->f.token_wait, &s->token))
static inline void give_token(struct stage *s)
{
    vg_token_cancel(&s->token);
}

MAKE(rate, vg_rate_acquire(&s->f.rate_acquire, &s->rate, 1))
MAKE(task_wait, vg_task_wait(&s->f.task_wait, &s->child))
static inline void check_task_wait(struct stage *s)
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

static inline void check_naps(struct stage *s)
{
    CHECK(s->nap.fut.state == VG_INIT || vg_done(&s->nap.fut));
    CHECK(s->other_nap.fut.state == VG_INIT || vg_done(&s->other_nap.fut));
}

MAKE(stream, vg_stream_next(vg_mpsc_stream(&s->f.stream, &s->mpsc, &s->value)))
static inline void check_stream(struct stage *s)
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

#endif
