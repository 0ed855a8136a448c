/* SPDX-License-Identifier: MIT */
/*
 * The oneshot: what was written before the send is seen after the receive, which may free the oneshot at once; a receive that
 * is given up leaves the value for the drop; a value is had by exactly one.
 */
#include <errno.h>

#include <vigil/oneshot.h>

#include "world.h"

/* A task that receives. */
struct taker {
    struct vg_future fut;
    struct vg_oneshot_recv recv;
    bool gives_up; /* when the event has happened */
    bool frees;    /* the oneshot and its receive, when that has ended */
    struct world_event event;
    int result;
    void *value;
};

enum { LATER = 77 };

static struct world_task task;
static struct taker taker;
static struct vg_oneshot oneshot;
static int guarded; /* written before the send, read after the receive */
static int sent;    /* what the send has returned */

static void end_taker(void)
{
    taker.result = taker.recv.ret;
    taker.value = taker.recv.value;
    if (taker.result == 0) {
        VG_RD(&guarded);
        MC_ASSERT(guarded == 1);
    }
    if (!taker.frees)
        return;
    mc_free(&taker.recv, sizeof taker.recv);
    mc_free(&oneshot, sizeof oneshot);
}

static vg_poll taker_poll(struct vg_future *fut, struct vg_cx *cx)
{
    const bool happened = !taker.gives_up || vg_poll_future(&taker.event.fut, cx).ready;

    (void)fut;
    if (taker.result == LATER && taker.gives_up && happened)
        vg_cancel(&taker.recv.fut, cx);
    if (taker.result == LATER && vg_poll_future(&taker.recv.fut, cx).ready)
        end_taker();
    return (vg_poll){taker.result != LATER && happened};
}

static const struct vg_ops taker_ops = {
    .poll = taker_poll, .name = "taker", .size = sizeof(struct taker), .kind = VG_KIND_OPAQUE};

static void init(struct taker how)
{
    world_init();
    vg_oneshot_init_at(&oneshot, "oneshot", NULL);
    guarded = 0;
    sent = LATER;
    taker = how;
    taker.result = LATER;
    vg_future_init(&taker.fut, &taker_ops);
    world_event(&taker.event);
    vg_oneshot_recv(&taker.recv, &oneshot);
    world_spawn(&task, &taker.fut);
}

static void send(void)
{
    VG_WR(&guarded);
    guarded = 1;
    sent = vg_oneshot_send(&oneshot, &guarded);
}

/* ---- sent, and freed by whoever received it ---------------------------------------------------- */

static void init_received(void)
{
    init((struct taker){.frees = true});
}

static void received(int id)
{
    if (id == 0)
        world_work(0, &task);
    else
        send();
}

static void has_the_value(void)
{
    MC_ASSERT(task.over && taker.result == 0 && taker.value == &guarded && sent == 0);
}
MC_MODEL(oneshot_received, .threads = 2, .init = init_received, .thread = received,
         .final = has_the_value);

/* ---- closed --------------------------------------------------------------------------------------- */

static void closed(int id)
{
    if (id == 0)
        world_work(0, &task);
    else
        vg_oneshot_close(&oneshot);
}

static void has_nothing(void)
{
    MC_ASSERT(task.over && taker.result == -EPIPE);
}
MC_MODEL(oneshot_closed, .threads = 2, .init = init_received, .thread = closed,
         .final = has_nothing);

/* ---- given up, against the send -------------------------------------------------------------------- */

static void init_given_up(void)
{
    init((struct taker){.gives_up = true});
}

static void given_up(int id)
{
    if (id == 0)
        world_work(0, &task);
    else if (id == 1)
        send();
    else
        world_happen(&taker.event);
}

static void somebody_has_the_value(void)
{
    MC_ASSERT(task.over && sent == 0);
    MC_ASSERT(taker.result == 0 || taker.result == -ECANCELED);
    MC_ASSERT(vg_oneshot_drop(&oneshot) == (taker.result == 0 ? NULL : &guarded));
}
MC_MODEL(oneshot_given_up, .threads = 3, .init = init_given_up, .thread = given_up,
         .final = somebody_has_the_value);
