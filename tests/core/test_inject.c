/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include "threads.h"

struct message {
    struct vg_link link;
    int from, number;
};

enum { PRODUCERS = 3, EACH = 50000 };

static struct vg_inject inbox;
static struct message messages[PRODUCERS][EACH];
static VG_ATOMIC(int) ended;
static int next_number[PRODUCERS], accepted[PRODUCERS];

static struct message *message_of(struct vg_link *link)
{
    return VG_LINK_OWNER(link, struct message, link);
}

TEST(everything_is_taken_at_once_the_oldest_first)
{
    struct vg_link *link;

    vg_inject_init(&inbox);
    CHECK(vg_inject_empty(&inbox));
    CHECK(!vg_inject_take(&inbox));
    for (int i = 0; i < 4; i++)
        CHECK(vg_inject_push(&inbox, &messages[0][i].link));
    CHECK(!vg_inject_empty(&inbox));
    link = vg_inject_take(&inbox);
    CHECK(vg_inject_empty(&inbox));
    for (int i = 0; i < 4; i++, link = vg_link_next(link))
        CHECK_EQ(message_of(link), &messages[0][i]);
    CHECK(!link);
}

TEST(a_closed_inbox_refuses_but_keeps_what_it_has)
{
    vg_inject_init(&inbox);
    CHECK(vg_inject_push(&inbox, &messages[0][0].link));
    vg_inject_close(&inbox);
    vg_inject_close(&inbox);
    CHECK(!vg_inject_push(&inbox, &messages[0][1].link));
    CHECK(!vg_inject_empty(&inbox));
    CHECK_EQ(vg_inject_take(&inbox), &messages[0][0].link);
    CHECK(vg_inject_empty(&inbox));
    CHECK(!vg_inject_take(&inbox));
    CHECK(!vg_inject_push(&inbox, &messages[0][1].link));
}

TEST(a_list_keeps_order_and_length)
{
    struct vg_fifo fifo = {0};

    CHECK(!vg_fifo_pop(&fifo));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            vg_fifo_push(&fifo, &messages[0][i].link);
        CHECK_EQ(fifo.length, 3);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(vg_fifo_pop(&fifo), &messages[0][i].link);
        CHECK(vg_fifo_empty(&fifo));
        CHECK_EQ(fifo.length, 0);
    }
}

static int consume(void)
{
    struct vg_link *link = vg_inject_take(&inbox);
    int n = 0;

    for (; link; n++) {
        struct message *message = message_of(link);
        link = vg_link_next(link);
        CHECK_EQ(message->number, next_number[message->from]++);
    }
    return n;
}

static void produce_or_consume(int id)
{
    if (id == PRODUCERS) {
        while (vg_load(&ended, acquire) < PRODUCERS)
            if (consume() == 0)
                vg_os_yield();
        return;
    }
    for (int i = 0; i < EACH; i++) {
        messages[id][i] = (struct message){.from = id, .number = i};
        accepted[id] += vg_inject_push(&inbox, &messages[id][i].link);
    }
    vg_fetch_add(&ended, 1, acq_rel); /* pairs with the load above */
}

static void start(void)
{
    vg_inject_init(&inbox);
    vg_store(&ended, 0, relaxed);
    memset(next_number, 0, sizeof next_number);
    memset(accepted, 0, sizeof accepted);
}

TEST(each_message_arrives_once_and_in_its_senders_order)
{
    start();
    test_threads(PRODUCERS + 1, produce_or_consume);
    consume();
    for (int i = 0; i < PRODUCERS; i++)
        CHECK_EQ(next_number[i], EACH);
}

static void close_in_the_middle(int id)
{
    if (id < PRODUCERS) {
        produce_or_consume(id);
        return;
    }
    for (int i = 0; i < 100; i++)
        consume();
    vg_inject_close(&inbox);
}

TEST(closing_loses_nothing_that_was_accepted)
{
    start();
    test_threads(PRODUCERS + 1, close_in_the_middle);
    consume();
    for (int i = 0; i < PRODUCERS; i++)
        CHECK_EQ(next_number[i], accepted[i]);
}
