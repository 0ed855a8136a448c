/* SPDX-License-Identifier: MIT */
#include <vigil/oneshot.h>

#include <pthread.h>

#include "threads.h"
#include "world.h"

static int payload[2];

/* Receives once; the oneshot is the caller's. */
struct getter {
    VG_FRAME(int);
    struct vg_oneshot *oneshot;
    void *value;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(getter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_oneshot_recv(&f->recv, f->oneshot));
    f->value = f->recv.value;
    VG_RETURN(f->ret);
}

static struct getter *getter(struct getter *f, struct vg_oneshot *oneshot)
{
    VG_SETUP(f, getter);
    f->oneshot = oneshot;
    return f;
}

struct setting {
    struct world world;
    struct vg_oneshot oneshot;
    struct vg_handle handle;
};

static void setting_open(struct setting *s, uint64_t seed)
{
    world_open(&s->world, seed, 2, true);
    vg_oneshot_init(&s->oneshot, "reply");
}

static bool receiver_done(void *arg)
{
    return vg_task_done(&((struct setting *)arg)->handle);
}

static int run(struct setting *s)
{
    return sim_run(&s->world.sim, s->world.exec, receiver_done, s, VG_SEC(1));
}

/* Starts a receive and runs until it waits. */
static void start(struct setting *s)
{
    CHECK_EQ(VG_SPAWN(s->world.exec, &s->handle, getter, &s->oneshot), 0);
    CHECK_EQ(run(s), -EDEADLK);
}

static const struct getter *finish(struct setting *s)
{
    CHECK_EQ(run(s), 0);
    return vg_task_frame(&s->handle);
}

static void setting_close(struct setting *s)
{
    vg_task_release(&s->handle);
    vg_oneshot_fini(&s->oneshot);
    world_close(&s->world);
}

TEST(a_value_sent_before_the_receive_is_there_at_once)
{
    struct setting s;

    setting_open(&s, 1);
    CHECK_EQ(vg_oneshot_send(&s.oneshot, &payload[1]), 0);
    CHECK_EQ(VG_SPAWN(s.world.exec, &s.handle, getter, &s.oneshot), 0);
    CHECK_EQ(finish(&s)->ret, 0);
    CHECK_EQ(finish(&s)->value, &payload[1]);
    setting_close(&s);
}

TEST(a_value_sent_later_wakes_the_receive)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        setting_open(&s, seed);
        start(&s);
        CHECK_EQ(vg_oneshot_send(&s.oneshot, &payload[0]), 0);
        CHECK_EQ(finish(&s)->ret, 0);
        CHECK_EQ(finish(&s)->value, &payload[0]);
        setting_close(&s);
    }
}

TEST(a_null_value_is_a_value)
{
    struct setting s;

    setting_open(&s, 1);
    start(&s);
    CHECK_EQ(vg_oneshot_send(&s.oneshot, NULL), 0);
    CHECK_EQ(finish(&s)->ret, 0);
    setting_close(&s);
}

TEST(a_sender_that_closes_ends_the_receive_without_a_value)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        setting_open(&s, seed);
        start(&s);
        vg_oneshot_close(&s.oneshot);
        CHECK_EQ(finish(&s)->ret, -EPIPE);
        CHECK_EQ(finish(&s)->value, NULL);
        setting_close(&s);
    }
}

TEST(a_receive_after_the_value_was_received_finds_nothing_more)
{
    struct setting s;

    setting_open(&s, 1);
    CHECK_EQ(vg_oneshot_send(&s.oneshot, &payload[0]), 0);
    CHECK_EQ(vg_oneshot_drop(&s.oneshot), &payload[0]);
    CHECK_EQ(vg_oneshot_drop(&s.oneshot), NULL);
    CHECK_EQ(VG_SPAWN(s.world.exec, &s.handle, getter, &s.oneshot), 0);
    CHECK_EQ(finish(&s)->ret, -EPIPE);
    setting_close(&s);
}

TEST(a_sender_learns_that_the_receiver_has_gone)
{
    struct vg_oneshot oneshot;

    vg_oneshot_init(&oneshot, NULL);
    CHECK_EQ(vg_oneshot_drop(&oneshot), NULL);
    CHECK_EQ(vg_oneshot_send(&oneshot, &payload[0]), -EPIPE);
    vg_oneshot_close(&oneshot);
    vg_oneshot_fini(&oneshot);
}

TEST(a_cancelled_receive_leaves_the_value_for_the_next)
{
    FOR_SEEDS (seed, 100) {
        struct setting s;
        bool sent_first = seed % 2;
        setting_open(&s, seed);
        start(&s);
        if (sent_first)
            CHECK_EQ(vg_oneshot_send(&s.oneshot, &payload[1]), 0);
        vg_task_cancel(&s.handle);
        if (!sent_first)
            CHECK_EQ(vg_oneshot_send(&s.oneshot, &payload[1]), 0);
        if (finish(&s)->ret == 0) {
            CHECK(sent_first);
            CHECK_EQ(finish(&s)->value, &payload[1]);
        } else {
            CHECK_EQ(finish(&s)->ret, -ECANCELED);
            CHECK_EQ(finish(&s)->value, NULL);
            vg_task_release(&s.handle);
            CHECK_EQ(VG_SPAWN(s.world.exec, &s.handle, getter, &s.oneshot), 0);
            CHECK_EQ(finish(&s)->ret, 0);
            CHECK_EQ(finish(&s)->value, &payload[1]);
        }
        setting_close(&s);
    }
}

TEST(a_receive_cancelled_while_it_waits_ends_and_leaves_nothing_behind)
{
    struct setting s;

    setting_open(&s, 1);
    start(&s);
    vg_task_cancel(&s.handle);
    CHECK_EQ(finish(&s)->ret, -ECANCELED);
    CHECK_EQ(vg_oneshot_drop(&s.oneshot), NULL);
    setting_close(&s);
}

TEST(a_sender_ends_only_once)
{
    struct vg_oneshot oneshot;

    vg_oneshot_init(&oneshot, "reply");
    CHECK_EQ(vg_oneshot_send(&oneshot, NULL), 0);
    CHECK_PANICS("oneshot reply has sent or closed", (void)!vg_oneshot_send(&oneshot, NULL));
    CHECK_PANICS("oneshot reply has sent or closed", vg_oneshot_close(&oneshot));
    vg_oneshot_fini(&oneshot);
}

TEST(the_receiving_end_is_not_for_two)
{
    struct setting s;
    struct getter root;

    setting_open(&s, 1);
    start(&s);
    CHECK_PANICS("two receives wait", world_run(&s.world, &getter(&root, &s.oneshot)->fut));
    CHECK_PANICS("a receive waits", (void)!vg_oneshot_drop(&s.oneshot));
    CHECK_PANICS("a receive waits", vg_oneshot_fini(&s.oneshot));
    vg_oneshot_close(&s.oneshot);
    CHECK_EQ(finish(&s)->ret, -EPIPE);
    setting_close(&s);
}

TEST(receiving_from_a_dropped_end_panics)
{
    struct setting s;
    struct getter root;

    setting_open(&s, 1);
    CHECK_EQ(vg_oneshot_drop(&s.oneshot), NULL);
    CHECK_PANICS("has dropped", world_run(&s.world, &getter(&root, &s.oneshot)->fut));
    s.handle.task = NULL;
    world_close(&s.world);
}

TEST(instruments_see_the_receive_that_waits)
{
    struct setting s;
    struct vg_resource *resource = &s.oneshot.resource;
    struct vg_owner owner;

    setting_open(&s, 1);
    CHECK_STR(resource->ops->kind, "oneshot");
    CHECK_STR(resource->name, "reply");
    CHECK_EQ(resource->ops->waiters(resource), 0);
    start(&s);
    CHECK_EQ(resource->ops->waiters(resource), 1);
    CHECK(!resource->ops->owner(resource, &owner));
    vg_oneshot_close(&s.oneshot);
    CHECK_EQ(resource->ops->waiters(resource), 0);
    (void)finish(&s);
    setting_close(&s);
}

/* ---- on threads ---------------------------------------------------------------------------- */

enum { EXCHANGES = 300 };

/* Lives in the frame of the receiver, who reuses it as soon as the receive is done. */
struct exchange {
    VG_FRAME(int);
    int i, rc;
    pthread_t thread;
    uint64_t number; /* plain memory, handed over by the send */
    struct vg_oneshot oneshot;
    struct vg_oneshot_recv recv;
};

static void *answer(void *arg)
{
    struct exchange *f = arg;

    f->number = (uint64_t)f->i + 1000;
    CHECK_EQ(vg_oneshot_send(&f->oneshot, &f->number), 0);
    return NULL;
}

VG_ASYNC(exchange)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < EXCHANGES; f->i++) {
        vg_oneshot_init(&f->oneshot, "answer");
        CHECK_EQ(pthread_create(&f->thread, NULL, answer, f), 0);
        VG_AWAIT(f->rc, vg_oneshot_recv(&f->recv, &f->oneshot));
        CHECK_EQ(f->rc, 0);
        CHECK_EQ(*(const uint64_t *)f->recv.value, (uint64_t)f->i + 1000);
        memset(&f->oneshot, 0xdd, sizeof f->oneshot);
        CHECK_EQ(pthread_detach(f->thread), 0);
    }
    VG_RETURN(0);
}

static struct exchange *exchange(struct exchange *f)
{
    VG_SETUP(f, exchange);
    return f;
}

TEST(a_receiver_may_reuse_the_oneshot_before_the_send_has_returned)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct exchange root;

        CHECK_EQ(vg_block_on(exec, &exchange(&root)->fut), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
}
