/* SPDX-License-Identifier: MIT */
#include "script.h"
#include "vg_sanitizer.h"

/*
 * Programs that look guilty, and are not: each is slow, waits for long, or stands for a moment as a faulty one would, and
 * comes to its end by itself. Nothing may be said of any of them.
 */

enum { TRICK_SEEDS = VG_TSAN || VG_ASAN ? 4 : 24, TRICK_ACTORS = 6 };

struct trick {
    const char *name;
    uint32_t permits;
    size_t slots;
    struct step actor[TRICK_ACTORS][SCRIPT_STEPS];
};

static const struct trick tricks[] = {
    {"opposite orders, but one gives up",
     1,
     1,
     {{LOCK(0), NAP(10), LOCK(1), UNLOCK(1), UNLOCK(0)},
      {NAP(5), LOCK(2), NAP(20), LOCK_FOR(0, 500), UNLOCK(0)},
      {LOCK(1), NAP(1500), UNLOCK(1)}}},
    {"opposite orders, one after the other",
     1,
     1,
     {{LOCK(0), LOCK(1), NAP(50), UNLOCK(1), UNLOCK(0)},
      {NAP(60), LOCK(1), LOCK(0), UNLOCK(0), UNLOCK(1)}}},
    {"a ring with a way out",
     1,
     1,
     {{LOCK(0), NAP(10), EITHER(1, 2)},
      {LOCK(1), NAP(10), NAP(3000), UNLOCK(1)},
      {NAP(5), LOCK(2), NAP(2000), UNLOCK(2)}}},
    {"a lock held for five seconds, and a queue",
     1,
     1,
     {{LOCK(0), NAP(5000), UNLOCK(0)},
      {NAP(1), LOCK(0), UNLOCK(0)},
      {NAP(2), LOCK(0), UNLOCK(0)},
      {NAP(3), LOCK(0), UNLOCK(0)},
      {NAP(4), LOCK(0), UNLOCK(0)}}},
    {"a permit of two held for three seconds",
     2,
     1,
     {{ACQUIRE(0, 1), NAP(3000), RELEASE(0, 1)},
      {ACQUIRE(0, 1), NAP(2000), RELEASE(0, 1)},
      {NAP(10), ACQUIRE(0, 1), RELEASE(0, 1)}}},
    {"both permits by one task",
     2,
     1,
     {{ACQUIRE(0, 1), NAP(10), ACQUIRE(0, 1), NAP(20), RELEASE(0, 2)}}},
    {"opposite orders, with a permit to spare",
     2,
     1,
     {{ACQUIRE(0, 1), NAP(10), ACQUIRE(1, 1), NAP(20), RELEASE(1, 1), RELEASE(0, 1)},
      {ACQUIRE(1, 1), NAP(10), ACQUIRE(0, 1), NAP(20), RELEASE(0, 1), RELEASE(1, 1)}}},
    {"a permit is free, and the first in line wants three",
     4,
     1,
     {{ACQUIRE(0, 2), NAP(2000), RELEASE(0, 2)},
      {NAP(10), ACQUIRE(0, 3), RELEASE(0, 3)},
      {NAP(20), ACQUIRE(0, 1), RELEASE(0, 1)}}},
    {"permits given back by another task",
     2,
     1,
     {{ACQUIRE(0, 2), NAP(10), NAP(20)},
      {NAP(1500), RELEASE(0, 2)},
      {NAP(20), ACQUIRE(0, 1), RELEASE(0, 1)}}},
    {"a full channel whose receiver sleeps",
     1,
     1,
     {{SEND(0), SEND(0), SEND(0)}, {NAP(2500), RECV(0), RECV(0), RECV(0)}}},
    {"two full channels, and receivers that come",
     1,
     1,
     {{SEND(0), SEND(0), RECV(1), RECV(1)}, {SEND(1), NAP(1500), RECV(0), RECV(0), SEND(1)}}},
    {"mailboxes that are full for a moment",
     1,
     2,
     {{SEND(1), SEND(1), RECV(0), RECV(0), SEND(1)},
      {SEND(0), SEND(0), NAP(50), RECV(1), RECV(1), RECV(1)}}},
    {"two receivers take turns",
     1,
     1,
     {{RECV(0), NAP(2000), RECV(0)},
      {NAP(100), RECV(0)},
      {NAP(20), SEND(0), NAP(110), SEND(0), NAP(2100), SEND(0)}}},
    {"a lock held until a message comes, in time",
     1,
     1,
     {{LOCK(0), RECV(0), UNLOCK(0)}, {NAP(10), LOCK(0), UNLOCK(0)}, {NAP(900), SEND(0)}}},
    {"a lock held until a message comes, and nobody wants it",
     1,
     1,
     {{LOCK(0), RECV(0), UNLOCK(0)}, {NAP(9000), SEND(0)}}},
    {"a lock held while messages come, one by one",
     1,
     1,
     {{LOCK(0), RECV(0), RECV(0), RECV(0), RECV(0), UNLOCK(0)},
      {NAP(10), LOCK(0), UNLOCK(0)},
      {NAP(700), SEND(0), NAP(1400), SEND(0), NAP(2100), SEND(0), NAP(2800), SEND(0)}}},
    {"a chain of joins", 1, 1, {{NAP(4000)}, {JOIN(0)}, {JOIN(1)}, {JOIN(2)}, {JOIN(3)}}},
    {"a join by one who holds what the other has had",
     1,
     1,
     {{LOCK(0), UNLOCK(0), NAP(2000)},
      {NAP(10), LOCK(0), JOIN(0), UNLOCK(0)},
      {NAP(20), LOCK(0), UNLOCK(0)}}},
    {"a reader, a writer behind it, and another reader behind that",
     1,
     1,
     {{READ(0), NAP(2000), READ_DONE(0)}, {NAP(10), WRITE(0)}, {NAP(20), READ(1), READ_DONE(1)}}},
    {"readers that overlap, of different tasks",
     1,
     1,
     {{READ(0), NAP(100), READ_DONE(0), NAP(150), READ(0), NAP(250), READ_DONE(0)},
      {NAP(50), READ(0), NAP(200), READ_DONE(0)},
      {NAP(210), READ(0), NAP(300), READ_DONE(0)}}},
    {"a reader that reads again when it has let go",
     1,
     1,
     {{READ(0), NAP(20), READ_DONE(0), NAP(30), READ(0), READ_DONE(0)},
      {NAP(25), READ(0), NAP(2000), READ_DONE(0)}}},
    {"a lock that is handed over",
     1,
     1,
     {{LOCK(0), HAND_OVER(0), SEND(0), NAP(10)},
      {RECV(0), NAP(2000), UNLOCK(0)},
      {NAP(20), LOCK(0), UNLOCK(0)}}},
    {"a wait that is given up, again and again",
     1,
     1,
     {{LOCK(0), NAP(3000), UNLOCK(0)},
      {NAP(10), LOCK_FOR(0, 100)},
      {NAP(20), LOCK_FOR(0, 100)},
      {NAP(30), LOCK_FOR(0, 1500)},
      {NAP(40), LOCK(0), UNLOCK(0)}}},
    {"a convoy",
     1,
     1,
     {{LOCK(0), NAP(100), UNLOCK(0), LOCK(0), NAP(600), UNLOCK(0)},
      {LOCK(0), NAP(200), UNLOCK(0), LOCK(0), NAP(700), UNLOCK(0)},
      {LOCK(0), NAP(300), UNLOCK(0), LOCK(0), NAP(800), UNLOCK(0)},
      {LOCK(0), NAP(400), UNLOCK(0), LOCK(0), NAP(900), UNLOCK(0)},
      {LOCK(0), NAP(500), UNLOCK(0)}}},
};

static void play(const struct trick *trick, uint64_t seed)
{
    static struct stage stage;
    int rc;

    stage_open(&stage, seed, trick->permits, trick->slots);
    for (unsigned i = 0; i < TRICK_ACTORS && trick->actor[i][0].op != OP_END; i++)
        stage_add(&stage, trick->actor[i]);
    rc = stage_run(&stage);
    if (rc != 0)
        FAIL("%s: it does not come to its end", trick->name);
    if (stage.lab.count > 0)
        FAIL("%s: a report that is not due:\n%s", trick->name, stage.lab.seen[0].text);
    stage_close(&stage);
}

TEST(nothing_is_said_of_programs_that_only_look_guilty)
{
    enum { COUNT = sizeof tricks / sizeof *tricks };

    for (unsigned i = 0; i < COUNT; i++)
        for (uint64_t seed = 1; seed <= TRICK_SEEDS; seed++)
            play(&tricks[i], seed);
    CHECK(COUNT >= 20);
    printf("  %u programs that look guilty, %d seeds each: silent\n", COUNT, TRICK_SEEDS);
}
