/* SPDX-License-Identifier: MIT */
/*
 * Concurrency Kit's ring between threads that spin: no tasks, and nothing that sleeps or is woken. What a channel costs when
 * it is nothing but the queue. A thread that finds its ring full or empty lets others run after some tries, so that
 * more threads than processors do not wait for each other in vain.
 *
 * Producers have a ring each, and share the 64 slots. The ring for many producers (ck_ring_enqueue_mpsc) makes each wait, with
 * its processor, for those who came before; with more threads than processors it came to one message per
 * time slice, and stayed there.
 */
#include "peer.h"

#include <ck_ring.h>
#include <pthread.h>
#include <sched.h>

enum { SLOTS = 64, PRODUCERS_MAX = 8, TRIES = 128 };

struct producer {
    ck_ring_t ring;
    ck_ring_buffer_t buffer[SLOTS]; /* one of those in use stays empty */
    uint64_t messages;
    pthread_t thread;
} CK_CC_CACHELINE;

static void wait_a_little(unsigned *tries)
{
    if (++*tries % TRIES != 0)
        ck_pr_stall();
    else
        sched_yield();
}

/* Values travel as pointers, which is what the ring is made for. */
static void *produce(void *arg)
{
    struct producer *producer = (struct producer *)arg;
    unsigned tries = 0;

    for (uintptr_t value = 0; value < producer->messages; value++)
        while (!ck_ring_enqueue_spsc(&producer->ring, producer->buffer, (void *)value))
            wait_a_little(&tries);
    return NULL;
}

/* Adds up what the ring has. */
static uint64_t take(struct producer *producer, uint64_t *sum)
{
    uint64_t taken = 0;
    void *value;

    for (; ck_ring_dequeue_spsc(&producer->ring, producer->buffer, (void *)&value); taken++)
        *sum += (uintptr_t)value;
    return taken;
}

static uint64_t consume(struct producer *producer, unsigned producers, uint64_t messages)
{
    uint64_t sum = 0;
    unsigned tries = 0;

    while (messages > 0) {
        uint64_t taken = 0;

        for (unsigned i = 0; i < producers; i++)
            taken += take(&producer[i], &sum);
        if (taken == 0)
            wait_a_little(&tries);
        messages -= taken;
    }
    return sum;
}

/* Each producer and the consumer is a thread, whatever the number of workers. */
static struct peer_run measure(unsigned producers)
{
    static struct producer producer[PRODUCERS_MAX];
    const uint64_t each = peer_count(1000000 / producers);
    struct peer_run run;
    uint64_t sum;

    for (unsigned i = 0; i < producers; i++) {
        ck_ring_init(&producer[i].ring, SLOTS / producers);
        producer[i].messages = each;
    }
    peer_begin(&run);
    for (unsigned i = 0; i < producers; i++)
        if (pthread_create(&producer[i].thread, NULL, produce, &producer[i]) != 0)
            peer_die("pthread_create");
    sum = consume(producer, producers, producers * each);
    for (unsigned i = 0; i < producers; i++)
        pthread_join(producer[i].thread, NULL);
    peer_end(&run, producers * each);
    peer_check("sum", sum, producers * (each * (each - 1) / 2));
    return run;
}

static struct peer_run mpsc_1_1(unsigned workers)
{
    (void)workers;
    return measure(1);
}

static struct peer_run mpsc_8_1(unsigned workers)
{
    (void)workers;
    return measure(8);
}

int main(int argc, char **argv)
{
    static const struct peer_bench benches[] = {
        {"mpsc_1_1", mpsc_1_1}, {"mpsc_8_1", mpsc_8_1}, {NULL, NULL}};

    return peer_main(argc, argv, benches, NULL);
}
