/* SPDX-License-Identifier: MIT */
/*
 * The unbounded channel: two senders that both find the last block full, and the receiver that uses up the
 * first. Every value is received once, and every block is freed once.
 */
#include <errno.h>

#include <vigil/unbounded.h>

#include "world.h"

enum { BLOCKS = 4 };

static struct vg_unbounded channel;
static _Alignas(16) char memory[BLOCKS][512];
static int used, freed;
static uint64_t sum;
static struct world_task task;

static void *get(void *self, size_t size, size_t align)
{
    (void)self, (void)align;
    MC_ASSERT(used < BLOCKS && size <= sizeof memory[0]);
    mc_alloc(memory[used], size);
    return memory[used++];
}

static void put(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)align;
    freed++;
    mc_free(block, size);
}

static const struct vg_alloc alloc = {.alloc = get, .free = put, .self = NULL};

static void send(uint64_t value)
{
    MC_ASSERT(vg_unbounded_send(&channel, &value) == 0);
}

/* Receives until the end, and destroys the channel then. */
struct receiver {
    struct vg_future fut;
    struct vg_receive recv;
    uint64_t value;
};

static struct receiver receiver;

static vg_poll receiver_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct receiver *r = (struct receiver *)(void *)fut;

    while (vg_poll_future(&r->recv.fut, cx).ready) {
        if (r->recv.ret < 0) {
            MC_ASSERT(r->recv.ret == -EPIPE);
            vg_unbounded_fini(&channel);
            mc_free(&channel, sizeof channel);
            mc_free(&r->recv, sizeof r->recv);
            return VG_READY;
        }
        sum += r->value;
        vg_unbounded_recv(&r->recv, &channel, &r->value);
    }
    return VG_PENDING;
}

static const struct vg_ops receiver_ops = {.poll = receiver_poll,
                                           .name = "receiver",
                                           .size = sizeof(struct receiver),
                                           .kind = VG_KIND_OPAQUE};

/* So many values are there; they are zeros. */
static void init(unsigned values)
{
    world_init();
    used = freed = 0;
    sum = 0;
    vg_unbounded_init_at(&channel, "channel", sizeof(uint64_t), &alloc, NULL);
    for (unsigned i = 0; i < values; i++)
        send(0);
}

static void init_full(void)
{
    init(VG_UNBOUNDED_BLOCK);
}

static void receive(unsigned values)
{
    uint64_t value;

    for (; values > 0 && vg_unbounded_try_recv(&channel, &value) == 0; values--)
        sum += value;
}

static void full(int id)
{
    if (id < 2)
        send((uint64_t)id + 1);
    else
        receive(2);
}

static void all_received(void)
{
    uint64_t left = vg_unbounded_length(&channel);

    receive((unsigned)left);
    MC_ASSERT(sum == 3);
    vg_unbounded_fini(&channel);
    MC_ASSERT(freed == used);
}
MC_MODEL(unbounded_two_senders, .threads = 3, .init = init_full, .thread = full,
         .final = all_received);

/* The block that a send has allocated is not needed any more. */
static void against_close(int id)
{
    uint64_t value = 3;

    if (id == 0) {
        int rc = vg_unbounded_send(&channel, &value);

        MC_ASSERT(rc == 0 || rc == -EPIPE);
        sum += rc == 0 ? 0 : value;
    } else {
        vg_unbounded_close(&channel);
    }
}
MC_MODEL(unbounded_send_against_close, .threads = 2, .init = init_full, .thread = against_close,
         .final = all_received);

static void init_closed(void)
{
    init(0);
    vg_future_init(&receiver.fut, &receiver_ops);
    vg_unbounded_recv(&receiver.recv, &channel, &receiver.value);
    world_spawn(&task, &receiver.fut);
}

static void closed(int id)
{
    if (id == 0) {
        world_work(0, &task);
    } else {
        send(3);
        vg_unbounded_close(&channel);
    }
}

static void received(void)
{
    MC_ASSERT(task.over);
    MC_ASSERT(sum == 3 && freed == used);
}
MC_MODEL(unbounded_closed_and_freed, .threads = 2, .init = init_closed, .thread = closed,
         .final = received);
