/* SPDX-License-Identifier: MIT */
#include "../flag.h"
#include "corpus.h"

/* Futures that nothing can wake. */

/* ---- pending-without-registering, ready-then-pending, waiter-rebuilt-each-poll ------------------- */

struct chatty {
    VG_FRAME(int);
    unsigned i;
    struct vg_sleep nap;
};

VG_ASYNC(chatty)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 10; f->i++)
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(700)));
    VG_RETURN(0);
}

struct masked {
    VG_FRAME(int);
    struct wait wait;
    struct chatty chatty;
    VG_CHILDREN(2) join;
};

static int masked_line;

VG_ASYNC(masked)
{
    VG_BEGIN(f);
    masked_line = __LINE__ + 1;
    VG_AWAIT(f->ret, VG_JOIN(f->join, &f->wait, &f->chatty));
    VG_RETURN(f->ret);
}

static struct masked *masked(struct masked *f, struct flag *flag, enum fault fault)
{
    VG_SETUP(f, masked);
    VG_SETUP(&f->chatty, chatty);
    flag_wait(&f->wait, flag, fault);
    return f;
}

static int play_flag(struct lab *lab, enum fault fault)
{
    static struct waiting f;
    static struct flag flag;

    flag = (struct flag){.set = false};
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, setter, &flag), 0);
    return PLAY(lab, waiting(&f, &flag, fault));
}

static int play_pending(struct lab *lab, unsigned twin)
{
    static const enum fault faults[] = {TELLS_NOBODY, WAITS_PROPERLY, WAITS_BY_CHILD,
                                        WAITS_BY_WAKER};

    return play_flag(lab, faults[twin]);
}

/* For as long as its sibling hides that it hangs. */
static int play_masked(struct lab *lab, unsigned twin)
{
    static struct flag flag;

    flag = (struct flag){.set = true}; /* for a future that says it is a leaf */
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, masked, &flag, twin == 0 ? TELLS_NOBODY : WAITS_PROPERLY),
             0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, setter, &flag), 0);
    return corpus_play_for(lab, VG_SEC(5));
}

static int play_ready(struct lab *lab, unsigned twin)
{
    return play_flag(lab, twin == 0 ? ASKS_ONLY_ONCE : WAITS_BY_CHILD);
}

static int play_rebuilt(struct lab *lab, unsigned twin)
{
    return play_flag(lab, twin == 0 ? FORGETS_AGAIN : WAITS_PROPERLY);
}

const struct corpus_case corpus_pending[] = {
    {
        .id = "pending-without-registering",
        .verdict = VG_VERDICT_UNARMED_PENDING,
        .decisive = 0,
        .due = 50,
        .play = play_pending,
        .twins = 3,
        .names = {"flag_wait in waiting", "never run again"},
        .lines = {&waiting_line},
    },
    {
        .id = "pending-without-registering, masked",
        .verdict = VG_VERDICT_UNARMED_PENDING,
        .decisive = 0,
        .due = 50,
        .play = play_masked,
        .twins = 1,
        .names = {"flag_wait in masked"},
        .lines = {&masked_line},
    },
    {
        .id = "ready-then-pending",
        .verdict = VG_VERDICT_UNARMED_PENDING,
        .decisive = 30,
        .due = 50,
        .play = play_ready,
        .twins = 1,
        .names = {"flag_wait in waiting"},
        .lines = {&waiting_line},
    },
    {
        .id = "waiter-rebuilt-each-poll",
        .verdict = VG_VERDICT_UNARMED_PENDING,
        .decisive = 0,
        .due = 50,
        .play = play_rebuilt,
        .twins = 1,
        .names = {"flag_wait in waiting"},
        .lines = {&waiting_line},
    },
    {.id = NULL},
};
