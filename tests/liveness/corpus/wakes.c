/* SPDX-License-Identifier: MIT */
#include <vigil/resource.h>
#include <vigil/waker.h>

#include "corpus.h"

/* Wakes that go nowhere. */

/* ---- a source of items with room for one waker ------------------------------------------------------ */

enum source_fault {
    SOURCE_SOUND,     /* it has a list of those that wait */
    SOURCE_ONE_SLOT,  /* the last one to ask takes the place of the one before */
    SOURCE_ASKS_ONCE, /* "there is a waker already": the next one does not leave its own */
    SOURCE_IS_SILENT, /* tells nobody */
};

enum { ASKERS = 2 };

struct source {
    struct vg_resource resource; /* first */
    enum source_fault fault;
    unsigned items;
    struct vg_waker slot;
    struct ask *waiting[ASKERS]; /* oldest first; what the instruments are told */
};

struct ask {
    struct vg_future fut;
    int ret;
    struct source *source;
    struct vg_waker waker;
};

static void stop_asking(struct ask *ask, struct vg_cx *cx)
{
    struct source *source = ask->source;

    vg_waker_disarm(&ask->waker, cx);
    if (source->waiting[0] == ask) {
        source->waiting[0] = source->waiting[1];
        source->waiting[1] = NULL;
    } else if (source->waiting[1] == ask) {
        source->waiting[1] = NULL;
    }
}

static vg_poll ask_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct ask *ask = (struct ask *)(void *)fut;
    struct source *source = ask->source;

    stop_asking(ask, cx);
    ask->ret = vg_cancelled(fut) ? -ECANCELED : 0;
    if (ask->ret < 0 || source->items > 0) {
        source->items -= ask->ret == 0;
        return VG_READY;
    }
    CHECK_EQ(vg_waker_arm(&ask->waker, fut, cx), 0);
    source->waiting[source->waiting[0] != NULL] = ask;
    if (source->fault != SOURCE_ASKS_ONCE || source->slot.slot == NULL)
        source->slot = ask->waker;
    return VG_PENDING;
}

static void ask_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_waker_wake(((struct ask *)(void *)fut)->waker);
}

static void put_item(struct source *source)
{
    source->items++;
    if (source->fault == SOURCE_SOUND && source->waiting[0] != NULL)
        vg_waker_wake(source->waiting[0]->waker);
    else if (source->fault != SOURCE_IS_SILENT)
        vg_waker_wake(source->slot);
}

static bool source_state(struct vg_resource *resource, struct vg_resource_state *state)
{
    const struct source *source = (const struct source *)(const void *)resource;

    *state = (struct vg_resource_state){
        .free = source->items,
        .next = source->waiting[0] != NULL ? &source->waiting[0]->fut : NULL,
        .wanted = 1,
    };
    return true;
}

static bool ask_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct ask *ask = (const struct ask *)(const void *)fut;

    *wait = (struct vg_wait){.resource = &ask->source->resource, .want = 1};
    return true;
}

static struct ask *ask(struct ask *ask, struct source *source)
{
    static const struct vg_ops ops = {
        .poll = ask_poll,
        .cancel = ask_cancel,
        .waits = ask_waits,
        .name = "ask",
        .size = sizeof *ask,
        .kind = VG_KIND_LEAF,
        .is_held = true,
    };

    vg_future_init(&ask->fut, &ops);
    ask->ret = 0;
    ask->source = source;
    ask->waker = (struct vg_waker){NULL, 0};
    return ask;
}

static void source_init(struct source *source, enum source_fault fault)
{
    static const struct vg_resource_ops ops = {.kind = "source", .state = source_state};

    *source = (struct source){.resource = {&ops, "x", VG_HERE}, .fault = fault};
}

/* Puts an item at each of two times. */
struct putter {
    VG_FRAME(int);
    struct source *source;
    uint64_t first, second;
    struct vg_sleep nap;
};

VG_ASYNC(putter)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->first)));
    put_item(f->source);
    if (f->second == 0)
        VG_RETURN(0);
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->second - f->first)));
    put_item(f->source);
    VG_RETURN(0);
}

static struct putter *putter(struct putter *f, struct source *source, uint64_t first,
                             uint64_t second)
{
    VG_SETUP(f, putter);
    f->source = source;
    f->first = first;
    f->second = second;
    return f;
}

/* ---- one-waker-slot-two-tasks --------------------------------------------------------------------- */

struct asker {
    VG_FRAME(int);
    struct source *source;
    uint64_t arrive;
    struct ask ask;
    struct vg_sleep nap;
};

static int asker_line;

VG_ASYNC(asker)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->arrive)));
    asker_line = __LINE__ + 1;
    VG_AWAIT(f->ret, ask(&f->ask, f->source));
    VG_RETURN(f->ret);
}

static struct asker *asker(struct asker *f, struct source *source, uint64_t arrive)
{
    VG_SETUP(f, asker);
    f->source = source;
    f->arrive = arrive;
    return f;
}

static int play_slot(struct lab *lab, unsigned twin)
{
    static struct source source;

    source_init(&source, twin == 1 ? SOURCE_SOUND : SOURCE_ONE_SLOT);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, asker, &source, 0), 0);
    if (twin != 2) /* 2: nobody else asks */
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, asker, &source, 10), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, putter, &source, 50, 100), 0);
    return corpus_play_all(lab);
}

/* ---- stale-waker-after-reparenting ---------------------------------------------------------------- */

/* Asks under one parent, which gives up, and again under another. */
struct moved {
    VG_FRAME(int);
    struct source *source;
    int rc;
    VG_ARMS(2) sel;
    struct ask ask;
    struct vg_sleep nap;
};

static int moved_line;

VG_ASYNC(moved)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(ask(&f->ask, f->source)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(5)))));
    moved_line = __LINE__ + 1;
    VG_AWAIT(f->ret, ask(&f->ask, f->source));
    VG_RETURN(f->ret);
}

static int play_moved(struct lab *lab, unsigned twin)
{
    static struct source source;
    static struct moved f;

    source_init(&source, twin == 0 ? SOURCE_ASKS_ONCE : SOURCE_ONE_SLOT);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, putter, &source, 20, 0), 0);
    VG_SETUP(&f, moved);
    f.source = &source;
    return PLAY(lab, &f);
}

/* ---- timer-queue-earlier-insert -------------------------------------------------------------------- */

/* The items are deadlines that have passed. */
struct consumer {
    VG_FRAME(int);
    struct source *source;
    uint64_t alarm; /* ms: what it has armed its timer for */
    int rc;
    VG_ARMS(2) sel;
    struct ask ask;
    struct vg_sleep nap;
};

static int consumer_line;

VG_ASYNC(consumer)
{
    VG_BEGIN(f);
    ask(&f->ask, f->source);
    vg_sleep(&f->nap, VG_MSEC(f->alarm));
    consumer_line = __LINE__ + 1;
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(&f->ask), VG_CANCEL(&f->nap)));
    VG_RETURN(0);
}

/* The new deadline comes at 601; the queue's own alarm stays where it is. */
static int play_timer_queue(struct lab *lab, unsigned twin)
{
    static struct source source;
    static struct consumer f;

    source_init(&source, twin == 0 ? SOURCE_IS_SILENT : SOURCE_SOUND);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, putter, &source, twin == 2 ? 20000 : 601, 0), 0);
    VG_SETUP(&f, consumer);
    f.source = &source;
    f.alarm = 10000;
    return PLAY(lab, &f);
}

const struct corpus_case corpus_wakes[] = {
    {
        .id = "one-waker-slot-two-tasks",
        .verdict = VG_VERDICT_LOST_WAKEUP,
        .decisive = 100,
        .due = 50,
        .play = play_slot,
        .twins = 2,
        .names = {"ask in asker", "source \"x\"", "1 free"},
        .lines = {&asker_line},
    },
    {
        .id = "stale-waker-after-reparenting",
        .verdict = VG_VERDICT_LOST_WAKEUP,
        .decisive = 20,
        .due = 50,
        .play = play_moved,
        .twins = 1,
        .names = {"ask in moved", "source \"x\"", "1 free"},
        .lines = {&moved_line},
    },
    {
        .id = "timer-queue-earlier-insert",
        .verdict = VG_VERDICT_LOST_WAKEUP,
        .decisive = 601,
        .due = 59,
        .play = play_timer_queue,
        .twins = 2,
        .names = {"ask in consumer", "source \"x\"", "1 free"},
        .lines = {&consumer_line},
    },
    {.id = NULL},
};
