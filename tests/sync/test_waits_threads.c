/* SPDX-License-Identifier: MIT */
#include <vigil/barrier.h>
#include <vigil/cond.h>
#include <vigil/notify.h>

#include <pthread.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "threads.h"
#include "vg_atomic.h"

/* Barrier, condition and notifier on real threads, for the sanitizers: what they order is plain memory. */

/* Runs so many tasks to their end. */
enum { TASKS = 16 };

struct all {
    VG_FRAME(int);
    void (*spawn)(struct vg_handle *handle, int i, void *arg);
    void *arg;
    int i, rc;
    struct vg_handle handle[TASKS];
    struct vg_task_wait wait;
};

VG_ASYNC(all)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < TASKS; f->i++)
        f->spawn(&f->handle[f->i], f->i, f->arg);
    while (f->i-- > 0) {
        VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(0);
}

static void run_all(struct vg_exec *exec, void (*spawn)(struct vg_handle *handle, int i, void *arg),
                    void *arg)
{
    struct all root;

    VG_SETUP(&root, all);
    root.spawn = spawn;
    root.arg = arg;
    CHECK_EQ(vg_block_on(exec, &root.fut), 0);
}

/* ---- barrier ------------------------------------------------------------------------------- */

enum { ROUNDS = 200 };

struct field {
    struct vg_barrier barrier;
    int part[TASKS], leaders;
};

struct party {
    VG_FRAME(int);
    struct field *field;
    int id, round, rc;
    struct vg_barrier_wait wait;
};

VG_ASYNC(party)
{
    VG_BEGIN(f);
    for (f->round = 1; f->round <= ROUNDS; f->round++) {
        f->field->part[f->id] = f->round;
        VG_AWAIT(f->rc, vg_barrier_wait(&f->wait, &f->field->barrier));
        if (f->rc == VG_BARRIER_LEADER)
            f->field->leaders++; /* the only one, in this round */
        for (int i = 0; i < TASKS; i++)
            CHECK_EQ(f->field->part[i], f->round);
        VG_AWAIT(f->rc, vg_barrier_wait(&f->wait, &f->field->barrier));
    }
    VG_RETURN(0);
}

static struct party *party(struct party *f, struct field *field, int id)
{
    VG_SETUP(f, party);
    f->field = field;
    f->id = id;
    return f;
}

static void spawn_party(struct vg_handle *handle, int i, void *arg)
{
    CHECK_EQ(VG_SPAWN(vg_exec_current(), handle, party, arg, i), 0);
}

TEST(parties_see_what_the_others_did_before_the_barrier)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct field field = {.leaders = 0};

        vg_barrier_init(&field.barrier, "field", TASKS);
        run_all(exec, spawn_party, &field);
        CHECK_EQ(field.leaders, ROUNDS);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        vg_barrier_fini(&field.barrier);
    }
}

/* ---- condition ----------------------------------------------------------------------------- */

enum { LENGTH = 3, ITEMS = 500 };

struct queue {
    struct vg_mutex mutex;
    struct vg_cond filled, emptied;
    int length, taken;
};

struct trader {
    VG_FRAME(int);
    struct queue *q;
    bool makes;
    int i, rc;
    struct vg_lock lock;
    struct vg_cond_wait wait;
};

VG_ASYNC(trader)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < ITEMS; f->i++) {
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->q->mutex));
        while (f->q->length == (f->makes ? LENGTH : 0))
            VG_AWAIT(f->rc, vg_cond_wait(&f->wait, f->makes ? &f->q->emptied : &f->q->filled,
                                         &f->q->mutex));
        f->q->length += f->makes ? 1 : -1;
        f->q->taken += !f->makes;
        if (f->i % 7)
            vg_cond_signal(f->makes ? &f->q->filled : &f->q->emptied);
        else
            vg_cond_broadcast(f->makes ? &f->q->filled : &f->q->emptied);
        vg_unlock(&f->q->mutex);
    }
    VG_RETURN(0);
}

static struct trader *trader(struct trader *f, struct queue *q, bool makes)
{
    VG_SETUP(f, trader);
    f->q = q;
    f->makes = makes;
    return f;
}

static void spawn_trader(struct vg_handle *handle, int i, void *arg)
{
    CHECK_EQ(VG_SPAWN(vg_exec_current(), handle, trader, arg, i % 2), 0);
}

TEST(as_much_is_taken_as_was_brought)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct queue q = {.length = 0};

        vg_mutex_init(&q.mutex, "queue");
        vg_cond_init(&q.filled, "filled");
        vg_cond_init(&q.emptied, "emptied");
        run_all(exec, spawn_trader, &q);
        CHECK_EQ(q.length, 0);
        CHECK_EQ(q.taken, ITEMS * TASKS / 2);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        vg_cond_fini(&q.filled);
        vg_cond_fini(&q.emptied);
        vg_mutex_fini(&q.mutex);
    }
}

/* ---- notifier, from threads outside ---------------------------------------------------------- */

enum { SENDERS = 2, LETTERS = 100 };

/* A letter for the task that waits; the sender writes the next when that has been read. */
struct box {
    struct vg_notifier filled;
    VG_ATOMIC(int) full;
    int letter;
    VG_ATOMIC(int) read; /* how many, released by the reader */
    pthread_t sender;
};

static void *sender(void *arg)
{
    struct box *box = arg;

    for (int i = 1; i <= LETTERS; i++) {
        while (vg_load(&box->read, acquire) != i - 1)
            sched_yield();
        box->letter = i;
        vg_store(&box->full, 1, relaxed);
        vg_notify_one(&box->filled);
    }
    return NULL;
}

struct reader {
    VG_FRAME(int);
    struct box *box;
    int i, rc;
    VG_ARMS(2) sel;
    struct vg_notified notified;
    struct vg_yield yield;
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    for (f->i = 1; f->i <= LETTERS; f->i++) {
        do { /* gives up now and then */
            if (f->i % 3 == 0)
                VG_AWAIT(f->rc,
                         VG_SELECT(f->sel, VG_CANCEL(vg_notified(&f->notified, &f->box->filled)),
                                   VG_CANCEL(vg_yield(&f->yield))));
            else
                VG_AWAIT(f->rc, vg_notified(&f->notified, &f->box->filled));
        } while (!vg_done(&f->notified.fut) || f->notified.ret < 0);
        CHECK_EQ(vg_xchg(&f->box->full, 0, acq_rel), 1);
        CHECK_EQ(f->box->letter, f->i);
        vg_store(&f->box->read, f->i, release);
    }
    VG_RETURN(0);
}

static struct reader *reader(struct reader *f, struct box *box)
{
    VG_SETUP(f, reader);
    f->box = box;
    return f;
}

TEST(each_notification_from_outside_arrives_with_what_was_written_before_it)
{
    TEST_TIMEOUT(240);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct box box[SENDERS];
        struct vg_handle handle[SENDERS];

        for (int i = 0; i < SENDERS; i++) {
            box[i] = (struct box){.letter = 0};
            vg_notifier_init(&box[i].filled, "box");
            CHECK_EQ(VG_SPAWN(exec, &handle[i], reader, &box[i]), 0);
            CHECK_EQ(pthread_create(&box[i].sender, NULL, sender, &box[i]), 0);
        }
        for (int i = 0; i < SENDERS; i++) {
            pthread_join(box[i].sender, NULL);
            while (!vg_task_done(&handle[i]))
                sched_yield();
            vg_task_release(&handle[i]);
            vg_notifier_fini(&box[i].filled);
        }
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
}
