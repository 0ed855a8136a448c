/* SPDX-License-Identifier: MIT */
#include <vigil/broadcast.h>

#include <pthread.h>
#include <sched.h>

#include "threads.h"
#include "world.h"

enum { SLOTS = 4 };

struct setting {
    struct world world;
    struct vg_broadcast channel;
    uint64_t slots[SLOTS];
};

static void setting_open(struct setting *s, uint64_t seed)
{
    world_open(&s->world, seed, 1 + (unsigned)(seed % 3), true);
    vg_broadcast_init(&s->channel, "events", s->slots, SLOTS);
}

static void setting_close(struct setting *s)
{
    world_close(&s->world);
    vg_broadcast_fini(&s->channel);
}

static int put(struct setting *s, uint64_t value)
{
    return vg_broadcast_send(&s->channel, &value);
}

/* The value, or a negative errno. */
static int get(struct vg_subscription *subscription)
{
    uint64_t value;
    int rc = vg_broadcast_try_recv(subscription, &value);

    return rc < 0 ? rc : (int)value;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* Runs until nothing can happen any more. */
static void settle(struct setting *s)
{
    CHECK_EQ(sim_run(&s->world.sim, s->world.exec, never, NULL, VG_SEC(1)), -EDEADLK);
}

/* ---- without waiting ----------------------------------------------------------------------- */

TEST(every_subscriber_receives_every_value_sent_since_it_subscribed)
{
    struct setting s;
    struct vg_subscription early, late;

    vg_broadcast_init(&s.channel, "events", s.slots, SLOTS);
    CHECK_EQ(put(&s, 1), 0);
    vg_broadcast_subscribe(&early, &s.channel);
    CHECK_EQ(get(&early), -EAGAIN);
    CHECK_EQ(put(&s, 2), 0);
    vg_broadcast_subscribe(&late, &s.channel);
    CHECK_EQ(put(&s, 3), 0);
    CHECK_EQ(get(&early), 2);
    CHECK_EQ(get(&early), 3);
    CHECK_EQ(get(&early), -EAGAIN);
    CHECK_EQ(get(&late), 3);
    CHECK_EQ(get(&late), -EAGAIN);
    vg_broadcast_fini(&s.channel);
}

TEST(a_subscriber_that_lags_is_told_how_many_it_has_lost)
{
    struct setting s;
    struct vg_subscription slow;

    vg_broadcast_init(&s.channel, "events", s.slots, SLOTS);
    vg_broadcast_subscribe(&slow, &s.channel);
    for (uint64_t i = 0; i < SLOTS; i++)
        CHECK_EQ(put(&s, i), 0);
    CHECK_EQ(get(&slow), 0); /* just in time */
    for (uint64_t i = SLOTS; i < SLOTS + 7; i++)
        CHECK_EQ(put(&s, i), 0);
    CHECK_EQ(get(&slow), -EOVERFLOW);
    CHECK_EQ(slow.lost, 6);
    for (int i = 7; i < SLOTS + 7; i++)
        CHECK_EQ(get(&slow), i);
    CHECK_EQ(get(&slow), -EAGAIN);
    for (uint64_t i = 0; i <= SLOTS; i++)
        CHECK_EQ(put(&s, i), 0);
    CHECK_EQ(get(&slow), -EOVERFLOW);
    CHECK_EQ(slow.lost, 1);
    CHECK_EQ(get(&slow), 1);
    vg_broadcast_fini(&s.channel);
}

TEST(what_is_remembered_is_received_after_the_close)
{
    struct setting s;
    struct vg_subscription subscription;

    vg_broadcast_init(&s.channel, "events", s.slots, SLOTS);
    vg_broadcast_subscribe(&subscription, &s.channel);
    CHECK_EQ(put(&s, 1), 0);
    vg_broadcast_close(&s.channel);
    vg_broadcast_close(&s.channel);
    CHECK_EQ(put(&s, 2), -EPIPE);
    CHECK_EQ(get(&subscription), 1);
    CHECK_EQ(get(&subscription), -EPIPE);
    vg_broadcast_subscribe(&subscription, &s.channel);
    CHECK_EQ(get(&subscription), -EPIPE);
    vg_broadcast_fini(&s.channel);
}

/* ---- waiting ------------------------------------------------------------------------------- */

/* Receives until the end, and checks that values follow one another but for those that it has lost. */
struct listener {
    VG_FRAME(int);
    struct setting *s;
    uint64_t value, next, lost, pause;
    int rc;
    struct vg_subscription subscription;
    struct vg_broadcast_recv recv;
    struct vg_sleep nap;
    struct vg_timeout timeout;
};

static void listener_note(struct listener *f, int rc)
{
    if (rc == 0) {
        CHECK_EQ(f->value, f->next);
        f->next++;
    } else if (rc == -EOVERFLOW) {
        f->next += f->subscription.lost;
        f->lost += f->subscription.lost;
    }
}

VG_ASYNC(listener)
{
    VG_BEGIN(f);
    vg_broadcast_subscribe(&f->subscription, &f->s->channel);
    for (f->rc = 0; f->rc != -EPIPE && !vg_cancelled(&f->fut);) {
        vg_broadcast_recv(&f->recv, &f->subscription, &f->value);
        if (f->pause % 2)
            VG_AWAIT(f->rc, vg_timeout(&f->timeout, VG_USEC(f->pause), &f->recv));
        else
            VG_AWAIT(f->rc, &f->recv);
        f->rc = f->recv.ret; /* cancelled ones take nothing */
        listener_note(f, f->rc);
        if (f->pause > 0 && f->rc == 0)
            VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_USEC(f->pause)));
    }
    VG_RETURN(f->rc);
}

static struct listener *listener(struct listener *f, struct setting *s, uint64_t pause)
{
    VG_SETUP(f, listener);
    f->s = s;
    f->pause = pause;
    f->next = f->lost = 0;
    return f;
}

struct speaker {
    VG_FRAME(int);
    struct setting *s;
    uint64_t i;
    struct vg_sleep nap;
};

enum { VALUES = 100 };

VG_ASYNC(speaker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1))); /* all are subscribed */
    for (f->i = 0; f->i < VALUES; f->i++) {
        CHECK_EQ(put(f->s, f->i), 0);
        if (sim_below(&f->s->world.sim, 3) == 0)
            VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_USEC(sim_below(&f->s->world.sim, 3000))));
    }
    vg_broadcast_close(&f->s->channel);
    VG_RETURN(0);
}

static struct speaker *speaker(struct speaker *f, struct setting *s)
{
    VG_SETUP(f, speaker);
    f->s = s;
    return f;
}

TEST(subscribers_of_any_speed_account_for_every_value)
{
    enum { COUNT = 40 };
    uint64_t lost = 0, received = 0;

    TEST_TIMEOUT(120);
    FOR_SEEDS (seed, 100) {
        struct setting s;
        struct vg_handle handle[COUNT];
        struct speaker root;
        setting_open(&s, seed);
        for (unsigned i = 0; i < COUNT; i++)
            CHECK_EQ(VG_SPAWN(s.world.exec, &handle[i], listener, &s, i % 4 * (seed * 37 % 900)),
                     0);
        world_run(&s.world, &speaker(&root, &s)->fut);
        for (unsigned i = 0; i < COUNT; i += 3)
            vg_task_cancel(&handle[i]);
        settle(&s);
        for (unsigned i = 0; i < COUNT; i++) {
            const struct listener *f = vg_task_frame(&handle[i]);

            CHECK(f->ret == -EPIPE || i % 3 == 0); /* where its cancel met it */
            if (f->ret == -EPIPE)
                CHECK_EQ(f->next, VALUES);
            lost += f->lost;
            received += f->next - f->lost;
            vg_task_release(&handle[i]);
        }
        setting_close(&s);
    }
    CHECK(lost > 10000);
    CHECK(received > 10000);
}

TEST(a_channel_that_is_waited_for_is_not_destroyed_and_named_in_reports)
{
    struct setting s;
    struct vg_handle handle;
    struct vg_resource *resource = &s.channel.resource;
    const struct vg_future *fut;
    struct vg_wait wait;
    struct vg_owner owner;

    setting_open(&s, 1);
    CHECK_EQ(VG_SPAWN(s.world.exec, &handle, listener, &s, 0), 0);
    settle(&s);
    CHECK_PANICS("1 futures wait to receive from channel events", vg_broadcast_fini(&s.channel));
    CHECK_STR(resource->ops->kind, "broadcast");
    CHECK_STR(resource->name, "events");
    CHECK_EQ(resource->ops->waiters(resource), 1);
    CHECK(!resource->ops->owner(resource, &owner));
    fut = s.channel.receivers.first->waiter.fut;
    CHECK(fut->ops->waits(fut, &wait));
    CHECK_EQ(wait.resource, resource);
    CHECK_EQ(wait.state, VG_WAIT_QUEUED);
    vg_task_cancel(&handle);
    settle(&s);
    CHECK_EQ(resource->ops->waiters(resource), 0);
    CHECK_EQ(VG_TASK_RET(&handle, struct listener), -ECANCELED);
    vg_task_release(&handle);
    CHECK_PANICS("a bounded channel has 1 to", vg_broadcast_init(&s.channel, "none", s.slots, 0));
    setting_close(&s);
}

/* ---- on threads ---------------------------------------------------------------------------- */

enum { THREADS = 2, TASKS = 3, EACH = 2000 };

static struct {
    struct vg_broadcast channel;
    uint64_t slots[64];
} radio;

static void *send_all(void *arg)
{
    uint64_t who = (uint64_t)(uintptr_t)arg;

    for (uint64_t i = 0; i < EACH; i++) {
        uint64_t value = who << 32 | i;

        CHECK_EQ(vg_broadcast_send(&radio.channel, &value), 0);
        if (i % 16 == 0)
            sched_yield();
    }
    return NULL;
}

struct hearer {
    VG_FRAME(int);
    struct vg_subscription subscription;
    uint64_t value, got, lost, next[THREADS];
    struct vg_broadcast_recv recv;
};

VG_ASYNC(hearer)
{
    VG_BEGIN(f);
    for (f->ret = 0; f->ret != -EPIPE;) {
        VG_AWAIT(f->ret, vg_broadcast_recv(&f->recv, &f->subscription, &f->value));
        if (f->ret == -EOVERFLOW) {
            f->lost += f->subscription.lost;
        } else if (f->ret == 0) {
            CHECK((uint32_t)f->value >= f->next[f->value >> 32]); /* in the order of each sender */
            f->next[f->value >> 32] = (uint32_t)f->value + 1;
            f->got++;
        }
    }
    VG_RETURN(0);
}

static struct hearer *hearer(struct hearer *f)
{
    VG_SETUP(f, hearer);
    vg_broadcast_subscribe(&f->subscription, &radio.channel);
    f->got = f->lost = 0;
    memset(f->next, 0, sizeof f->next);
    return f;
}

TEST(threads_send_to_several_tasks)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        pthread_t thread[THREADS];
        struct vg_handle handle[TASKS];

        vg_broadcast_init(&radio.channel, "radio", radio.slots, 64);
        for (unsigned i = 0; i < TASKS; i++)
            CHECK_EQ(VG_SPAWN(exec, &handle[i], hearer), 0);
        for (uintptr_t i = 0; i < THREADS; i++)
            CHECK_EQ(pthread_create(&thread[i], NULL, send_all, (void *)i), 0);
        for (unsigned i = 0; i < THREADS; i++)
            CHECK_EQ(pthread_join(thread[i], NULL), 0);
        vg_broadcast_close(&radio.channel);
        for (unsigned i = 0; i < TASKS; i++) {
            const struct hearer *f;

            while (!vg_task_done(&handle[i]))
                sched_yield();
            f = vg_task_frame(&handle[i]);
            CHECK_EQ(f->got + f->lost, THREADS * EACH);
            vg_task_release(&handle[i]);
        }
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        vg_broadcast_fini(&radio.channel);
    }
}
