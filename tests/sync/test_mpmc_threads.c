/* SPDX-License-Identifier: MIT */
#include <vigil/mpmc.h>

#include <pthread.h>
#include <sched.h>

#include "threads.h"
#include "world.h"

enum { SLOTS = 4, THREADS = 2, TASKS = 3, EACH = 3000 };

static struct {
    struct vg_mpmc channel;
    uint64_t slots[SLOTS];
    uint64_t sum[TASKS], count[TASKS];
} busy;

static void *send_all(void *arg)
{
    uint64_t i = 1;

    (void)arg;
    while (i <= EACH)
        if (vg_mpmc_try_send(&busy.channel, &i) == 0)
            i++;
        else
            sched_yield();
    return NULL;
}

struct worker {
    VG_FRAME(int);
    unsigned who;
    uint64_t value;
    struct vg_mpmc_recv recv;
};

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    for (;;) {
        if (f->who % 2)
            VG_MPMC_RECV(f->ret, &f->recv, &busy.channel, &f->value);
        else
            VG_AWAIT(f->ret, vg_mpmc_recv(&f->recv, &busy.channel, &f->value));
        if (f->ret < 0)
            break;
        busy.sum[f->who] += f->value;
        busy.count[f->who]++;
    }
    VG_RETURN(f->ret == -EPIPE ? 0 : f->ret);
}

static struct worker *worker(struct worker *f, unsigned who)
{
    VG_SETUP(f, worker);
    f->who = who;
    return f;
}

TEST(threads_send_to_several_tasks)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        pthread_t thread[THREADS];
        struct vg_handle handle[TASKS];
        struct worker last;
        uint64_t sum = 0, count = 0;

        memset(&busy, 0, sizeof busy);
        vg_mpmc_init(&busy.channel, "threads", busy.slots, SLOTS);
        for (unsigned i = 1; i < TASKS; i++)
            CHECK_EQ(VG_SPAWN(exec, &handle[i], worker, i), 0);
        for (unsigned i = 0; i < THREADS; i++)
            CHECK_EQ(pthread_create(&thread[i], NULL, send_all, NULL), 0);
        for (unsigned i = 0; i < THREADS; i++)
            CHECK_EQ(pthread_join(thread[i], NULL), 0);
        vg_mpmc_close(&busy.channel);
        CHECK_EQ(vg_block_on(exec, &worker(&last, 0)->fut), 0);
        for (unsigned i = 1; i < TASKS; i++)
            vg_task_release(&handle[i]);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        for (unsigned i = 0; i < TASKS; i++) {
            sum += busy.sum[i];
            count += busy.count[i];
        }
        CHECK_EQ(count, THREADS * EACH);
        CHECK_EQ(sum, (uint64_t)THREADS * EACH * (EACH + 1) / 2);
        vg_mpmc_fini(&busy.channel);
    }
}
