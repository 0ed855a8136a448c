/* SPDX-License-Identifier: MIT */
/*
 * The bounded channel, polled by the library's own code: no wake is lost, a value is received once if its send says so
 * and never otherwise, and whoever learns that all is over may free the channel and its future.
 */
#include <errno.h>

#include <vigil/mpsc.h>

#include "world.h"

static struct world_task tasks[2];
static struct vg_mpsc channel;
static uint64_t slots[2];
static uint64_t in[2], sum; /* what was received, by the model only */

/* Sends or reserves once, below an opaque future. */
struct sender {
    struct vg_future fut;
    struct vg_mpsc_send send;
    struct world_event event;
    bool cancels;  /* when its event has happened */
    bool spurious; /* is polled then, without need */
    bool ended;
    int ret;
};

static struct sender sender;

/* The send has ended: nothing of it may be touched any more, by anybody. */
static void end(struct sender *s)
{
    s->ret = s->send.ret;
    s->ended = true;
    mc_free(&s->send, sizeof s->send);
}

static vg_poll sender_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct sender *s = (struct sender *)(void *)fut;
    bool happened = !(s->cancels || s->spurious) || vg_poll_future(&s->event.fut, cx).ready;

    if (!s->ended && s->cancels && happened)
        vg_cancel(&s->send.fut, cx);
    if (!s->ended && vg_poll_future(&s->send.fut, cx).ready)
        end(s);
    return (vg_poll){s->ended && happened};
}

static const struct vg_ops sender_ops = {
    .poll = sender_poll, .name = "sender", .size = sizeof(struct sender), .kind = VG_KIND_OPAQUE};

/* Receives until the end, and frees the channel then. */
struct receiver {
    struct vg_future fut;
    struct vg_receive recv;
    uint64_t value;
    bool frees;
};

static struct receiver receiver;

static void start_recv(struct receiver *r)
{
    vg_mpsc_recv(&r->recv, &channel, &r->value);
}

static vg_poll receiver_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct receiver *r = (struct receiver *)(void *)fut;

    while (vg_poll_future(&r->recv.fut, cx).ready) {
        if (r->recv.ret < 0) {
            MC_ASSERT(r->recv.ret == -EPIPE);
            if (r->frees) {
                vg_mpsc_fini(&channel);
                mc_free(&channel, sizeof channel);
                mc_free(&r->recv, sizeof r->recv);
            }
            return VG_READY;
        }
        sum += r->value;
        start_recv(r);
    }
    return VG_PENDING;
}

static const struct vg_ops receiver_ops = {.poll = receiver_poll,
                                           .name = "receiver",
                                           .size = sizeof(struct receiver),
                                           .kind = VG_KIND_OPAQUE};

static void init_channel(unsigned capacity)
{
    world_init();
    vg_mpsc_init_at(&channel, "channel", slots, sizeof *slots, capacity, NULL);
    in[0] = 1;
    in[1] = 2;
    sum = 0;
}

static void init_receiver(bool frees)
{
    receiver = (struct receiver){.frees = frees};
    vg_future_init(&receiver.fut, &receiver_ops);
    start_recv(&receiver);
    world_spawn(&tasks[0], &receiver.fut);
}

/* The channel is full; value 1 lies in it. */
static void init_sender(bool reserves, bool cancels, bool spurious)
{
    MC_ASSERT(vg_mpsc_try_send(&channel, &in[0]) == 0);
    sender = (struct sender){.cancels = cancels, .spurious = spurious};
    vg_future_init(&sender.fut, &sender_ops);
    if (reserves)
        vg_mpsc_reserve(&sender.send, &channel);
    else
        vg_mpsc_send(&sender.send, &channel, &in[1]);
    world_event(&sender.event);
    world_spawn(&tasks[1], &sender.fut);
}

static void take_one(void)
{
    uint64_t value;

    if (vg_mpsc_try_recv(&channel, &value) == 0)
        sum += value;
}

/* ---- 1: a send and the close elsewhere, the end of the channel --------------------------------- */

static void init_closed(void)
{
    init_channel(2);
    init_receiver(true);
}

static void closed(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else {
        MC_ASSERT(vg_mpsc_try_send(&channel, &in[0]) == 0);
        vg_mpsc_close(&channel);
    }
}

static void all_received(void)
{
    MC_ASSERT(tasks[0].over);
    MC_ASSERT(sum == 1);
}
MC_MODEL(mpsc_closed_and_freed, .threads = 2, .init = init_closed, .thread = closed,
         .final = all_received);

/* The last permit is what the receiver waits for. */
static void init_permit(void)
{
    init_channel(2);
    MC_ASSERT(vg_mpsc_try_reserve(&channel) == 0);
    init_receiver(false);
}

static void permit(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        vg_mpsc_close(&channel);
    else
        vg_mpsc_unreserve(&channel);
}

static void nothing_received(void)
{
    MC_ASSERT(tasks[0].over);
    MC_ASSERT(sum == 0);
}
MC_MODEL(mpsc_last_permit, .threads = 3, .init = init_permit, .thread = permit,
         .final = nothing_received);

/* ---- 2: a send waits, and is served elsewhere --------------------------------------------------- */

static void init_served(void)
{
    init_channel(1);
    init_sender(false, false, false);
}

static void served(int id)
{
    if (id == 0)
        world_work(0, &tasks[1]);
    else
        take_one();
}

static void sent(void)
{
    take_one();
    MC_ASSERT(tasks[1].over);
    MC_ASSERT(sender.ret == 0 && sum == 3);
}
MC_MODEL(mpsc_send_served, .threads = 2, .init = init_served, .thread = served, .final = sent);

/* Its task is polled for another reason while it is served. */
static void init_spurious(void)
{
    init_channel(1);
    init_sender(false, false, true);
}

static void spurious(int id)
{
    if (id == 0)
        world_work(0, &tasks[1]);
    else if (id == 1)
        take_one();
    else
        world_happen(&sender.event);
}
MC_MODEL(mpsc_send_served_in_a_poll, .threads = 3, .init = init_spurious, .thread = spurious,
         .final = sent);

/* Served or turned away. */
static void init_closing(void)
{
    init_channel(1);
    init_sender(false, false, false);
}

static void closing(int id)
{
    if (id == 0)
        world_work(0, &tasks[1]);
    else if (id == 1)
        take_one();
    else
        vg_mpsc_close(&channel);
}

static void sent_or_not(void)
{
    take_one();
    take_one();
    MC_ASSERT(tasks[1].over);
    MC_ASSERT(sum == (sender.ret == 0 ? 3 : 1));
    vg_mpsc_fini(&channel);
}
MC_MODEL(mpsc_send_closed, .threads = 3, .init = init_closing, .thread = closing,
         .final = sent_or_not);

/* ---- 3: a send is cancelled while it is served -------------------------------------------------- */

static void init_cancelled(void)
{
    init_channel(1);
    init_sender(false, true, false);
}

static void cancelled(int id)
{
    if (id == 0)
        world_work(0, &tasks[1]);
    else if (id == 1)
        take_one();
    else
        world_happen(&sender.event);
}
MC_MODEL(mpsc_send_cancelled, .threads = 3, .init = init_cancelled, .thread = cancelled,
         .final = sent_or_not);

/* ---- 4: a reservation is cancelled when it is granted: the slot is free -------------------------- */

static void init_reservation(void)
{
    init_channel(1);
    init_sender(true, true, false);
}

static void reserved_or_free(void)
{
    MC_ASSERT(tasks[1].over);
    MC_ASSERT(sum == 1);
    if (sender.ret == 0)
        vg_mpsc_unreserve(&channel);
    MC_ASSERT(vg_mpsc_try_send(&channel, &in[1]) == 0);
    vg_mpsc_fini(&channel);
}
MC_MODEL(mpsc_reservation_cancelled, .threads = 3, .init = init_reservation, .thread = cancelled,
         .final = reserved_or_free);

/* ---- 5: sender and receiver are tasks on two workers --------------------------------------------- */

static void init_both(void)
{
    init_channel(1);
    init_receiver(false);
    init_sender(false, false, false);
}

static void both(int id)
{
    world_work(id, &tasks[id]);
    if (id == 1)
        vg_mpsc_close(&channel);
}

static void both_done(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over);
    MC_ASSERT(sender.ret == 0 && sum == 3);
    vg_mpsc_fini(&channel);
}
MC_MODEL(mpsc_two_workers, .threads = 2, .init = init_both, .thread = both, .final = both_done);
