/* SPDX-License-Identifier: MIT */
#include <vigil/mpmc.h>
#include <vigil/mpsc.h>
#include <vigil/rwlock.h>
#include <vigil/semaphore.h>

#include "corpus.h"

/* Tasks that wait for one another, or for themselves. */

/* ---- two-full-mailboxes -------------------------------------------------------------------------- */

enum { BOX = 2, MESSAGES = 50 };

struct mailboxes {
    struct vg_mpsc a, b;
    struct vg_mpmc shared; /* in place of `a`, where others receive, too */
    uint32_t slots_a[BOX], slots_b[BOX], slots_shared[BOX];
    unsigned answers;
    unsigned twin;
};

struct actor_x {
    VG_FRAME(int);
    struct mailboxes *boxes;
    unsigned i;
    uint32_t value;
    struct vg_receive recv;
    struct vg_mpmc_recv recv_shared;
    struct vg_mpsc_send send;
};

static int x_send_line;

VG_ASYNC(actor_x)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < MESSAGES; f->i++) {
        if (f->boxes->twin == 2)
            VG_TRY(f->ret, vg_mpmc_recv(&f->recv_shared, &f->boxes->shared, &f->value));
        else
            VG_TRY(f->ret, vg_mpsc_recv(&f->recv, &f->boxes->a, &f->value));
        x_send_line = __LINE__ + 1;
        VG_TRY(f->ret, vg_mpsc_send(&f->send, &f->boxes->b, &f->value));
    }
    VG_RETURN(0);
}

static struct actor_x *actor_x(struct actor_x *f, struct mailboxes *boxes)
{
    VG_SETUP(f, actor_x);
    f->boxes = boxes;
    return f;
}

struct actor_y {
    VG_FRAME(int);
    struct mailboxes *boxes;
    unsigned i, n;
    uint32_t value;
    struct vg_receive recv;
    struct vg_mpsc_send send;
};

static int y_send_line;

static struct vg_mpsc *box_of_x(struct mailboxes *boxes)
{
    return boxes->twin == 2 ? &boxes->shared.channel : &boxes->a;
}

VG_ASYNC(actor_y)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < MESSAGES; f->i++) {
        VG_TRY(f->ret, vg_mpsc_recv(&f->recv, &f->boxes->b, &f->value));
        for (f->n = 0; f->n < f->boxes->answers; f->n++) {
            y_send_line = __LINE__ + 1;
            VG_TRY(f->ret, vg_mpsc_send(&f->send, box_of_x(f->boxes), &f->value));
        }
    }
    VG_RETURN(0);
}

static struct actor_y *actor_y(struct actor_y *f, struct mailboxes *boxes)
{
    VG_SETUP(f, actor_y);
    f->boxes = boxes;
    return f;
}

/* Receives from the box of the first actor, too, but is late for it. */
struct actor_z {
    VG_FRAME(int);
    struct mailboxes *boxes;
    uint32_t value;
    struct vg_sleep nap;
    struct vg_mpmc_recv recv;
};

VG_ASYNC(actor_z)
{
    VG_BEGIN(f);
    do {
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(300)));
        VG_TRY(f->ret, vg_mpmc_recv(&f->recv, &f->boxes->shared, &f->value));
    } while (f->ret == 0);
    VG_RETURN(0);
}

static struct actor_z *actor_z(struct actor_z *f, struct mailboxes *boxes)
{
    VG_SETUP(f, actor_z);
    f->boxes = boxes;
    return f;
}

static int play_mailboxes(struct lab *lab, unsigned twin)
{
    static struct mailboxes boxes;
    const uint32_t seed = 1;

    boxes.twin = twin;
    boxes.answers = twin == 1 ? 1 : 2;
    vg_mpsc_init(&boxes.a, "A", boxes.slots_a, BOX);
    vg_mpsc_init(&boxes.b, "B", boxes.slots_b, BOX);
    vg_mpmc_init(&boxes.shared, "A", boxes.slots_shared, BOX);
    CHECK_EQ(vg_mpsc_try_send(twin == 2 ? &boxes.shared.channel : &boxes.a, &seed), 0);
    CHECK_EQ(vg_mpsc_try_send(twin == 2 ? &boxes.shared.channel : &boxes.a, &seed), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, actor_x, &boxes), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, actor_y, &boxes), 0);
    if (twin == 2)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, actor_z, &boxes), 0);
    return corpus_play_for(lab, VG_SEC(20));
}

/* ---- abba-permits -------------------------------------------------------------------------------- */

struct reader {
    VG_FRAME(int);
    struct vg_semaphore *first, *second;
    struct vg_acquire acquire;
    struct vg_sleep nap;
};

static int reader_second_line;

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_acquire(&f->acquire, f->first, 1));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
    reader_second_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_acquire(&f->acquire, f->second, 1));
    if (f->ret == 0)
        vg_release(f->second, 1);
    vg_release(f->first, 1);
    VG_RETURN(f->ret);
}

static struct reader *reader(struct reader *f, struct vg_semaphore *first,
                             struct vg_semaphore *second)
{
    VG_SETUP(f, reader);
    f->first = first;
    f->second = second;
    return f;
}

static int play_permits(struct lab *lab, unsigned twin)
{
    static struct vg_semaphore shard[2];

    vg_semaphore_init(&shard[0], "shard 0", twin == 2 ? 2 : 1);
    vg_semaphore_init(&shard[1], "shard 1", 1);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, reader, &shard[0], &shard[1]), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, reader, &shard[twin != 1], &shard[twin == 1]), 0);
    return corpus_play_all(lab);
}

/* ---- rwlock-reads-twice -------------------------------------------------------------------------- */

struct twice {
    VG_FRAME(int);
    struct vg_rwlock *lock;
    bool drops;
    struct vg_rdlock g1, g2;
    struct vg_sleep nap;
};

static int twice_line;

VG_ASYNC(twice)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_rdlock(&f->g1, f->lock));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(20)));
    if (f->drops)
        vg_rdunlock(f->lock);
    twice_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_rdlock(&f->g2, f->lock));
    if (f->ret == 0)
        vg_rdunlock(f->lock);
    if (!f->drops)
        vg_rdunlock(f->lock);
    VG_RETURN(f->ret);
}

static struct twice *twice(struct twice *f, struct vg_rwlock *lock, bool drops)
{
    VG_SETUP(f, twice);
    f->lock = lock;
    f->drops = drops;
    return f;
}

struct writer {
    VG_FRAME(int);
    struct vg_rwlock *lock;
    struct vg_wrlock wrlock;
    struct vg_sleep nap;
};

VG_ASYNC(writer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
    VG_TRY(f->ret, vg_wrlock(&f->wrlock, f->lock));
    vg_wrunlock(f->lock);
    VG_RETURN(0);
}

static struct writer *writer(struct writer *f, struct vg_rwlock *lock)
{
    VG_SETUP(f, writer);
    f->lock = lock;
    return f;
}

static int play_twice(struct lab *lab, unsigned twin)
{
    static struct vg_rwlock lock;

    vg_rwlock_init(&lock, "R");
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, twice, &lock, twin > 0), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, writer, &lock), 0);
    if (twin == 2)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, twice, &lock, true), 0);
    return corpus_play_all(lab);
}

/* ---- select-arm-sends-to-itself ------------------------------------------------------------------ */

struct looper {
    VG_FRAME(int);
    struct vg_mpsc events, channel;
    uint32_t event_slots[64], slots[3], value;
    unsigned handled, burst;
    bool elsewhere; /* another task receives */
    int rc;
    VG_ARMS(2) sel;
    struct vg_receive event, recv;
    struct vg_mpsc_send send;
    struct vg_sleep nap;
};

static int looper_send_line;

VG_ASYNC(looper)
{
    VG_BEGIN(f);
    while (f->handled < f->burst) {
        VG_AWAIT(f->rc, VG_SELECT_BIASED(
                            f->sel, VG_CANCEL(vg_mpsc_recv(&f->event, &f->events, &f->value)),
                            VG_WHEN(!f->elsewhere,
                                    VG_CANCEL(vg_mpsc_recv(&f->recv, &f->channel, &f->value)))));
        if (f->rc == 0) {
            looper_send_line = __LINE__ + 1;
            VG_TRY(f->rc, vg_mpsc_send(&f->send, &f->channel, &f->value));
            f->handled++;
        } else {
            VG_TRY(f->rc, vg_sleep(&f->nap, VG_MSEC(5)));
        }
    }
    VG_RETURN(0);
}

struct burst {
    VG_FRAME(int);
    struct looper *looper;
    struct vg_sleep nap;
};

/* The first event is answered before the others come, so that the looper has received. */
VG_ASYNC(burst)
{
    VG_BEGIN(f);
    CHECK_EQ(vg_mpsc_try_send(&f->looper->channel, &f->looper->value), 0);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
    for (unsigned i = 0; i < f->looper->burst; i++)
        CHECK_EQ(vg_mpsc_try_send(&f->looper->events, &f->looper->value), 0);
    VG_RETURN(0);
}

static struct burst *burst(struct burst *f, struct looper *looper)
{
    VG_SETUP(f, burst);
    f->looper = looper;
    return f;
}

struct drain {
    VG_FRAME(int);
    struct looper *looper;
    uint32_t value;
    struct vg_receive recv;
};

VG_ASYNC(drain)
{
    VG_BEGIN(f);
    do {
        VG_TRY(f->ret, vg_mpsc_recv(&f->recv, &f->looper->channel, &f->value));
    } while (f->ret == 0);
    VG_RETURN(0);
}

static struct drain *drain(struct drain *f, struct looper *looper)
{
    VG_SETUP(f, drain);
    f->looper = looper;
    return f;
}

static int play_looper(struct lab *lab, unsigned twin)
{
    static struct looper f;

    VG_SETUP(&f, looper);
    f.burst = twin == 1 ? 3 : 4;
    f.elsewhere = twin == 2;
    f.handled = 0;
    f.value = 0;
    vg_mpsc_init(&f.events, "events", f.event_slots, 64);
    vg_mpsc_init(&f.channel, "C", f.slots, 3);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, burst, &f), 0);
    if (twin == 2)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, drain, &f), 0);
    return PLAY(lab, &f);
}

const struct corpus_case corpus_rings[] = {
    {
        .id = "two-full-mailboxes",
        .verdict = VG_VERDICT_WAIT_CYCLE,
        .decisive = 0,
        .due = 50,
        .play = play_mailboxes,
        .twins = 2,
        .names = {"\"actor_x\"", "\"actor_y\"", "channel \"A\"", "channel \"B\""},
        .lines = {&x_send_line, &y_send_line},
    },
    {
        .id = "rwlock-reads-twice",
        .verdict = VG_VERDICT_RECURSIVE_WAIT,
        .decisive = 20,
        .due = 50,
        .play = play_twice,
        .twins = 2,
        .names = {"vg_rdlock in twice", "rwlock \"R\"", "1 more wait behind it"},
        .lines = {&twice_line},
    },
    {
        .id = "abba-permits",
        .verdict = VG_VERDICT_WAIT_CYCLE,
        .decisive = 10,
        .due = 50,
        .play = play_permits,
        .twins = 2,
        .names = {"vg_acquire in reader", "semaphore \"shard 0\"", "semaphore \"shard 1\""},
        .lines = {&reader_second_line},
    },
    {
        .id = "select-arm-sends-to-itself",
        .verdict = VG_VERDICT_RECURSIVE_WAIT,
        .decisive = 10,
        .due = 50,
        .play = play_looper,
        .twins = 2,
        .names = {"vg_mpsc_send in looper", "channel \"C\"", "what it has itself"},
        .lines = {&looper_send_line},
    },
    {.id = NULL},
};
