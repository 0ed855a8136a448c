/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>
#include <vigil/semaphore.h>
#include <vigil/set.h>

#include "eager.h"

/* Waits for what idle ones hold, what others get first, or what only an unpolled future can give. */

/* ---- reserved-slots-idle-forwarders ---------------------------------------------------------- */

enum { FORWARD, FORWARD_RECEIVES_FIRST, FORWARD_WAITS_FOR_IO };

struct forwarder {
    VG_FRAME(int);
    struct vg_semaphore *buffer;
    struct vg_mpsc *in;
    unsigned how;
    int item;
    struct vg_acquire acquire;
    struct vg_receive recv;
    struct vg_sleep nap;
};

static int forwarder_line, forwarder_idle_line;

VG_ASYNC(forwarder)
{
    VG_BEGIN(f);
    if (f->how == FORWARD_RECEIVES_FIRST)
        VG_TRY(f->ret, vg_mpsc_recv(&f->recv, f->in, &f->item));
    forwarder_line = __LINE__ + 1;
    VG_TRY(f->ret, vg_acquire(&f->acquire, f->buffer, 1));
    if (f->how == FORWARD_WAITS_FOR_IO)
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(2000)));
    if (f->how == FORWARD) {
        forwarder_idle_line = __LINE__ + 1;
        VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, f->in, &f->item));
    }
    vg_release(f->buffer, 1);
    VG_RETURN(0);
}

static struct forwarder *forwarder(struct forwarder *f, struct vg_semaphore *buffer,
                                   struct vg_mpsc *in, unsigned how)
{
    VG_SETUP(f, forwarder);
    f->buffer = buffer;
    f->in = in;
    f->how = how;
    return f;
}

static int play_forwarders(struct lab *lab, unsigned twin)
{
    static struct vg_semaphore buffer;
    static struct vg_mpsc in[3];
    static int slots[3][4];
    int rc, item = 1;

    vg_semaphore_init(&buffer, "BUF", 2);
    for (unsigned i = 0; i < 3; i++) {
        vg_mpsc_init(&in[i], "in", slots[i], 4);
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, forwarder, &buffer, &in[i], twin), 0);
        if (twin != FORWARD_WAITS_FOR_IO) /* else all begin together */
            (void)corpus_play_for(lab, VG_MSEC(1));
    }
    CHECK_EQ(vg_mpsc_try_send(&in[2], &item), 0);
    rc = corpus_play_for(lab, VG_SEC(30));
    for (unsigned i = 0; i < 3; i++)
        vg_mpsc_close(&in[i]);
    (void)corpus_play_all(lab);
    return rc;
}

/* ---- readers-starve-writer ------------------------------------------------------------------- */

struct visitor {
    VG_FRAME(int);
    struct eager *lock;
    enum eager_kind kind;
    uint64_t begin; /* ms */
    int rounds;
    struct eager_lock take;
    struct vg_sleep nap;
};

static int visitor_line;

VG_ASYNC(visitor)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->begin)));
    while (f->rounds-- > 0) {
        eager_lock(&f->take, f->lock, f->kind, false);
        visitor_line = __LINE__ + 1;
        VG_AWAIT(f->ret, &f->take);
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
        eager_unlock(f->lock, f->kind);
    }
    VG_RETURN(0);
}

static struct visitor *visitor(struct visitor *f, struct eager *lock, enum eager_kind kind,
                               uint64_t begin, int rounds)
{
    VG_SETUP(f, visitor);
    f->lock = lock;
    f->kind = kind;
    f->begin = begin;
    f->rounds = rounds;
    return f;
}

static int play_writer(struct lab *lab, unsigned twin)
{
    static struct eager lock;

    eager_init(&lock, "Q", twin != 1);
    if (twin == 2) { /* a long queue, first come first served */
        for (uint64_t i = 0; i < 200; i++)
            CHECK_EQ(VG_SPAWN(lab->exec, NULL, visitor, &lock, EAGER_WRITE, i / 50, 1), 0);
        return corpus_play_all(lab);
    }
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, visitor, &lock, EAGER_READ, 0, 200), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, visitor, &lock, EAGER_READ, 5, 200), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, visitor, &lock, EAGER_WRITE, 20, 1), 0);
    return corpus_play_all(lab);
}

/* ---- body-channels-before-driving ------------------------------------------------------------ */

struct host {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    int item;
    struct vg_receive recv;
    struct vg_sleep nap;
};

VG_ASYNC(host)
{
    VG_BEGIN(f);
    for (;;) {
        VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, f->channel, &f->item));
        if (f->ret < 0)
            VG_RETURN(0);
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    }
}

static struct host *host(struct host *f, struct vg_mpsc *channel)
{
    VG_SETUP(f, host);
    f->channel = channel;
    return f;
}

struct chunks {
    VG_FRAME(int);
    struct vg_mpsc *channel;
    int left, rc;
    struct vg_mpsc_send send;
};

static int chunks_line;

VG_ASYNC(chunks)
{
    VG_BEGIN(f);
    for (; f->left > 0; f->left--) {
        vg_mpsc_send(&f->send, f->channel, &f->left);
        chunks_line = __LINE__ + 1;
        VG_TRY(f->ret, &f->send);
    }
    vg_mpsc_close(f->channel);
    VG_RETURN(0);
}

static struct chunks *chunks(struct chunks *f, struct vg_mpsc *channel, int count)
{
    VG_SETUP(f, chunks);
    f->channel = channel;
    f->left = count;
    return f;
}

struct upload {
    VG_FRAME(int);
    struct lab *lab;
    unsigned twin;
    int slots[4];
    struct vg_mpsc channel;
    struct host host;
    struct chunks chunks;
    struct vg_set set;
    struct vg_set_item item;
    struct vg_set_next next;
    struct vg_handle handle;
    VG_CHILDREN(2) join;
};

VG_ASYNC(upload)
{
    VG_BEGIN(f);
    vg_mpsc_init(&f->channel, "body", f->slots, 4);
    chunks(&f->chunks, &f->channel, f->twin == 1 ? 4 : 10);
    host(&f->host, &f->channel);
    if (f->twin == 3) {
        CHECK_EQ(VG_SPAWN(f->lab->exec, NULL, host, &f->channel), 0);
    } else {
        vg_mpsc_set_reader(&f->channel, &f->host.fut);
    }
    if (f->twin == 2) {
        VG_AWAIT(f->ret, VG_JOIN(f->join, &f->chunks, &f->host));
    } else {
        VG_AWAIT(f->ret, &f->chunks);
        if (f->twin != 3)
            VG_AWAIT(f->ret, &f->host);
    }
    VG_RETURN(0);
}

static int play_upload(struct lab *lab, unsigned twin)
{
    static struct upload f;
    int rc;

    VG_SETUP(&f, upload);
    f.lab = lab;
    f.twin = twin;
    rc = PLAY(lab, &f);
    (void)corpus_play_for(lab, VG_SEC(1));
    return rc;
}

/* ---- lock-taken-at-creation ------------------------------------------------------------------- */

struct made {
    VG_FRAME(int);
    struct eager *lock;
    unsigned twin;
    struct eager_lock first, second;
};

static int made_line;

VG_ASYNC(made)
{
    VG_BEGIN(f);
    eager_lock(&f->second, f->lock, EAGER_WRITE, f->twin == 0);
    eager_lock(&f->first, f->lock, EAGER_WRITE, f->twin == 0);
    made_line = __LINE__ + 1;
    VG_AWAIT(f->ret, &f->first);
    eager_unlock(f->lock, EAGER_WRITE);
    VG_AWAIT(f->ret, &f->second);
    eager_unlock(f->lock, EAGER_WRITE);
    VG_RETURN(0);
}

static int play_made(struct lab *lab, unsigned twin)
{
    static struct eager lock;
    static struct made f;

    eager_init(&lock, "L", false);
    VG_SETUP(&f, made);
    f.lock = &lock;
    f.twin = twin;
    return PLAY(lab, &f);
}

const struct corpus_case corpus_waits[] = {
    {
        .id = "reserved-slots-idle-forwarders",
        .verdict = VG_VERDICT_HOARDED_RESERVATION,
        .decisive = 0,
        .due = 1000,
        .play = play_forwarders,
        .twins = 2,
        .names = {"vg_acquire in forwarder", "semaphore \"BUF\"", "vg_receive in forwarder",
                  "channel \"in\""},
        .lines = {&forwarder_line, &forwarder_idle_line},
    },
    {
        .id = "readers-starve-writer",
        .verdict = VG_VERDICT_UNFAIR_LOCK,
        .decisive = 20,
        .due = 480,
        .play = play_writer,
        .twins = 2,
        .names = {"eager_lock in visitor", "lock \"Q\"", "overtaken"},
        .lines = {&visitor_line},
    },
    {
        .id = "body-channels-before-driving",
        .verdict = VG_VERDICT_NEVER_POLLED,
        .decisive = 0,
        .due = 50,
        .play = play_upload,
        .twins = 3,
        .names = {"vg_mpsc_send in chunks", "channel \"body\"", "never been polled: host"},
        .lines = {&chunks_line},
    },
    {
        .id = "lock-taken-at-creation",
        .verdict = VG_VERDICT_NEVER_POLLED,
        .decisive = 0,
        .due = 50,
        .play = play_made,
        .twins = 1,
        .names = {"eager_lock in made", "lock \"L\"", "never been polled: eager_lock"},
        .lines = {&made_line},
    },
    {.id = NULL},
};
