/* SPDX-License-Identifier: MIT */
/* Sleeping in a ring, and being woken there. */
#include "ring.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "rig.h"
#include "vg_os.h"

TEST(an_unpark_before_the_park_ends_it)
{
    struct rig rig;

    rig_open(&rig, 1, NULL);
    for (int i = 0; i < 1000; i++) {
        rig.ops->unpark(rig.driver, 0);
        if (i % 3 == 1)
            rig.ops->turn(rig.driver, 0);
        rig.ops->park(rig.driver, 0, VG_NEVER);
    }
    rig_close(&rig);
}

TEST(two_unparks_at_once_end_one_park_or_two_but_never_none)
{
    struct rig rig;

    rig_open(&rig, 1, NULL);
    for (int i = 0; i < 1000; i++) {
        rig.ops->unpark(rig.driver, 0);
        rig.ops->unpark(rig.driver, 0);
        rig.ops->park(rig.driver, 0, VG_NEVER);
    }
    rig_close(&rig);
}

TEST(a_park_ends_at_its_deadline_and_not_before)
{
    struct rig rig;
    uint64_t deadline;

    rig_open(&rig, 1, NULL);
    rig_flush(&rig);
    deadline = vg_os_now() + VG_MSEC(20);
    rig.ops->park(rig.driver, 0, deadline);
    CHECK(vg_os_now() >= deadline);
    rig.ops->park(rig.driver, 0, 0);
    rig_close(&rig);
}

TEST(a_completion_ends_a_park)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte;

    rig_open(&rig, 2, NULL);
    rig_socket_pair(fd);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 1, &op);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    /* Worker 1 sleeps without a deadline, and nobody rings it any more. */
    while (!rig_ended(&op))
        vg_os_yield();
    CHECK_EQ(op.result, 1);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

/* Two workers that hand a ball to and fro: one lost wake, and both sleep for ever. */
struct game {
    struct rig *rig;
    uint32_t rounds;
    VG_ATOMIC(uint32_t) ball;
};

static void play(struct game *game, unsigned me)
{
    const struct vg_driver_ops *ops = game->rig->ops;

    for (uint32_t i = me; i < game->rounds; i += 2) {
        /* Acquire pairs with the release of the other player. */
        while (vg_load(&game->ball, acquire) != i)
            ops->park(game->rig->driver, me, VG_NEVER);
        vg_store(&game->ball, i + 1, release);
        ops->unpark(game->rig->driver, 1 - me);
    }
}

static void *play_second(void *arg)
{
    struct game *game = (struct game *)arg;

    CHECK_EQ(game->rig->ops->start(game->rig->driver, 1), 0);
    play(game, 1);
    game->rig->ops->stop(game->rig->driver, 1);
    return NULL;
}

static void play_game(const struct vg_uring_config *config)
{
    struct rig rig;
    struct game game = {.rig = &rig, .rounds = test_long() ? 2000000 : 40000};
    pthread_t second;

    /* Worker 1 is the player's, not the rig's. */
    rig_open(&rig, 1, config);
    rig.ops->stop(rig.driver, 0);
    rig.ops->close(rig.driver);
    CHECK_EQ(rig.ops->open(rig.driver, 2), 0);
    CHECK_EQ(rig.ops->start(rig.driver, 0), 0);
    second = rig_thread(play_second, &game);
    play(&game, 0);
    pthread_join(second, NULL);
    CHECK_EQ(vg_load(&game.ball, acquire), game.rounds);
    rig_close(&rig);
}

TEST(no_wake_is_lost_between_two_workers)
{
    play_game(NULL);
}

TEST(no_wake_is_lost_by_a_worker_that_spins_first)
{
    play_game(&(struct vg_uring_config){.spin_us = 20});
}

static uint64_t switches(void)
{
    struct rusage usage;

    CHECK_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
    return (uint64_t)usage.ru_nvcsw;
}

TEST(an_idle_worker_is_not_woken_periodically)
{
    struct rig rig;
    uint64_t before, parks;

    rig_open(&rig, 1, NULL);
    rig_flush(&rig);
    parks = rig_stats(&rig, 0).parks;
    before = switches();
    rig.ops->park(rig.driver, 0, vg_os_now() + VG_MSEC(300));
    CHECK(switches() - before <= 3);
    CHECK_EQ(rig_stats(&rig, 0).parks, parks + 1);
    rig_close(&rig);
}

static void ignore(int number)
{
    (void)number;
}

struct interruption {
    pthread_t target;
    struct rig *rig;
};

static void *interrupt_then_ring(void *arg)
{
    struct interruption *interruption = (struct interruption *)arg;

    for (int i = 0; i < 100; i++) {
        pthread_kill(interruption->target, SIGUSR1);
        vg_os_yield();
    }
    interruption->rig->ops->unpark(interruption->rig->driver, 0);
    return NULL;
}

TEST(a_signal_may_end_a_park_but_takes_no_wake_away)
{
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    struct rig rig;

    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    rig_open(&rig, 1, NULL);
    for (int i = 0; i < 50; i++) {
        struct interruption interruption = {pthread_self(), &rig};
        const uint64_t doorbells = rig_stats(&rig, 0).doorbells;
        pthread_t thread = rig_thread(interrupt_then_ring, &interruption);

        /* Signals end some parks; the bell must end the last. */
        while (rig_stats(&rig, 0).doorbells == doorbells)
            rig.ops->park(rig.driver, 0, VG_NEVER);
        pthread_join(thread, NULL);
    }
    rig_close(&rig);
}
