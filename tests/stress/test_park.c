/* SPDX-License-Identifier: MIT */

#include <vigil/async.h>
#include <vigil/exec.h>

#include "core/event.h"
#include "core/threads.h"
#include "counting_alloc.h"

/*
 * A thread outside wakes a task and waits for it to answer, over and over: each wake finds the worker about to
 * sleep, asleep, or about to rise. A wake that is lost is a hang.
 */

enum { PLAYERS = 2 };

static struct player {
    struct event ping;
    VG_ATOMIC(uint32_t) pong; /* rounds that the task has answered */
    uint32_t rounds;
    bool sleeps; /* waits for the answer asleep: by then the worker is, too */
} players[PLAYERS];

struct answerer {
    VG_FRAME(int);
    struct player *player;
    uint32_t round;
    struct event_wait wait;
};

VG_ASYNC(answerer)
{
    VG_BEGIN(f);
    int rc;
    for (f->round = 1; f->round <= f->player->rounds; f->round++) {
        VG_AWAIT(rc, event_wait(&f->wait, &f->player->ping));
        CHECK_EQ(rc, 0);
        vg_spin_lock(&f->player->ping.guard);
        f->player->ping.set = false;
        vg_spin_unlock(&f->player->ping.guard);
        vg_store(&f->player->pong, f->round, release);
        if (f->player->sleeps)
            vg_os_wake(&f->player->pong, 1);
    }
    VG_RETURN(0);
}

static struct answerer *answerer(struct answerer *f, struct player *player)
{
    VG_SETUP(f, answerer);
    f->player = player;
    return f;
}

static void play(int id)
{
    struct player *player = &players[id];
    unsigned random = (unsigned)id + 1;

    for (uint32_t round = 1; round <= player->rounds; round++) {
        uint32_t seen;
        event_set(&player->ping);
        while ((seen = vg_load(&player->pong, acquire)) < round) {
            if (player->sleeps)
                vg_os_wait(&player->pong, seen, VG_NEVER);
            else
                vg_os_yield();
        }
        for (unsigned spins = test_draw(&random) % 512; spins > 0; spins--)
            vg_pause();
    }
}

static void park_and_wake(unsigned workers, int count, bool sleeps, uint32_t rounds)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_handle handle[PLAYERS];
    struct vg_exec *exec;

    TEST_TIMEOUT(120);
    config.workers = workers;
    config.alloc = &test_alloc;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    memset(players, 0, sizeof players);
    for (int i = 0; i < count; i++) {
        players[i].rounds = test_long() ? rounds * 100 : rounds;
        players[i].sleeps = sleeps;
        CHECK_EQ(VG_SPAWN(exec, &handle[i], answerer, &players[i]), 0);
    }
    test_threads(count, play);
    for (int i = 0; i < count; i++) {
        while (!vg_task_done(&handle[i]))
            vg_os_yield();
        vg_task_release(&handle[i]);
    }
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
}

TEST(no_wake_from_outside_is_lost_by_one_worker)
{
    park_and_wake(1, 1, false, 50000);
}

TEST(no_wake_from_outside_is_lost_by_one_worker_that_is_asleep)
{
    park_and_wake(1, 1, true, 20000);
}

TEST(no_wake_from_outside_is_lost_among_three_workers)
{
    park_and_wake(3, 2, false, 15000);
}
