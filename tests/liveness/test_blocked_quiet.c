/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "block.h"

/* Workers that are slow, and not to blame. */

/* Computes until it is told to stop. */
struct computer {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *stop;
    struct vg_yield yield;
};

VG_ASYNC(computer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    while (!vg_load(f->stop, relaxed))
        ;
    VG_RETURN(0);
}

static struct computer *computer(struct computer *f, VG_ATOMIC(uint32_t) *stop)
{
    VG_SETUP(f, computer);
    f->stop = stop;
    return f;
}

/* Waits, and computes for a few milliseconds at a time. */
struct worker {
    VG_FRAME(int);
    int rounds;
    uint64_t nap, work;
    struct vg_sleep sleep;
};

static uint64_t cpu_time(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->ret, vg_sleep(&f->sleep, f->nap));
        for (uint64_t until = cpu_time() + f->work; cpu_time() < until;)
            ;
    }
    VG_RETURN(0);
}

static struct worker *worker(struct worker *f, int rounds, uint64_t nap, uint64_t work)
{
    VG_SETUP(f, worker);
    f->rounds = rounds;
    f->nap = nap;
    f->work = work;
    return f;
}

TEST(who_sleeps_in_a_future_or_computes_for_a_moment_is_not_reported)
{
    struct room room;

    room_open(&room, 2, true);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 1, VG_MSEC(300), VG_MSEC(10)), 0);
    wait_until_empty(&room);
    room_close(&room);
    CHECK_EQ(total(&room), 0);
}

/* More threads than processors: workers are often runnable and do not run. */
TEST(who_waits_for_a_processor_is_not_reported)
{
    static VG_ATOMIC(uint32_t) stop;
    enum { HOGS = 8 };
    struct room room, hogs;

    vg_store(&stop, 0, relaxed);
    room_open(&hogs, HOGS, true);
    vg_liveness_set_level(hogs.live, VG_LEVEL_OFF);
    for (int i = 0; i < HOGS; i++)
        CHECK_EQ(VG_SPAWN(hogs.exec, NULL, computer, &stop), 0);
    room_open(&room, 4, true);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 50, VG_MSEC(1), VG_MSEC(2)), 0);
    wait_until_empty(&room);
    room_close(&room);
    vg_store(&stop, 1, relaxed);
    room_close(&hogs);
    CHECK_EQ(total(&room), 0);
}

/* Stops this process now and then, from another one. */
static pid_t start_stopper(void)
{
    const pid_t victim = getpid(), stopper = fork();

    if (stopper != 0)
        return stopper;
    for (int i = 0; i < 4; i++) {
        usleep(100000);
        kill(victim, SIGSTOP);
        usleep(400000);
        kill(victim, SIGCONT);
    }
    _exit(0);
}

TEST(who_is_stopped_in_a_poll_is_not_reported)
{
    struct room room;
    pid_t stopper = start_stopper();
    int status;

    CHECK(stopper > 0);
    room_open(&room, 2, true);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 150, VG_USEC(10), VG_MSEC(5)), 0);
    wait_until_empty(&room);
    CHECK_EQ(waitpid(stopper, &status, 0), stopper);
    room_close(&room);
    CHECK_EQ(total(&room), 0);
}
