/* SPDX-License-Identifier: MIT */
#include <vigil/mpmc.h>

#include "market.h"

enum { SLOTS = 4 };

/* ---- conservation -------------------------------------------------------------------------- */

static struct any *on_send(struct goods *goods, void *channel, const uint64_t *value)
{
    return (struct any *)vg_mpmc_send((struct vg_mpsc_send *)(void *)goods, channel, value);
}

static int on_try_send(void *channel, const uint64_t *value)
{
    return vg_mpmc_try_send(channel, value);
}

static struct any *on_reserve(struct goods *goods, void *channel)
{
    return (struct any *)vg_mpmc_reserve((struct vg_mpsc_send *)(void *)goods, channel);
}

static void on_send_reserved(void *channel, const uint64_t *value)
{
    vg_mpmc_send_reserved(channel, value);
}

static void on_unreserve(void *channel)
{
    vg_mpmc_unreserve(channel);
}

static struct any *on_recv(struct goods *goods, void *channel, uint64_t *value)
{
    return (struct any *)vg_mpmc_recv((struct vg_mpmc_recv *)(void *)goods, channel, value);
}

static int on_try_recv(void *channel, uint64_t *value)
{
    return vg_mpmc_try_recv(channel, value);
}

static void on_close(void *channel)
{
    vg_mpmc_close(channel);
}

static const struct market_kind mpmc = {
    .send = on_send,
    .try_send = on_try_send,
    .reserve = on_reserve,
    .send_reserved = on_send_reserved,
    .unreserve = on_unreserve,
    .recv = on_recv,
    .try_recv = on_try_recv,
    .close = on_close,
};

TEST(every_value_goes_to_one_receiver_whatever_is_cancelled)
{
    unsigned sent = 0, cancelled = 0;

    TEST_TIMEOUT(120);
    FOR_SEEDS (seed, 500) {
        struct market market;
        struct vg_mpmc channel;
        uint64_t slots[SLOTS];
        vg_mpmc_init(&channel, "market", slots, 1 + seed % SLOTS);
        market_open(&market, seed, &mpmc, &channel, 1 + (unsigned)(seed % LEDGER_SENDERS),
                    1 + (unsigned)(seed / 7 % 5));
        market_run(&market, (unsigned)(seed % 30));
        vg_mpmc_fini(&channel);
        sent += market.ledger.sent;
        cancelled += market.ledger.cancelled;
    }
    CHECK(sent > 10000);
    CHECK(cancelled > 1000);
}

/* ---- receivers that wait ------------------------------------------------------------------- */

struct setting {
    struct world world;
    struct vg_mpmc channel;
    uint64_t slots[SLOTS];
};

struct getter {
    VG_FRAME(int);
    struct setting *s;
    uint64_t value;
    struct vg_mpmc_recv recv;
};

VG_ASYNC(getter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_mpmc_recv(&f->recv, &f->s->channel, &f->value));
    VG_RETURN(f->ret);
}

static struct getter *getter(struct getter *f, struct setting *s)
{
    VG_SETUP(f, getter);
    f->s = s;
    return f;
}

/* Lets a receive wait, parked, and comes back to it after 50 ms. */
struct sloth {
    VG_FRAME(int);
    struct setting *s;
    uint64_t value;
    int rc;
    struct vg_mpmc_recv recv;
    struct vg_sleep nap;
    VG_ARMS(2) sel;
};

VG_ASYNC(sloth)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_mpmc_recv(&f->recv, &f->s->channel, &f->value)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(50)));
    VG_AWAIT(f->ret, &f->recv);
    VG_RETURN(f->ret);
}

static struct sloth *sloth(struct sloth *f, struct setting *s)
{
    VG_SETUP(f, sloth);
    f->s = s;
    return f;
}

static void setting_open(struct setting *s, uint64_t seed)
{
    world_open(&s->world, seed, 1 + (unsigned)(seed % 3), true);
    vg_mpmc_init(&s->channel, "jobs", s->slots, SLOTS);
}

static void setting_close(struct setting *s)
{
    world_close(&s->world);
    vg_mpmc_fini(&s->channel);
}

static int settle(struct setting *s)
{
    return sim_run(&s->world.sim, s->world.exec, market_never, NULL, VG_SEC(1));
}

static int put(struct setting *s, uint64_t value)
{
    return vg_mpmc_try_send(&s->channel, &value);
}

static struct getter *frame(struct vg_handle *handle)
{
    CHECK(vg_task_done(handle));
    return vg_task_frame(handle);
}

TEST(receivers_are_served_in_the_order_in_which_they_came)
{
    enum { COUNT = 40 };

    FOR_SEEDS (seed, 30) {
        struct setting s;
        struct vg_handle handle[COUNT];
        uint64_t value;
        setting_open(&s, seed);
        for (unsigned i = 0; i < COUNT; i++) {
            CHECK_EQ(VG_SPAWN(s.world.exec, &handle[i], getter, &s), 0);
            CHECK_EQ(settle(&s), -EDEADLK);
        }
        for (unsigned i = 0; i < SLOTS; i++)
            CHECK_EQ(put(&s, i), 0);
        CHECK_EQ(vg_mpmc_try_recv(&s.channel, &value), -EAGAIN); /* they are set aside */
        CHECK_EQ(settle(&s), -EDEADLK);
        for (unsigned i = 0; i < COUNT; i++)
            CHECK_EQ(vg_task_done(&handle[i]), i < SLOTS);
        vg_mpmc_close(&s.channel);
        CHECK_EQ(settle(&s), -EDEADLK);
        for (unsigned i = 0; i < COUNT; i++) {
            CHECK_EQ(frame(&handle[i])->ret, i < SLOTS ? 0 : -EPIPE);
            vg_task_release(&handle[i]);
        }
        setting_close(&s);
    }
}

/* Comes when the other one has parked its receive, and sends 7 and 8 before that is polled again. */
struct diligent {
    VG_FRAME(int);
    struct setting *s;
    uint64_t value;
    int rc;
    struct vg_handle next;
    struct vg_sleep nap;
    struct vg_task_wait wait;
};

VG_ASYNC(diligent)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->next, getter, f->s), 0);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
    CHECK_EQ(put(f->s, 7), 0);
    VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->next));
    CHECK_EQ(world_ms(&f->s->world), 10);
    CHECK_EQ(frame(&f->next)->value, 7);
    vg_task_release(&f->next);
    CHECK_EQ(put(f->s, 8), 0); /* nobody eligible waits: it is there for anybody */
    CHECK_EQ(vg_mpmc_try_recv(&f->s->channel, &f->value), 0);
    CHECK_EQ(put(f->s, 9), 0);
    VG_RETURN(0);
}

static struct diligent *diligent(struct diligent *f, struct setting *s)
{
    VG_SETUP(f, diligent);
    f->s = s;
    return f;
}

TEST(a_value_that_a_parked_receive_does_not_take_goes_to_the_next)
{
    FOR_SEEDS (seed, 100) {
        struct setting s;
        struct vg_handle lazy;
        struct diligent root;
        setting_open(&s, seed);
        CHECK_EQ(VG_SPAWN(s.world.exec, &lazy, sloth, &s), 0);
        world_run(&s.world, &diligent(&root, &s)->fut);
        CHECK_EQ(root.value, 8);
        CHECK_EQ(settle(&s), -EDEADLK);
        CHECK_EQ(((struct sloth *)(void *)frame(&lazy))->value, 9);
        vg_task_release(&lazy);
        setting_close(&s);
    }
}

TEST(a_receive_that_is_cancelled_when_served_passes_the_value_on)
{
    FOR_SEEDS (seed, 100) {
        struct setting s;
        struct vg_handle first, second;
        setting_open(&s, seed);
        CHECK_EQ(VG_SPAWN(s.world.exec, &first, getter, &s), 0);
        CHECK_EQ(settle(&s), -EDEADLK);
        CHECK_EQ(VG_SPAWN(s.world.exec, &second, getter, &s), 0);
        CHECK_EQ(settle(&s), -EDEADLK);
        vg_task_cancel(&first); /* pushed before the grant, so the task sees it first */
        CHECK_EQ(put(&s, 7), 0);
        CHECK_EQ(settle(&s), -EDEADLK);
        CHECK_EQ(frame(&first)->ret, -ECANCELED);
        CHECK_EQ(frame(&second)->ret, 0);
        CHECK_EQ(frame(&second)->value, 7);
        vg_task_release(&first);
        vg_task_release(&second);
        setting_close(&s);
    }
}

TEST(after_a_close_receivers_end_when_the_last_value_is_taken)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        struct vg_handle first, second;
        setting_open(&s, seed);
        CHECK_EQ(VG_SPAWN(s.world.exec, &first, getter, &s), 0);
        CHECK_EQ(settle(&s), -EDEADLK);
        CHECK_EQ(VG_SPAWN(s.world.exec, &second, getter, &s), 0);
        CHECK_EQ(settle(&s), -EDEADLK);
        CHECK_EQ(put(&s, 7), 0);
        vg_mpmc_close(&s.channel);
        CHECK_EQ(settle(&s), -EDEADLK);
        CHECK_EQ(frame(&first)->value, 7);
        CHECK_EQ(frame(&second)->ret, -EPIPE);
        vg_task_release(&first);
        vg_task_release(&second);
        setting_close(&s);
    }
}

TEST(a_channel_in_use_is_not_destroyed_and_named_in_reports)
{
    struct setting s;
    struct vg_handle first, second;
    struct vg_resource *resource = &s.channel.channel.inbox.resource;
    const struct vg_future *a, *b;
    struct vg_wait wait;

    setting_open(&s, 1);
    CHECK_EQ(VG_SPAWN(s.world.exec, &first, getter, &s), 0);
    CHECK_EQ(settle(&s), -EDEADLK);
    CHECK_EQ(VG_SPAWN(s.world.exec, &second, getter, &s), 0);
    CHECK_EQ(settle(&s), -EDEADLK);
    CHECK_PANICS("2 futures wait to receive from channel jobs", vg_mpmc_fini(&s.channel));
    CHECK_STR(resource->ops->kind, "channel");
    CHECK_STR(resource->name, "jobs");
    CHECK_EQ(resource->ops->waiters(resource), 2);
    a = s.channel.receivers.first->waiter.fut;
    b = s.channel.receivers.last->waiter.fut;
    CHECK(resource->ops->ahead(resource, a, b));
    CHECK(!resource->ops->ahead(resource, b, a));
    CHECK(b->ops->waits(b, &wait));
    CHECK_EQ(wait.resource, resource);
    CHECK_EQ(wait.state, VG_WAIT_QUEUED);
    CHECK(wait.healing);
    vg_mpmc_close(&s.channel);
    CHECK_EQ(settle(&s), -EDEADLK);
    vg_task_release(&first);
    vg_task_release(&second);
    setting_close(&s);
}
