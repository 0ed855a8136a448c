/* SPDX-License-Identifier: MIT */

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/uring.h>

#include "core/event.h"
#include "counting_alloc.h"
#include "threads.h"
#include "worker.h"

/*
 * Threads outside wake tasks and wait for them to answer, over and over: each wake finds the workers about to
 * sleep, asleep, or about to rise. A wake that is lost is a hang. What counts is not the wakes but those
 * for which a worker had parked: players go on until there are enough of these.
 */

enum { PLAYERS = 2, CHECKED = 64 };

static struct player {
    struct event ping;
    bool last;                /* guarded by ping.guard: the task may end */
    VG_ATOMIC(uint32_t) pong; /* rounds that the task has answered */
} players[PLAYERS];

static struct court {
    struct vg_driver *ring; /* NULL: workers sleep on futexes */
    struct vg_exec *exec;
    bool sleeps;     /* players wait for the answer asleep: by then the workers are, too */
    uint32_t cycles; /* that each player has to see */
} court;

struct answerer {
    VG_FRAME(int);
    struct player *player;
    uint32_t round;
    bool last;
    struct event_wait wait;
};

static bool take(struct player *player)
{
    bool last;

    vg_spin_lock(&player->ping.guard);
    player->ping.set = false;
    last = player->last;
    vg_spin_unlock(&player->ping.guard);
    return last;
}

VG_ASYNC(answerer)
{
    VG_BEGIN(f);
    int rc;
    for (f->round = 1; !f->last; f->round++) {
        VG_AWAIT(rc, event_wait(&f->wait, &f->player->ping));
        CHECK_EQ(rc, 0);
        f->last = take(f->player);
        vg_store(&f->player->pong, f->round, release); /* pairs with the acquire in play() */
        if (court.sleeps)
            vg_os_wake(&f->player->pong, 1);
    }
    VG_RETURN(0);
}

static struct answerer *answerer(struct answerer *f, struct player *player)
{
    VG_SETUP(f, answerer);
    f->player = player;
    f->last = false;
    return f;
}

/* How often a worker has gone to sleep: as the executor counts it, or as the rings do. */
static uint64_t parks(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < vg_exec_workers(court.exec); i++) {
        struct vg_uring_stats stats = {0};

        if (court.ring != NULL)
            CHECK_EQ(vg_uring_stats(court.ring, i, &stats), 0);
        sum += court.ring != NULL ? stats.parks
                                  : vg_load(&court.exec->workers[i].counts.parks, relaxed);
    }
    return sum;
}

/* Whether this is the last round of one of `count` players. */
static bool enough(uint32_t round, int count)
{
    if (round < court.cycles || round % CHECKED != 0)
        return false;
    if (round / 100 > court.cycles)
        FAIL("%u wakes, and workers have parked %llu times", round, (unsigned long long)parks());
    return parks() >= (uint64_t)court.cycles * (unsigned)count;
}

static void serve(struct player *player, bool last)
{
    vg_spin_lock(&player->ping.guard);
    player->last = last;
    vg_spin_unlock(&player->ping.guard);
    event_set(&player->ping);
}

static void play(int id, int count)
{
    struct player *player = &players[id];
    unsigned random = (unsigned)id + 1;
    bool last = false;

    for (uint32_t round = 1; !last; round++) {
        uint32_t seen;
        last = enough(round, count);
        serve(player, last);
        while ((seen = vg_load(&player->pong, acquire)) < round) {
            if (court.sleeps)
                vg_os_wait(&player->pong, seen, VG_NEVER);
            else
                vg_os_yield();
        }
        for (unsigned spins = test_draw(&random) % 512; spins > 0; spins--)
            vg_pause();
    }
}

static void play_alone(int id)
{
    play(id, 1);
}

static void play_both(int id)
{
    play(id, PLAYERS);
}

static void open_court(unsigned workers, bool ring)
{
    struct vg_config config = VG_CONFIG_INIT;
    int rc = ring ? vg_uring_open(&court.ring, NULL, &test_alloc) : 0;

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    config.driver = court.ring;
    config.workers = workers;
    config.alloc = &test_alloc;
    CHECK_EQ(vg_exec_open(&court.exec, &config), 0);
}

static void close_court(void)
{
    CHECK_EQ(vg_exec_close(court.exec, VG_SEC(5)), 0);
    if (court.ring != NULL)
        vg_uring_close(court.ring);
}

static void match(unsigned workers, bool ring, bool sleeps, uint32_t cycles)
{
    const int count = workers > 1 ? PLAYERS : 1;
    struct vg_handle handle[PLAYERS];

    memset(players, 0, sizeof players);
    court = (struct court){.sleeps = sleeps, .cycles = cycles / (unsigned)count};
    open_court(workers, ring);
    for (int i = 0; i < count; i++)
        CHECK_EQ(VG_SPAWN(court.exec, &handle[i], answerer, &players[i]), 0);
    test_threads(count, count > 1 ? play_both : play_alone);
    for (int i = 0; i < count; i++) {
        while (!vg_task_done(&handle[i]))
            vg_os_yield();
        vg_task_release(&handle[i]);
    }
    test_count(court.cycles * (unsigned)count, "park/wake cycles with wakes from outside");
    close_court();
}

/* Of a test, for each number of workers: the long form makes ten million in all, a tenth of them where
 * each takes ten times as long. */
static uint32_t share(void)
{
    if (test_long())
        return test_sanitized() ? 84000 : 840000;
    return test_sanitized() ? 600 : 3000;
}

TEST(no_wake_from_outside_is_lost_by_workers_that_sleep_on_futexes)
{
    TEST_TIMEOUT(180);
    FOR_WORKERS (workers)
        match(workers, false, false, share());
}

TEST(no_wake_from_outside_is_lost_by_workers_that_sleep_in_rings)
{
    TEST_TIMEOUT(180);
    FOR_WORKERS (workers)
        match(workers, true, false, share());
}

TEST(no_wake_from_outside_is_lost_by_workers_that_are_asleep)
{
    TEST_TIMEOUT(180);
    FOR_WORKERS (workers)
        match(workers, true, true, share());
}
