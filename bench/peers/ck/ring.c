/* SPDX-License-Identifier: MIT */
/*
 * Concurrency Kit's ring between threads that spin: no tasks, and nothing that sleeps or is woken. What a channel costs when
 * it is nothing but the queue. A thread that finds the ring full or empty lets others run after some tries, so that
 * more threads than processors do not wait for each other in vain.
 */
#include "peer.h"

#include <ck_ring.h>
#include <pthread.h>
#include <sched.h>

enum { SLOTS = 64, PRODUCERS_MAX = 8, TRIES = 128 };

struct channel {
    ck_ring_t ring;
    ck_ring_buffer_t buffer[SLOTS]; /* one of them stays empty */
    uint64_t each;
};

static void wait_a_little(unsigned *tries)
{
    if (++*tries % TRIES != 0)
        ck_pr_stall();
    else
        sched_yield();
}

/* Values travel as pointers, which is what the ring is made for. */
static void *produce_alone(void *arg)
{
    struct channel *channel = (struct channel *)arg;
    unsigned tries = 0;

    for (uintptr_t value = 0; value < channel->each; value++)
        while (!ck_ring_enqueue_spsc(&channel->ring, channel->buffer, (void *)value))
            wait_a_little(&tries);
    return NULL;
}

static void *produce_together(void *arg)
{
    struct channel *channel = (struct channel *)arg;
    unsigned tries = 0;

    for (uintptr_t value = 0; value < channel->each; value++)
        while (!ck_ring_enqueue_mpsc(&channel->ring, channel->buffer, (void *)value))
            wait_a_little(&tries);
    return NULL;
}

static uint64_t consume(struct channel *channel, uint64_t messages)
{
    uint64_t sum = 0;
    unsigned tries = 0;
    void *value;

    for (uint64_t i = 0; i < messages; i++) {
        while (!ck_ring_dequeue_spsc(&channel->ring, channel->buffer, (void *)&value))
            wait_a_little(&tries);
        sum += (uintptr_t)value;
    }
    return sum;
}

static struct peer_run measure(unsigned producers, void *(*produce)(void *))
{
    static struct channel channel;
    pthread_t thread[PRODUCERS_MAX];
    struct peer_run run;
    uint64_t sum;

    ck_ring_init(&channel.ring, SLOTS);
    channel.each = peer_count(1000000 / producers);
    peer_begin(&run);
    for (unsigned i = 0; i < producers; i++)
        if (pthread_create(&thread[i], NULL, produce, &channel) != 0)
            peer_die("pthread_create");
    sum = consume(&channel, producers * channel.each);
    for (unsigned i = 0; i < producers; i++)
        pthread_join(thread[i], NULL);
    peer_end(&run, producers * channel.each);
    peer_check("sum", sum, producers * (channel.each * (channel.each - 1) / 2));
    return run;
}

/* Each producer and the consumer is a thread, whatever the number of workers. */
static struct peer_run mpsc_1_1(unsigned workers)
{
    (void)workers;
    return measure(1, produce_alone);
}

static struct peer_run mpsc_8_1(unsigned workers)
{
    (void)workers;
    return measure(8, produce_together);
}

int main(int argc, char **argv)
{
    static const struct peer_bench benches[] = {
        {"mpsc_1_1", mpsc_1_1}, {"mpsc_8_1", mpsc_8_1}, {NULL, NULL}};

    return peer_main(argc, argv, benches, NULL);
}
