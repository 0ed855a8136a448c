/* SPDX-License-Identifier: MIT */
#include "hand.h"

/* Wakes and permits that a hand-written semaphore loses. */

/* Takes units when it comes, keeps them, gives them back. */
struct taker {
    VG_FRAME(int);
    struct hand *hand;
    uint32_t want;
    uint64_t arrive, hold, limit;
    struct vg_sleep nap;
    struct hand_take take;
    struct vg_timeout timeout;
};

static int taker_line;

VG_ASYNC(taker)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->arrive)));
    if (f->limit > 0) {
        hand_take(&f->take, f->hand, f->want);
        VG_TRY(f->ret, vg_timeout(&f->timeout, VG_MSEC(f->limit), &f->take));
    } else {
        taker_line = __LINE__ + 1;
        VG_TRY(f->ret, hand_take(&f->take, f->hand, f->want));
    }
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->hold)));
    hand_give(f->hand, f->want);
    VG_RETURN(f->ret);
}

static struct taker *taker(struct taker *f, struct hand *hand, uint32_t want, uint64_t arrive,
                           uint64_t hold, uint64_t limit)
{
    VG_SETUP(f, taker);
    f->hand = hand;
    f->want = want;
    f->arrive = arrive;
    f->hold = hold;
    f->limit = limit;
    return f;
}

static void spawn_taker(struct lab *lab, struct hand *hand, uint32_t want, uint64_t arrive,
                        uint64_t hold, uint64_t limit)
{
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, taker, hand, want, arrive, hold, limit), 0);
}

/* ---- cancelled-head-strands-queue ------------------------------------------------------------------ */

static int play_head(struct lab *lab, unsigned twin)
{
    static struct hand hand;

    hand_init(&hand, "S", 4, twin == 0 ? HAND_STRANDS_QUEUE : HAND_SOUND);
    spawn_taker(lab, &hand, 2, 0, twin == 2 ? 1000 : 10000, 0);
    spawn_taker(lab, &hand, 3, 5, 10, twin == 2 ? 3000 : 45); /* the head: gives up at 50 */
    spawn_taker(lab, &hand, 1, 10, 10, 0);
    return corpus_play_all(lab);
}

/* ---- cancelled-after-grant ------------------------------------------------------------------------- */

/* Is granted the unit and cancelled by its timeout in the same millisecond. */
struct granted {
    VG_FRAME(int);
    struct hand *hand;
    int rc;
    VG_ARMS(2) sel;
    struct hand_take take, first;
    struct vg_sleep nap;
};

VG_ASYNC(granted)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, hand_take(&f->first, f->hand, 1));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(hand_take(&f->take, f->hand, 1)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(100)))));
    hand_give(f->hand, 1); /* to the one that is cancelled now */
    VG_AWAIT_CANCEL(f->rc, &f->take);
    if (f->rc == 0)
        hand_give(f->hand, 1);
    VG_RETURN(0);
}

static struct granted *granted(struct granted *f, struct hand *hand)
{
    VG_SETUP(f, granted);
    f->hand = hand;
    return f;
}

static int play_granted(struct lab *lab, unsigned twin)
{
    static struct hand hand;

    hand_init(&hand, "S", 1, twin == 0 ? HAND_LOSES_GRANT : HAND_SOUND);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, granted, &hand), 0);
    spawn_taker(lab, &hand, 1, 20, 10, 0);
    return corpus_play_all(lab);
}

/* ---- check-then-wait --------------------------------------------------------------------------------- */

struct unlucky {
    VG_FRAME(int);
    struct hand *hand;
    struct hand_take take;
    struct vg_sleep nap;
};

static int unlucky_line;

VG_ASYNC(unlucky)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(20)));
    unlucky_line = __LINE__ + 1;
    VG_TRY(f->ret, hand_take(&f->take, f->hand, 1));
    hand_give(f->hand, 1);
    VG_RETURN(0);
}

static void give_one(struct hand *hand)
{
    hand_give(hand, 1);
}

/* Whoever has the unit gives it back between the look and the queueing. */
static int play_gap(struct lab *lab, unsigned twin)
{
    static struct hand hand;
    static struct unlucky f;

    hand_init(&hand, "pool", 1, twin == 0 ? HAND_HAS_A_GAP : HAND_SOUND);
    hand.free = 0;
    hand.held = 1;
    hand.meanwhile = give_one;
    VG_SETUP(&f, unlucky);
    f.hand = &hand;
    return PLAY(lab, &f);
}

const struct corpus_case corpus_resources[] = {
    {
        .id = "cancelled-head-strands-queue",
        .verdict = VG_VERDICT_LOST_WAKEUP,
        .decisive = 50,
        .due = 50,
        .play = play_head,
        .twins = 2,
        .names = {"hand_take in taker", "semaphore \"S\"", "2 free", "wants 1", "1 in its queue"},
        .lines = {&taker_line},
    },
    {
        .id = "cancelled-after-grant",
        .verdict = VG_VERDICT_CANCEL_LOSS,
        .decisive = 100,
        .due = 50,
        .play = play_granted,
        .twins = 1,
        .names = {"hand_take in taker", "semaphore \"S\"", "1 of 1 have vanished",
                  "0 free, 0 held"},
        .lines = {&taker_line},
    },
    {
        .id = "check-then-wait",
        .verdict = VG_VERDICT_LOST_WAKEUP,
        .decisive = 20,
        .due = 50,
        .play = play_gap,
        .twins = 1,
        .names = {"hand_take in unlucky", "semaphore \"pool\"", "1 free", "wants 1"},
        .lines = {&unlucky_line},
    },
    {.id = NULL},
};
