/* SPDX-License-Identifier: MIT */
/*
 * The channel with several receivers: a value that one of them is granted and does not take reaches the other, and
 * when the last value is taken after a close, whoever still waits learns of the end.
 */
#include <errno.h>

#include <vigil/mpmc.h>

#include "world.h"

static struct world_task tasks[2];
static struct vg_mpmc channel;
static uint64_t slots[2];

/* Receives once. */
struct receiver {
    struct vg_future fut;
    struct vg_mpmc_recv recv;
    struct world_event event;
    uint64_t value;
    bool cancels; /* when its event has happened */
    bool ended;
    int ret;
};

static struct receiver receivers[2];

/* Nothing of the receive may be touched any more, by anybody. */
static void end(struct receiver *r)
{
    r->ret = r->recv.ret;
    r->ended = true;
    mc_free(&r->recv, sizeof r->recv);
}

static vg_poll receiver_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct receiver *r = (struct receiver *)(void *)fut;
    bool happened = !r->cancels || vg_poll_future(&r->event.fut, cx).ready;

    if (!r->ended && r->cancels && happened)
        vg_cancel(&r->recv.fut, cx);
    if (!r->ended && vg_poll_future(&r->recv.fut, cx).ready)
        end(r);
    return (vg_poll){r->ended && happened};
}

static const struct vg_ops receiver_ops = {.poll = receiver_poll,
                                           .name = "receiver",
                                           .size = sizeof(struct receiver),
                                           .kind = VG_KIND_OPAQUE};

static void init_receiver(int i, bool cancels)
{
    receivers[i] = (struct receiver){.cancels = cancels};
    vg_future_init(&receivers[i].fut, &receiver_ops);
    vg_mpmc_recv(&receivers[i].recv, &channel, &receivers[i].value);
    world_event(&receivers[i].event);
    world_spawn(&tasks[i], &receivers[i].fut);
}

static void init(bool cancels)
{
    world_init();
    vg_mpmc_init_at(&channel, "channel", slots, sizeof *slots, 2, NULL);
    init_receiver(0, cancels);
    init_receiver(1, false);
}

static void send_one(void)
{
    uint64_t value = 3;

    MC_ASSERT(vg_mpmc_try_send(&channel, &value) == 0);
}

static void one_received(void)
{
    uint64_t received = 0;

    for (int i = 0; i < 2; i++) {
        MC_ASSERT(tasks[i].over);
        MC_ASSERT(receivers[i].ret == 0 || receivers[i].ret == -EPIPE ||
                  receivers[i].ret == -ECANCELED);
        if (receivers[i].ret == 0)
            received += receivers[i].value;
    }
    MC_ASSERT(received == 3);
    vg_mpmc_fini(&channel);
}

/* ---- 1: one value for two, and the end ---------------------------------------------------------- */

static void init_two(void)
{
    init(false);
}

static void two(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        send_one();
        vg_mpmc_close(&channel);
    }
}
MC_MODEL(mpmc_one_value_for_two, .threads = 3, .init = init_two, .thread = two,
         .final = one_received);

/* ---- 2: the first is cancelled, perhaps after it was served -------------------------------------- */

static void init_cancelled(void)
{
    init(true);
}

static void cancelled(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        send_one();
        world_happen(&receivers[0].event);
        vg_mpmc_close(&channel);
    }
}
MC_MODEL(mpmc_first_is_cancelled, .threads = 3, .init = init_cancelled, .thread = cancelled,
         .final = one_received);

/* ---- 3: the last permit is returned, and all end -------------------------------------------------- */

static void init_permit(void)
{
    world_init();
    vg_mpmc_init_at(&channel, "channel", slots, sizeof *slots, 2, NULL);
    MC_ASSERT(vg_mpmc_try_reserve(&channel) == 0);
    init_receiver(0, false);
}

static void permit(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        vg_mpmc_close(&channel);
    else
        vg_mpmc_unreserve(&channel);
}

static void all_ended(void)
{
    MC_ASSERT(tasks[0].over && receivers[0].ret == -EPIPE);
    vg_mpmc_fini(&channel);
}
MC_MODEL(mpmc_last_permit, .threads = 3, .init = init_permit, .thread = permit, .final = all_ended);
