/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>
#include <vigil/resource.h>

#include "corpus.h"

/* Arms that others keep from being polled, and wakes that poll. */

/* ---- biased-select-starves-later-arm ------------------------------------------------------------ */

struct source {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    uint64_t begin, gap; /* ms; no gap: as fast as there is room */
    unsigned left;
    int item;
    struct vg_sleep nap;
    struct vg_mpsc_send send;
};

VG_ASYNC(source)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->begin)));
    for (; f->left > 0; f->left--) {
        if (f->gap > 0)
            VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->gap)));
        VG_TRY(f->ret, vg_mpsc_send(&f->send, f->channel, &f->item));
    }
    VG_RETURN(0);
}

static struct source *source(struct source *f, struct vg_mpsc *channel, uint64_t begin,
                             uint64_t gap, unsigned count)
{
    VG_SETUP(f, source);
    f->channel = channel;
    f->begin = begin;
    f->gap = gap;
    f->left = count;
    f->item = 1;
    return f;
}

struct biased {
    VG_FRAME(int);
    struct vg_mpsc *first, *second;
    unsigned left, got;
    int rc, item;
    VG_ARMS(2) sel;
    struct vg_receive recv1, recv2;
    struct vg_sleep nap;
};

static int biased_line;

VG_ASYNC(biased)
{
    VG_BEGIN(f);
    while (f->left-- > 0) {
        vg_mpsc_recv(&f->recv1, f->first, &f->item);
        vg_mpsc_recv(&f->recv2, f->second, &f->item);
        biased_line = __LINE__ + 1;
        VG_AWAIT(f->rc, VG_SELECT_BIASED(f->sel, VG_CANCEL(&f->recv1), VG_CANCEL(&f->recv2)));
        if ((f->rc == 0 ? f->recv1.ret : f->recv2.ret) < 0)
            VG_RETURN(-EPIPE);
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    }
    VG_RETURN(0);
}

static int play_biased(struct lab *lab, unsigned twin)
{
    static struct vg_mpsc first, second;
    static int slots[2][8];
    static struct biased f;
    int rc;

    vg_mpsc_init(&first, "c1", slots[0], 8);
    vg_mpsc_init(&second, "c2", slots[1], 8);
    /* 1: the first arm is a signal that does not come; 2: it is ready every other round; 3: nothing for the second */
    if (twin != 1)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, source, &first, 0, twin == 2 ? 3 : 0, 10000), 0);
    if (twin != 3)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, source, &second, 10, twin > 0 ? 1 : 0, 10000), 0);
    VG_SETUP(&f, biased);
    f.first = &first;
    f.second = &second;
    f.left = 400;
    rc = PLAY(lab, &f);
    vg_mpsc_close(&first);
    vg_mpsc_close(&second);
    (void)corpus_play_all(lab);
    return rc;
}

/* ---- wake-polls-inline -------------------------------------------------------------------------- */

struct hook;

/* A notifier that calls back whoever waits, in the middle of its own section. */
struct bell {
    struct vg_resource resource; /* first */
    struct hook *first;
    bool inside;
};

/* A waker: what is to be done. */
struct hook {
    struct hook *next;
    void (*wake)(struct hook *hook);
};

static const struct vg_resource_ops bell_ops = {.kind = "bell"};

static void bell_ring(struct bell *bell)
{
    struct hook *hook;

    vg_wakes_begin(&bell->resource);
    bell->inside = true;
    while ((hook = bell->first) != NULL) {
        bell->first = hook->next;
        hook->wake(hook);
    }
    bell->inside = false;
    vg_wakes_end(&bell->resource);
}

/* A future that waits for the bell, and is woken by a hook of its owner's. */
struct heard {
    struct vg_future fut;
    int ret;
    struct bell *bell;
    struct hook *hook;
    bool hangs_on;
};

static vg_poll heard_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct heard *heard = (struct heard *)(void *)fut;

    (void)cx;
    if (heard->hangs_on)
        return VG_READY;
    heard->hook->next = heard->bell->first;
    heard->bell->first = heard->hook;
    heard->hangs_on = true;
    return VG_PENDING;
}

static const struct vg_ops heard_ops = {
    .poll = heard_poll,
    .name = "heard",
    .size = sizeof(struct heard),
    .kind = VG_KIND_OPAQUE,
};

/* Polls a future by hand, and waits until its hook has said that it is worth it. */
struct keeper {
    struct vg_future fut;
    int ret;
    struct bell *bell;
    bool inline_polls, rung;
    struct hook hook;
    struct heard heard;
    struct vg_cx *cx; /* of the poll in progress */
};

static void poll_at_once(struct hook *hook)
{
    struct keeper *keeper = (struct keeper *)(void *)((char *)hook - offsetof(struct keeper, hook));

    (void)vg_poll_future(&keeper->heard.fut, keeper->cx);
}

static void mark(struct hook *hook)
{
    ((struct keeper *)(void *)((char *)hook - offsetof(struct keeper, hook)))->rung = true;
}

static vg_poll keeper_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct keeper *keeper = (struct keeper *)(void *)fut;

    keeper->cx = cx;
    keeper->hook.wake = keeper->inline_polls ? poll_at_once : mark;
    if (!vg_poll_future(&keeper->heard.fut, cx).ready) {
        bell_ring(keeper->bell);
        if (!vg_done(&keeper->heard.fut))
            (void)vg_poll_future(&keeper->heard.fut, cx);
    }
    return VG_READY;
}

static const struct vg_ops keeper_ops = {
    .poll = keeper_poll,
    .name = "keeper",
    .size = sizeof(struct keeper),
    .kind = VG_KIND_OPAQUE,
};

struct ringer {
    VG_FRAME(int);
    struct bell bell;
    struct keeper keeper;
};

static int ringer_line;

VG_ASYNC(ringer)
{
    VG_BEGIN(f);
    ringer_line = __LINE__ + 1;
    VG_AWAIT(f->ret, &f->keeper);
    VG_RETURN(0);
}

static int play_bell(struct lab *lab, unsigned twin)
{
    static struct ringer f;

    VG_SETUP(&f, ringer);
    f.bell = (struct bell){.resource = {&bell_ops, "N", NULL}};
    memset(&f.keeper, 0, sizeof f.keeper);
    f.keeper.bell = &f.bell;
    f.keeper.inline_polls = twin == 0;
    f.keeper.heard.bell = &f.bell;
    f.keeper.heard.hook = &f.keeper.hook;
    vg_future_init(&f.keeper.fut, &keeper_ops);
    vg_future_init(&f.keeper.heard.fut, &heard_ops);
    return PLAY(lab, &f);
}

const struct corpus_case corpus_crowds[] = {
    {
        .id = "biased-select-starves-later-arm",
        .verdict = VG_VERDICT_ARM_STARVED,
        .decisive = 10,
        .due = 190,
        .play = play_biased,
        .twins = 3,
        .names = {"vg_receive in biased", "channel \"c2\""},
        .lines = {&biased_line},
    },
    {
        .id = "wake-polls-inline",
        .verdict = VG_VERDICT_WAKE_REENTRY,
        .decisive = 0,
        .due = 10,
        .play = play_bell,
        .twins = 1,
        .names = {"heard in ringer", "bell \"N\""},
        .lines = {&ringer_line},
    },
    {.id = NULL},
};
