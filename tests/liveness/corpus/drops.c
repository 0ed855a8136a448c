/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>

#include "corpus.h"

/* What is cancelled again and again, or with something in its hands. */

struct ticker {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    uint64_t gap, long_gap; /* ms; every tenth time */
    int left, item;
    struct vg_sleep nap;
    struct vg_mpsc_send send;
};

VG_ASYNC(ticker)
{
    VG_BEGIN(f);
    while (f->left-- > 0) {
        vg_sleep(&f->nap, VG_MSEC(f->left % 10 == 0 ? f->long_gap : f->gap));
        VG_AWAIT(f->ret, &f->nap);
        VG_AWAIT(f->ret, vg_mpsc_send(&f->send, f->channel, &f->item));
    }
    vg_mpsc_close(f->channel);
    VG_RETURN(0);
}

static struct ticker *ticker(struct ticker *f, struct vg_mpsc *channel, int left, uint64_t gap,
                             uint64_t long_gap)
{
    VG_SETUP(f, ticker);
    f->channel = channel;
    f->left = left;
    f->item = 1;
    f->gap = gap;
    f->long_gap = long_gap;
    return f;
}

/* ---- timeout-recreated-each-round ------------------------------------------------------------ */

struct patient {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    bool once; /* the deadline is made before the loop */
    int rc, item;
    VG_ARMS(2) sel;
    struct vg_receive recv;
    struct vg_sleep nap;
};

static int patient_line;

static struct vg_arm deadline_of(struct patient *f)
{
    return f->once ? VG_PARK(&f->nap) : VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(5000)));
}

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    vg_sleep(&f->nap, VG_MSEC(5000));
    for (f->recv.ret = 0; f->recv.ret != -EPIPE;) {
        vg_mpsc_recv(&f->recv, f->channel, &f->item);
        patient_line = __LINE__ + 1;
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(&f->recv), deadline_of(f)));
        if (f->rc == 1 && f->once)
            VG_RETURN(-ETIMEDOUT);
    }
    if (f->once)
        VG_AWAIT_CANCEL(f->rc, &f->nap);
    VG_RETURN(0);
}

static int play_deadline(struct lab *lab, unsigned twin)
{
    static struct vg_mpsc channel;
    static struct patient f;
    static int slots[4];
    int rc;

    vg_mpsc_init(&channel, "others", slots, 4);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, ticker, &channel, 60, 250, twin == 2 ? 6000 : 250), 0);
    VG_SETUP(&f, patient);
    f.channel = &channel;
    f.once = twin == 1;
    rc = PLAY(lab, &f);
    if (twin == 1)
        CHECK_EQ(f.ret, -ETIMEDOUT);
    vg_mpsc_close(&channel);
    (void)corpus_play_all(lab);
    return rc;
}

/* ---- select-drops-half-done-work ------------------------------------------------------------- */

enum { CARRY, CARRY_RESERVES, CARRY_IDLES, CARRY_PUTS_BACK };

/* Moves one item from here to there. */
struct carry {
    VG_FRAME(int);
    struct vg_mpsc *from, *to;
    unsigned how;
    int item;
    struct vg_receive recv;
    struct vg_mpsc_send send;
};

static int carry_line;

VG_ASYNC(carry)
{
    VG_BEGIN(f);
    if (f->how == CARRY_RESERVES) {
        VG_TRY(f->ret, vg_mpsc_reserve(&f->send, f->to));
        VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, f->from, &f->item));
        if (f->ret == 0)
            vg_mpsc_send_reserved(f->to, &f->item);
        else
            vg_mpsc_unreserve(f->to);
        VG_RETURN(f->ret);
    }
    VG_TRY(f->ret, vg_mpsc_recv(&f->recv, f->from, &f->item));
    carry_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_mpsc_send(&f->send, f->to, &f->item));
    if (f->ret == -ECANCELED && f->how == CARRY_PUTS_BACK)
        CHECK_EQ(vg_mpsc_try_send(f->from, &f->item), 0);
    VG_RETURN(f->ret);
}

static struct carry *carry(struct carry *f, struct vg_mpsc *from, struct vg_mpsc *to, unsigned how)
{
    VG_SETUP(f, carry);
    f->from = from;
    f->to = to;
    f->how = how;
    return f;
}

struct pump {
    VG_FRAME(int);
    struct vg_mpsc *from, *to, *packets;
    unsigned how;
    int rc, item;
    VG_ARMS(2) sel;
    struct carry carry;
    struct vg_receive recv;
};

static int pump_line;

VG_ASYNC(pump)
{
    VG_BEGIN(f);
    for (f->recv.ret = 0; f->recv.ret == 0;) {
        carry(&f->carry, f->from, f->to, f->how);
        vg_mpsc_recv(&f->recv, f->packets, &f->item);
        pump_line = __LINE__ + 1;
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(&f->carry), VG_CANCEL(&f->recv)));
    }
    VG_RETURN(0);
}

struct drain {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    int item;
    struct vg_sleep nap;
    struct vg_receive recv;
};

VG_ASYNC(drain)
{
    VG_BEGIN(f);
    do {
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(20)));
        VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, f->channel, &f->item));
    } while (f->ret == 0);
    VG_RETURN(0);
}

static struct drain *drain(struct drain *f, struct vg_mpsc *channel)
{
    VG_SETUP(f, drain);
    f->channel = channel;
    return f;
}

static int play_pump(struct lab *lab, unsigned twin)
{
    static struct vg_mpsc from, to, packets;
    static int slots[3][16];
    static struct pump f;
    int rc, item = 7;

    vg_mpsc_init(&from, "src", slots[0], 16);
    vg_mpsc_init(&to, "out", slots[1], 1);
    vg_mpsc_init(&packets, "packets", slots[2], 16);
    CHECK_EQ(vg_mpsc_try_send(&to, &item), 0);
    for (int i = 0; i < 12 && twin != CARRY_IDLES; i++)
        CHECK_EQ(vg_mpsc_try_send(&from, &item), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, ticker, &packets, 8, 5, 5), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, drain, &to), 0);
    VG_SETUP(&f, pump);
    f.from = &from;
    f.to = &to;
    f.packets = &packets;
    f.how = twin;
    rc = PLAY(lab, &f);
    vg_mpsc_close(&to);
    (void)corpus_play_all(lab);
    return rc;
}

/* ---- cache-fill-cancelled -------------------------------------------------------------------- */

enum { FILL, FILL_SPAWNS, FILL_IS_SELDOM_SLOW, FILL_IDLES };

struct cache {
    struct lab *lab;
    unsigned how;
    bool full;
    unsigned asked;
    uint64_t slow; /* ms */
};

struct fetch {
    VG_FRAME(int);
    struct cache *cache;
    struct vg_sleep nap;
};

static int fetch_line;

VG_ASYNC(fetch)
{
    VG_BEGIN(f);
    fetch_line = __LINE__ + 1;
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->cache->slow)));
    f->cache->full = f->cache->how != FILL_IS_SELDOM_SLOW;
    VG_RETURN(0);
}

static struct fetch *fetch(struct fetch *f, struct cache *cache)
{
    VG_SETUP(f, fetch);
    f->cache = cache;
    return f;
}

struct fill {
    VG_FRAME(int);
    struct cache *cache;
    struct vg_lock lock;
    struct fetch fetch;
    struct vg_handle handle;
    struct vg_task_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(fill)
{
    VG_BEGIN(f);
    if (f->cache->how == FILL_IDLES) {
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_SEC(3600)));
        VG_RETURN(f->ret);
    }
    VG_TRY(f->ret, vg_lock(&f->lock, &f->cache->lab->mutex));
    vg_unlock(&f->cache->lab->mutex);
    if (f->cache->full)
        VG_RETURN(0);
    f->cache->slow = f->cache->how == FILL_IS_SELDOM_SLOW && f->cache->asked++ % 3 ? 100 : 300;
    if (f->cache->how == FILL_SPAWNS) {
        CHECK_EQ(VG_SPAWN(f->cache->lab->exec, &f->handle, fetch, f->cache), 0);
        VG_AWAIT(f->ret, vg_task_wait(&f->wait, &f->handle));
        vg_task_release(&f->handle);
    } else {
        VG_AWAIT(f->ret, fetch(&f->fetch, f->cache));
    }
    VG_RETURN(f->ret);
}

static struct fill *fill(struct fill *f, struct cache *cache)
{
    VG_SETUP(f, fill);
    f->cache = cache;
    return f;
}

struct request {
    VG_FRAME(int);
    struct cache *cache;
    uint64_t at;
    struct vg_sleep nap;
    struct vg_timeout timeout;
    struct fill fill;
};

static int request_line;

VG_ASYNC(request)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->at)));
    fill(&f->fill, f->cache);
    request_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_timeout(&f->timeout, VG_MSEC(200), &f->fill));
    VG_RETURN(0);
}

static struct request *request(struct request *f, struct cache *cache, uint64_t at)
{
    VG_SETUP(f, request);
    f->cache = cache;
    f->at = at;
    return f;
}

static int play_cache(struct lab *lab, unsigned twin)
{
    static struct cache cache;

    cache = (struct cache){.lab = lab, .how = twin};
    for (uint64_t i = 0; i < 9; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, request, &cache, 250 * i), 0);
    return corpus_play_all(lab);
}

const struct corpus_case corpus_drops[] = {
    {
        .id = "timeout-recreated-each-round",
        .verdict = VG_VERDICT_DEADLINE_RESET,
        .decisive = 10250,
        .due = 50,
        .play = play_deadline,
        .twins = 2,
        .names = {"sleep in patient", "a timer of 5 s", "41 times"},
        .lines = {&patient_line},
    },
    {
        .id = "select-drops-half-done-work",
        .verdict = VG_VERDICT_CANCEL_LOSS,
        .decisive = 5,
        .due = 50,
        .play = play_pump,
        .twins = 3,
        .names = {"carry in pump", "vg_mpsc_send in carry"},
        .lines = {&pump_line, &carry_line},
    },
    {
        .id = "cache-fill-cancelled",
        .verdict = VG_VERDICT_CANCEL_LOSS,
        .decisive = 1200,
        .due = 50,
        .play = play_cache,
        .twins = 3,
        .names = {"fill in request", "sleep in fetch", "5 times"},
        .lines = {&request_line, &fetch_line},
    },
    {.id = NULL},
};
