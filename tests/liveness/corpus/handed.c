/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "corpus.h"

/* What was handed to a future that nobody polls any more; and a future that is polled once too often. */

/* ---- pinned-notified-not-dropped ----------------------------------------------------------------- */

struct pinned {
    VG_FRAME(int);
    struct vg_notifier notifier;
    bool drops;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_notified n1, n2;
};

static int pinned_wait_line;

VG_ASYNC(pinned)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_notified(&f->n1, &f->notifier)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    if (f->drops)
        VG_AWAIT_CANCEL(f->rc, &f->n1);
    vg_notify_one(&f->notifier);
    pinned_wait_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_notified(&f->n2, &f->notifier));
    if (!f->drops)
        VG_AWAIT_CANCEL(f->rc, &f->n1);
    VG_RETURN(f->ret);
}

static int play_pinned(struct lab *lab, unsigned twin)
{
    static struct pinned f;

    VG_SETUP(&f, pinned);
    f.drops = twin == 1;
    vg_notifier_init(&f.notifier, "N");
    return PLAY(lab, &f);
}

/* ---- polls-finished-future ----------------------------------------------------------------------- */

struct repeater {
    VG_FRAME(int);
    unsigned twin, rounds;
    bool done;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep once, tick;
};

static struct vg_arm repeated(struct repeater *f)
{
    if (f->twin == 1)
        return VG_WHEN(!f->done, VG_PARK(&f->once));
    return f->twin == 2 ? VG_FUSE(VG_PARK(&f->once)) : VG_PARK(&f->once);
}

VG_ASYNC(repeater)
{
    VG_BEGIN(f);
    vg_sleep(&f->once, VG_MSEC(10));
    for (f->rounds = 0; f->rounds < 2; f->rounds++) {
        VG_AWAIT(f->rc, VG_SELECT_BIASED(f->sel, repeated(f),
                                         VG_CANCEL(vg_sleep(&f->tick, VG_MSEC(100)))));
        f->done = f->done || f->rc == 0;
    }
    VG_RETURN(0);
}

static int play_repeater(struct lab *lab, unsigned twin)
{
    static struct repeater f;

    VG_SETUP(&f, repeater);
    f.twin = twin;
    f.done = false;
    return PLAY(lab, &f);
}

const struct corpus_case corpus_handed[] = {
    {
        .id = "pinned-notified-not-dropped",
        .verdict = VG_VERDICT_FUTURELOCK,
        .decisive = 10,
        .due = 50,
        .play = play_pinned,
        .twins = 1,
        .heals = true,
        .names = {"vg_notified", "\"pinned\"", "\"N\""},
        .lines = {&pinned_wait_line},
    },
    {
        .id = "polls-finished-future",
        .verdict = VG_VERDICT_POLL_AFTER_READY,
        .decisive = 10,
        .due = 50,
        .play = play_repeater,
        .twins = 2,
        .names = {"\"repeater\"", "select"},
    },
    {.id = NULL},
};
