/* SPDX-License-Identifier: MIT */
#include <vigil/unbounded.h>

#include <pthread.h>

#include "market.h"
#include "threads.h"

/* ---- without waiting ----------------------------------------------------------------------- */

enum { LOTS = 1000 };

TEST(values_come_out_in_order_however_many_there_are)
{
    struct vg_unbounded channel;
    uint64_t value, in = 0, out = 0;

    vg_unbounded_init(&channel, "events", sizeof value, &test_alloc);
    CHECK_EQ(vg_unbounded_try_recv(&channel, &value), -EAGAIN);
    for (unsigned round = 0; round < LOTS; round++) {
        for (unsigned i = 0; i < round % 70; i++, in++)
            CHECK_EQ(vg_unbounded_send(&channel, &in), 0);
        for (unsigned i = 0; i < round % 67 && out < in; i++, out++) {
            CHECK_EQ(vg_unbounded_try_recv(&channel, &value), 0);
            CHECK_EQ(value, out);
        }
        CHECK_EQ(vg_unbounded_length(&channel), in - out);
    }
    for (; out < in; out++) {
        CHECK_EQ(vg_unbounded_try_recv(&channel, &value), 0);
        CHECK_EQ(value, out);
    }
    CHECK_EQ(vg_unbounded_try_recv(&channel, &value), -EAGAIN);
    vg_unbounded_fini(&channel);
}

TEST(memory_is_given_back_as_values_are_received_and_at_the_end)
{
    struct vg_unbounded channel;
    uint64_t value = 0;

    vg_unbounded_init(&channel, NULL, sizeof value, &test_alloc);
    CHECK_EQ(test_alloc_live(), 0);
    for (unsigned i = 0; i < LOTS; i++)
        CHECK_EQ(vg_unbounded_send(&channel, &value), 0);
    CHECK_EQ(test_alloc_live(), (LOTS + VG_UNBOUNDED_BLOCK - 1) / VG_UNBOUNDED_BLOCK);
    for (unsigned i = 0; i < LOTS - 1; i++)
        CHECK_EQ(vg_unbounded_try_recv(&channel, &value), 0);
    CHECK_EQ(test_alloc_live(), 2); /* that of the last value, and one that is kept */
    vg_unbounded_fini(&channel);
    CHECK_EQ(test_alloc_live(), 0);
}

TEST(a_send_without_memory_fails_and_leaves_the_channel_as_it_was)
{
    struct vg_unbounded channel;
    uint64_t value = 0;

    vg_unbounded_init(&channel, NULL, sizeof value, &test_alloc);
    for (unsigned i = 0; i < VG_UNBOUNDED_BLOCK; i++, value++)
        CHECK_EQ(vg_unbounded_send(&channel, &value), 0);
    test_alloc_fail_at(1);
    CHECK_EQ(vg_unbounded_send(&channel, &value), -ENOMEM);
    CHECK_EQ(test_alloc_failed(), 1);
    CHECK_EQ(vg_unbounded_length(&channel), VG_UNBOUNDED_BLOCK);
    CHECK_EQ(vg_unbounded_send(&channel, &value), 0);
    for (unsigned i = 0; i <= VG_UNBOUNDED_BLOCK; i++) {
        CHECK_EQ(vg_unbounded_try_recv(&channel, &value), 0);
        CHECK_EQ(value, i);
    }
    vg_unbounded_fini(&channel);
}

TEST(what_was_sent_before_the_close_is_received_after_it)
{
    struct vg_unbounded channel;
    char text[] = "last words", heard[sizeof text];

    vg_unbounded_init(&channel, NULL, sizeof text, NULL);
    CHECK_EQ(vg_unbounded_send(&channel, text), 0);
    vg_unbounded_close(&channel);
    vg_unbounded_close(&channel);
    CHECK_EQ(vg_unbounded_send(&channel, text), -EPIPE);
    CHECK_EQ(vg_unbounded_try_recv(&channel, heard), 0);
    CHECK_STR(heard, text);
    CHECK_EQ(vg_unbounded_try_recv(&channel, heard), -EPIPE);
    vg_unbounded_fini(&channel);
}

/* ---- on the simulator ---------------------------------------------------------------------- */

static int on_send(void *channel, const uint64_t *value)
{
    return vg_unbounded_send(channel, value);
}

static struct any *on_recv(struct goods *goods, void *channel, uint64_t *value)
{
    return (struct any *)vg_unbounded_recv((struct vg_receive *)(void *)goods, channel, value);
}

static struct any *on_recv_many(struct goods *goods, void *channel, uint64_t *values, size_t max)
{
    return (struct any *)vg_unbounded_recv_many((struct vg_receive *)(void *)goods, channel, values,
                                                max);
}

static int on_try_recv(void *channel, uint64_t *value)
{
    return vg_unbounded_try_recv(channel, value);
}

static void on_close(void *channel)
{
    vg_unbounded_close(channel);
}

static const struct market_kind unbounded = {
    .try_send = on_send,
    .recv = on_recv,
    .recv_many = on_recv_many,
    .try_recv = on_try_recv,
    .close = on_close,
};

TEST(every_value_is_received_once_whatever_is_cancelled)
{
    unsigned sent = 0, refused = 0;

    TEST_TIMEOUT(120);
    FOR_SEEDS (seed, 300) {
        struct market market;
        struct vg_unbounded channel;
        vg_unbounded_init(&channel, "market", sizeof(uint64_t), &test_alloc);
        market_open(&market, seed, &unbounded, &channel, 1 + (unsigned)(seed % LEDGER_SENDERS), 1);
        market_run(&market, (unsigned)(seed % 20));
        vg_unbounded_fini(&channel);
        sent += market.ledger.sent;
        refused += market.ledger.refused;
    }
    CHECK(sent > 10000);
    CHECK(refused > 100);
}

struct getter {
    VG_FRAME(int);
    struct vg_unbounded *channel;
    uint64_t value;
    struct vg_receive recv;
};

VG_ASYNC(getter)
{
    VG_BEGIN(f);
    VG_UNBOUNDED_RECV(f->ret, &f->recv, f->channel, &f->value);
    VG_RETURN(f->ret);
}

static struct getter *getter(struct getter *f, struct vg_unbounded *channel)
{
    VG_SETUP(f, getter);
    f->channel = channel;
    return f;
}

TEST(a_channel_that_is_waited_for_is_not_destroyed_and_named_in_reports)
{
    struct world world;
    struct vg_unbounded channel;
    struct vg_handle handle;
    struct vg_resource *resource = &channel.inbox.resource;
    struct vg_owner owner;

    world_open(&world, 1, 2, true);
    vg_unbounded_init(&channel, "events", sizeof(uint64_t), NULL);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, getter, &channel), 0);
    CHECK_EQ(sim_run(&world.sim, world.exec, market_never, NULL, VG_SEC(1)), -EDEADLK);
    CHECK_STR(resource->ops->kind, "channel");
    CHECK_STR(resource->name, "events");
    CHECK_STR(resource->place->file, "test_unbounded.c");
    CHECK_EQ(resource->ops->waiters(resource), 1);
    CHECK(!resource->ops->owner(resource, &owner));
    CHECK_PANICS("a receive waits for channel events", vg_unbounded_fini(&channel));
    vg_unbounded_close(&channel);
    CHECK_EQ(sim_run(&world.sim, world.exec, market_never, NULL, VG_SEC(1)), -EDEADLK);
    CHECK_EQ(VG_TASK_RET(&handle, struct getter), -EPIPE);
    vg_task_release(&handle);
    vg_unbounded_fini(&channel);
    world_close(&world);
}

/* ---- on threads ---------------------------------------------------------------------------- */

enum { THREADS = 3, EACH = 5000 };

struct source {
    struct vg_unbounded *channel;
    uint64_t who;
};

static void *send_all(void *arg)
{
    struct source *source = arg;
    uint64_t value;

    for (uint64_t i = 0; i < EACH; i++) {
        value = source->who << 32 | i;
        CHECK_EQ(vg_unbounded_send(source->channel, &value), 0);
    }
    return NULL;
}

struct sink {
    VG_FRAME(int);
    struct vg_unbounded *channel;
    uint64_t next[THREADS], value[50];
    struct vg_receive recv;
};

VG_ASYNC(sink)
{
    VG_BEGIN(f);
    int rc;

    while (f->next[0] + f->next[1] + f->next[2] < THREADS * EACH) {
        VG_AWAIT(rc, vg_unbounded_recv_many(&f->recv, f->channel, f->value, 50));
        CHECK(rc > 0);
        for (int i = 0; i < rc; i++)
            CHECK_EQ((uint32_t)f->value[i], f->next[f->value[i] >> 32]++);
    }
    VG_RETURN(0);
}

static struct sink *sink(struct sink *f, struct vg_unbounded *channel)
{
    VG_SETUP(f, sink);
    f->channel = channel;
    memset(f->next, 0, sizeof f->next);
    return f;
}

TEST(threads_send_to_a_task)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct sink root;
        struct vg_unbounded channel;
        pthread_t thread[THREADS];
        struct source source[THREADS];

        vg_unbounded_init(&channel, "threads", sizeof(uint64_t), &test_alloc);
        for (unsigned i = 0; i < THREADS; i++) {
            source[i] = (struct source){&channel, i};
            CHECK_EQ(pthread_create(&thread[i], NULL, send_all, &source[i]), 0);
        }
        CHECK_EQ(vg_block_on(exec, &sink(&root, &channel)->fut), 0);
        for (unsigned i = 0; i < THREADS; i++)
            CHECK_EQ(pthread_join(thread[i], NULL), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        vg_unbounded_fini(&channel);
    }
}
