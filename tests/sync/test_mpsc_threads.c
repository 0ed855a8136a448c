/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>

#include <pthread.h>
#include <sched.h>

#include "threads.h"
#include "world.h"

/* Channels between threads outside and tasks on real workers. */

enum { THREADS = 3, EACH = 2000, SLOTS = 8 };

/* ---- values from threads ------------------------------------------------------------------- */

struct source {
    struct vg_mpsc *channel;
    unsigned who;
};

static void *send_all(void *arg)
{
    struct source *source = arg;
    uint64_t value;
    int rc;

    for (unsigned i = 0; i < EACH; i++) {
        value = (uint64_t)source->who << 32 | i;
        while ((rc = vg_mpsc_try_send(source->channel, &value)) == -EAGAIN)
            sched_yield();
        CHECK_EQ(rc, 0);
    }
    return NULL;
}

/* A task that sends beside them, and waits where they try. */
struct inside {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    uint64_t i, value;
    int rc;
    struct vg_mpsc_send send;
};

VG_ASYNC(inside)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < EACH; f->i++) {
        f->value = (uint64_t)THREADS << 32 | f->i;
        if (f->i % 2) {
            VG_AWAIT(f->rc, vg_mpsc_send(&f->send, f->channel, &f->value));
        } else {
            VG_AWAIT(f->rc, vg_mpsc_reserve(&f->send, f->channel));
            CHECK_EQ(f->rc, 0);
            vg_mpsc_send_reserved(f->channel, &f->value);
        }
        CHECK_EQ(f->rc, 0);
    }
    VG_RETURN(0);
}

static struct inside *inside(struct inside *f, struct vg_mpsc *channel)
{
    VG_SETUP(f, inside);
    f->channel = channel;
    return f;
}

struct sink {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    struct vg_handle handle;
    uint64_t next[THREADS + 1], value[SLOTS], count;
    int rc;
    struct vg_receive recv;
};

static void sink_note(struct sink *f, int n)
{
    for (int i = 0; i < n; i++, f->count++) {
        uint64_t who = f->value[i] >> 32;

        CHECK(who <= THREADS);
        CHECK_EQ((uint32_t)f->value[i], f->next[who]++);
    }
}

VG_ASYNC(sink)
{
    VG_BEGIN(f);
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle, inside, f->channel), 0);
    while (f->count < (THREADS + 1) * EACH) {
        if (f->count % 2) {
            VG_AWAIT(f->rc, vg_mpsc_recv(&f->recv, f->channel, f->value));
            CHECK_EQ(f->rc, 0);
            sink_note(f, 1);
        } else {
            VG_AWAIT(f->rc, vg_mpsc_recv_many(&f->recv, f->channel, f->value, SLOTS));
            sink_note(f, f->rc);
        }
    }
    vg_mpsc_close(f->channel);
    VG_MPSC_RECV(f->rc, &f->recv, f->channel, f->value);
    CHECK_EQ(f->rc, -EPIPE);
    vg_task_release(&f->handle);
    VG_RETURN(0);
}

static struct sink *sink(struct sink *f, struct vg_mpsc *channel)
{
    VG_SETUP(f, sink);
    f->channel = channel;
    f->count = 0;
    memset(f->next, 0, sizeof f->next);
    return f;
}

TEST(threads_and_tasks_send_to_one_task)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct sink root;
        struct vg_mpsc channel;
        uint64_t slots[SLOTS];
        pthread_t thread[THREADS];
        struct source source[THREADS];

        vg_mpsc_init(&channel, "threads", slots, SLOTS);
        for (unsigned i = 0; i < THREADS; i++) {
            source[i] = (struct source){&channel, i};
            CHECK_EQ(pthread_create(&thread[i], NULL, send_all, &source[i]), 0);
        }
        CHECK_EQ(vg_block_on(exec, &sink(&root, &channel)->fut), 0);
        for (unsigned i = 0; i < THREADS; i++)
            CHECK_EQ(pthread_join(thread[i], NULL), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        vg_mpsc_fini(&channel);
    }
}

/* ---- the end ------------------------------------------------------------------------------- */

enum { ROUNDS = 300 };

/* The channel lives in the frame of the receiver, who reuses it as soon as it has learnt of the end. */
struct reuser {
    VG_FRAME(int);
    int i, rc;
    uint64_t value, sum, slots[2];
    struct vg_mpsc channel;
    struct vg_receive recv;
};

static void *send_and_close(void *arg)
{
    struct reuser *f = arg;
    uint64_t value = (uint64_t)f->i;

    CHECK_EQ(vg_mpsc_try_send(&f->channel, &value), 0);
    vg_mpsc_close(&f->channel);
    return NULL;
}

VG_ASYNC(reuser)
{
    VG_BEGIN(f);
    pthread_t thread;

    for (f->i = 0; f->i < ROUNDS; f->i++) {
        vg_mpsc_init(&f->channel, "short", f->slots, 2);
        CHECK_EQ(pthread_create(&thread, NULL, send_and_close, f), 0);
        CHECK_EQ(pthread_detach(thread), 0);
        for (f->sum = 0;; f->sum += f->value + 1) {
            VG_AWAIT(f->rc, vg_mpsc_recv(&f->recv, &f->channel, &f->value));
            if (f->rc < 0)
                break;
        }
        CHECK_EQ(f->rc, -EPIPE);
        CHECK_EQ(f->sum, (uint64_t)f->i + 1);
        vg_mpsc_fini(&f->channel);
        memset(&f->channel, 0xdd, sizeof f->channel);
    }
    VG_RETURN(0);
}

static struct reuser *reuser(struct reuser *f)
{
    VG_SETUP(f, reuser);
    return f;
}

TEST(a_receiver_may_reuse_the_channel_before_the_close_has_returned)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct reuser root;

        CHECK_EQ(vg_block_on(exec, &reuser(&root)->fut), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
}

/* Receives until it is cancelled. */
struct drain {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    uint64_t value, count;
    struct vg_receive recv;
};

VG_ASYNC(drain)
{
    VG_BEGIN(f);
    do {
        VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, f->channel, &f->value));
    } while (f->ret == 0);
    CHECK_EQ(f->ret, -ECANCELED);
    VG_RETURN(f->ret);
}

static struct drain *drain(struct drain *f, struct vg_mpsc *channel)
{
    VG_SETUP(f, drain);
    f->channel = channel;
    return f;
}

static void *send_until_closed(void *arg)
{
    struct vg_mpsc *channel = arg;
    uint64_t value = 1;
    int rc;

    while ((rc = vg_mpsc_try_send(channel, &value)) != -EPIPE)
        if (rc == -EAGAIN)
            sched_yield();
    return NULL;
}

TEST(a_thread_may_send_while_the_executor_shuts_down)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        for (int i = 0; i < 6; i++) {
            struct vg_exec *exec = test_exec(workers);
            struct vg_mpsc channel;
            uint64_t slots[SLOTS];
            pthread_t thread;

            vg_mpsc_init(&channel, "shutdown", slots, SLOTS);
            CHECK_EQ(VG_SPAWN(exec, NULL, drain, &channel), 0);
            CHECK_EQ(pthread_create(&thread, NULL, send_until_closed, &channel), 0);
            while (i % 2 && vg_mpsc_length(&channel) == 0)
                sched_yield();
            CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
            vg_mpsc_close(&channel);
            CHECK_EQ(pthread_join(thread, NULL), 0);
            vg_mpsc_fini(&channel);
        }
    }
}
