/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/mpsc.h>
#include <vigil/mutex.h>
#include <vigil/oneshot.h>
#include <vigil/semaphore.h>

#include "threads.h"

/* Threads outside wait like tasks do. */

enum { THREADS = 4, ROUNDS = 200, CAPACITY = 2 };

struct world {
    struct vg_exec *exec;
    struct vg_mutex mutex;
    struct vg_semaphore semaphore;
    struct vg_mpsc channel;
    int slots[CAPACITY];
    unsigned inside; /* guarded by the mutex */
};

static void world_open(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->exec = test_exec(2);
    vg_mutex_init(&w->mutex, "threads");
    vg_semaphore_init(&w->semaphore, "threads", 2);
    vg_mpsc_init(&w->channel, "threads", w->slots, CAPACITY);
}

static void world_close(struct world *w)
{
    vg_mutex_fini(&w->mutex);
    vg_semaphore_fini(&w->semaphore);
    vg_mpsc_fini(&w->channel);
    CHECK_EQ(vg_exec_close(w->exec, VG_SEC(5)), 0);
}

static void run_threads(struct world *w, void *(*run)(void *arg))
{
    pthread_t thread[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&thread[i], NULL, run, w), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(thread[i], NULL), 0);
}

static void *lock_often(void *arg)
{
    struct world *const w = (struct world *)arg;
    struct vg_lock lock;

    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(vg_blocking(w->exec, vg_lock(&lock, &w->mutex)), 0);
        w->inside++;
        vg_unlock(&w->mutex);
    }
    return NULL;
}

TEST(threads_lock_a_mutex)
{
    struct world w;

    world_open(&w);
    run_threads(&w, lock_often);
    CHECK_EQ(w.inside, THREADS * ROUNDS);
    world_close(&w);
}

static void *acquire_often(void *arg)
{
    struct world *const w = (struct world *)arg;
    struct vg_acquire acquire;

    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK_EQ(vg_blocking(w->exec, vg_acquire(&acquire, &w->semaphore, 1 + i % 2)), 0);
        vg_release(&w->semaphore, 1 + i % 2);
    }
    return NULL;
}

TEST(threads_acquire_permits_and_none_is_lost)
{
    struct world w;

    world_open(&w);
    run_threads(&w, acquire_often);
    CHECK_EQ(vg_semaphore_free(&w.semaphore), 2);
    world_close(&w);
}

static void *send_often(void *arg)
{
    struct world *const w = (struct world *)arg;
    struct vg_mpsc_send send;

    for (int i = 1; i <= ROUNDS; i++)
        CHECK_EQ(vg_blocking(w->exec, vg_mpsc_send(&send, &w->channel, &i)), 0);
    return NULL;
}

static void *receive_all(void *arg)
{
    struct world *const w = (struct world *)arg;
    struct vg_receive recv;
    int value, rc, sum = 0;

    while ((rc = vg_blocking(w->exec, vg_mpsc_recv(&recv, &w->channel, &value))) == 0)
        sum += value;
    CHECK_EQ(rc, -EPIPE);
    CHECK_EQ(sum, THREADS * ROUNDS * (ROUNDS + 1) / 2);
    return NULL;
}

TEST(threads_send_and_receive)
{
    struct world w;
    pthread_t receiver;

    world_open(&w);
    CHECK_EQ(pthread_create(&receiver, NULL, receive_all, &w), 0);
    run_threads(&w, send_often);
    vg_mpsc_close(&w.channel);
    CHECK_EQ(pthread_join(receiver, NULL), 0);
    world_close(&w);
}

struct asked {
    VG_FRAME(int);
    struct vg_oneshot *reply;
    struct vg_lock lock;
    struct vg_mutex *mutex;
};

/* Answers under a lock that a thread holds until it has asked. */
VG_ASYNC(asked)
{
    VG_BEGIN(f);
    int rc;
    VG_TRY(rc, vg_lock(&f->lock, f->mutex));
    vg_unlock(f->mutex);
    VG_RETURN(vg_oneshot_send(f->reply, f));
}

static struct asked *asked(struct asked *f, struct vg_oneshot *reply, struct vg_mutex *mutex)
{
    VG_SETUP(f, asked);
    f->reply = reply;
    f->mutex = mutex;
    return f;
}

TEST(a_thread_holds_a_lock_against_tasks_and_waits_for_their_answer)
{
    struct world w;
    struct vg_lock lock;
    struct vg_oneshot reply;
    struct vg_oneshot_recv recv;

    world_open(&w);
    vg_oneshot_init(&reply, "reply");
    CHECK_EQ(vg_blocking(w.exec, vg_lock(&lock, &w.mutex)), 0);
    CHECK_EQ(VG_SPAWN(w.exec, NULL, asked, &reply, &w.mutex), 0);
    vg_unlock(&w.mutex);
    CHECK_EQ(vg_blocking(w.exec, vg_oneshot_recv(&recv, &reply)), 0);
    CHECK(recv.value != NULL);
    vg_oneshot_fini(&reply);
    world_close(&w);
}
