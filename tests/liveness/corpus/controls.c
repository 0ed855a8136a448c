/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>
#include <vigil/notify.h>

#include "../quiet.h"
#include "corpus.h"

/* Programs that are merely quiet, slow or busy. */

/* ---- channels -------------------------------------------------------------------------------------- */

struct connection {
    VG_FRAME(int);
    struct vg_mpsc channel;
    uint32_t slot, value;
    uint64_t pause; /* before each item, ms */
    unsigned items;
    struct vg_receive recv;
    struct vg_sleep nap;
};

VG_ASYNC(connection)
{
    VG_BEGIN(f);
    vg_mpsc_init(&f->channel, "connection", &f->slot, 1);
    for (; f->items > 0; f->items--) {
        VG_TRY(f->ret, vg_mpsc_recv(&f->recv, &f->channel, &f->value));
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->pause)));
    }
    VG_RETURN(0);
}

static struct connection *connection(struct connection *f, uint64_t pause, unsigned items)
{
    VG_SETUP(f, connection);
    f->pause = pause;
    f->items = items;
    return f;
}

static int play_idle_server(struct lab *lab, unsigned twin)
{
    (void)twin;
    lab->sim.limits.watch_ns = VG_SEC(600);
    for (unsigned i = 0; i < 50; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, connection, 0, 1), 0);
    return corpus_play_all(lab);
}

struct producer {
    VG_FRAME(int);
    struct connection *to;
    unsigned i;
    uint32_t value;
    struct vg_yield yield;
    struct vg_mpsc_send send;
};

VG_ASYNC(producer)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_yield(&f->yield));
    for (f->i = 0; f->i < 20; f->i++)
        VG_TRY(f->ret, vg_mpsc_send(&f->send, &f->to->channel, &f->value));
    VG_RETURN(0);
}

struct backpressure {
    VG_FRAME(int);
    struct connection consumer;
    struct producer producer;
    VG_CHILDREN(2) join;
};

VG_ASYNC(backpressure)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, VG_JOIN(f->join, &f->consumer, &f->producer));
    VG_RETURN(f->ret);
}

static int play_backpressure(struct lab *lab, unsigned twin)
{
    static struct backpressure f;

    (void)twin;
    VG_SETUP(&f, backpressure);
    connection(&f.consumer, 100, 20);
    VG_SETUP(&f.producer, producer);
    f.producer.to = &f.consumer;
    return PLAY(lab, &f);
}

/* ---- locks ------------------------------------------------------------------------------------------- */

static int play_long_fifo(struct lab *lab, unsigned twin)
{
    (void)twin;
    for (unsigned i = 0; i < 500; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 20), 0);
    return corpus_play_all(lab);
}

static int play_held_guard(struct lab *lab, unsigned twin)
{
    (void)twin;
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 2000), 0);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 10 + i, 1), 0);
    return corpus_play_all(lab);
}

/* ---- selects ----------------------------------------------------------------------------------------- */

struct storm {
    VG_FRAME(int);
    struct lab *lab;
    unsigned i;
    int rc;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_yield yield;
};

VG_ASYNC(storm)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 2000; f->i++) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(vg_lock(&f->lock, &f->lab->mutex)),
                                  VG_CANCEL(vg_yield(&f->yield))));
        CHECK_EQ(f->rc, 1);
    }
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static int play_storm(struct lab *lab, unsigned twin)
{
    static struct storm f;

    (void)twin;
    CHECK(vg_trylock(&lab->mutex));
    VG_SETUP(&f, storm);
    f.lab = lab;
    return PLAY(lab, &f);
}

static int play_unwoken(struct lab *lab, unsigned twin)
{
    static struct parker f;

    (void)twin;
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 5000), 0);
    return PLAY(lab, parker(&f, lab, 3000));
}

static int play_brief(struct lab *lab, unsigned twin)
{
    static struct parker f;

    (void)twin;
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 1009), 0);
    return PLAY(lab, parker(&f, lab, 1000));
}

/* Keeps an arm that has ended, or waits beside a task that holds the lock, during a long await. */
struct patient {
    VG_FRAME(int);
    struct lab *lab;
    bool spawned;
    int rc;
    VG_ARMS(2) sel;
    struct holder child;
    struct vg_handle task;
    struct vg_task_wait wait;
    struct vg_sleep nap, body;
    struct vg_lock lock;
};

static struct vg_arm patient_arm(struct patient *f)
{
    if (!f->spawned)
        return VG_KEEP(holder(&f->child, f->lab, &f->lab->mutex, 0, 50));
    CHECK_EQ(VG_SPAWN(f->lab->exec, &f->task, holder, f->lab, &f->lab->mutex, 0, 5000), 0);
    return VG_PARK(vg_task_wait(&f->wait, &f->task));
}

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, patient_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    if (f->spawned) {
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
        vg_unlock(&f->lab->mutex);
        VG_AWAIT(f->rc, &f->wait);
        vg_task_release(&f->task);
    } else {
        VG_AWAIT(f->rc, vg_sleep(&f->body, VG_SEC(5)));
    }
    VG_RETURN(0);
}

static int play_patient(struct lab *lab, bool spawned)
{
    static struct patient f;

    VG_SETUP(&f, patient);
    f.lab = lab;
    f.spawned = spawned;
    return PLAY(lab, &f);
}

static int play_finished(struct lab *lab, unsigned twin)
{
    (void)twin;
    return play_patient(lab, false);
}

static int play_spawned(struct lab *lab, unsigned twin)
{
    (void)twin;
    return play_patient(lab, true);
}

struct forever {
    VG_FRAME(int);
    unsigned i;
    int rc;
    VG_ARMS(2) sel;
    struct vg_forever never;
    struct vg_sleep nap, unused;
};

VG_ASYNC(forever)
{
    VG_BEGIN(f);
    vg_sleep(&f->unused, VG_MSEC(1)); /* made, and never awaited */
    for (f->i = 0; f->i < 5; f->i++)
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(vg_forever(&f->never)),
                                  VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(500)))));
    VG_RETURN(0);
}

static int play_forever(struct lab *lab, unsigned twin)
{
    static struct forever f;

    (void)twin;
    VG_SETUP(&f, forever);
    return PLAY(lab, &f);
}

/* ---- busy for a reason -------------------------------------------------------------------------------- */

struct ping {
    VG_FRAME(int);
    struct vg_notifier *mine, *other;
    unsigned i, rounds;
    struct vg_notified notified;
};

VG_ASYNC(ping)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < f->rounds; f->i++) {
        vg_notify_one(f->other);
        VG_TRY(f->ret, vg_notified(&f->notified, f->mine));
    }
    vg_notify_one(f->other);
    VG_RETURN(0);
}

static struct ping *ping(struct ping *f, struct vg_notifier *mine, struct vg_notifier *other)
{
    VG_SETUP(f, ping);
    f->mine = mine;
    f->other = other;
    f->rounds = 3000;
    return f;
}

static int play_pingpong(struct lab *lab, unsigned twin)
{
    static struct vg_notifier n[2];

    (void)twin;
    vg_notifier_init(&n[0], "ping");
    vg_notifier_init(&n[1], "pong");
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, ping, &n[0], &n[1]), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, ping, &n[1], &n[0]), 0);
    return corpus_play_for(lab, VG_SEC(20));
}

/* Computes in slices, with a yield between them. */
struct worker_like {
    VG_FRAME(int);
    struct lab *lab;
    unsigned i;
    struct vg_yield yield;
};

VG_ASYNC(worker_like)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 3000; f->i++) {
        f->lab->sim.now += VG_USEC(200);
        VG_TRY(f->ret, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static int play_coop(struct lab *lab, unsigned twin)
{
    static struct worker_like f;

    (void)twin;
    VG_SETUP(&f, worker_like);
    f.lab = lab;
    return PLAY(lab, &f);
}

const struct corpus_case corpus_controls[] = {
    {.id = "ok-idle-server", .play = play_idle_server},
    {.id = "ok-long-fifo", .play = play_long_fifo},
    {.id = "ok-backpressure", .play = play_backpressure},
    {.id = "ok-owned-select-storm", .play = play_storm},
    {.id = "ok-unwoken-ref", .play = play_unwoken},
    {.id = "ok-brief-snooze", .play = play_brief},
    {.id = "ok-finished-sibling", .play = play_finished},
    {.id = "ok-spawned-ref", .play = play_spawned},
    {.id = "ok-pingpong", .play = play_pingpong, .busy = true},
    {.id = "ok-coop-worker", .play = play_coop},
    {.id = "ok-forever, ok-never-awaited", .play = play_forever},
    {.id = "ok-held-guard", .play = play_held_guard},
    {.id = NULL},
};
