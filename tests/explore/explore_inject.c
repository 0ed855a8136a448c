/* SPDX-License-Identifier: MIT */
/* The inbox: what a push accepted is taken once, in the order of each pusher; nothing is accepted later. */
#include "inject.h"

#include "explore.h"

struct message {
    struct vg_link link;
    int from, number, taken;
};

static struct vg_inject inbox;
static struct message messages[2][2];
static bool accepted[2][2];
static int last[2];

static void init(void)
{
    vg_inject_init(&inbox);
    for (int i = 0; i < 2; i++) {
        last[i] = -1;
        for (int k = 0; k < 2; k++) {
            messages[i][k] = (struct message){.from = i};
            accepted[i][k] = false;
        }
    }
}

static void produce(int id, int count)
{
    for (int i = 0; i < count; i++) {
        struct message *message = &messages[id][i];
        VG_WR(&message->number);
        message->number = i;
        accepted[id][i] = vg_inject_push(&inbox, &message->link);
    }
}

static void consume(void)
{
    struct vg_link *link = vg_inject_take(&inbox);

    while (link) {
        struct message *message = VG_LINK_OWNER(link, struct message, link);
        link = vg_link_next(link);
        VG_RD(&message->number);
        MC_ASSERT(message->taken++ == 0);
        MC_ASSERT(message->number > last[message->from]);
        last[message->from] = message->number;
    }
}

static void two_producers(int id)
{
    if (id < 2) {
        produce(id, 2 - id);
    } else {
        consume();
        consume();
    }
}

static void closed_meanwhile(int id)
{
    if (id == 0) {
        produce(0, 2);
    } else if (id == 1) {
        vg_inject_close(&inbox);
        MC_ASSERT(!vg_inject_push(&inbox, &messages[1][0].link));
    } else {
        consume();
    }
}

static void what_was_accepted_is_taken(void)
{
    consume();
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            MC_ASSERT(messages[i][k].taken == accepted[i][k]);
    MC_ASSERT(vg_inject_empty(&inbox));
}

static void all_three_arrived(void)
{
    what_was_accepted_is_taken();
    MC_ASSERT(accepted[0][0] && accepted[0][1] && accepted[1][0]);
}

MC_MODEL(inject_two_producers, .threads = 3, .init = init, .thread = two_producers,
         .final = all_three_arrived);
MC_MODEL(inject_closed_meanwhile, .threads = 3, .init = init, .thread = closed_meanwhile,
         .final = what_was_accepted_is_taken);
