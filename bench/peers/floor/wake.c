/* SPDX-License-Identifier: MIT */
/* What the kernel charges for a wake and its echo between two threads: nobody's wake_parked can be cheaper, but by not sleeping. */
#include "peer.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct pair {
    int ask, answer;
    uint64_t rounds;
};

static void post(int fd)
{
    if (eventfd_write(fd, 1) < 0)
        peer_die("eventfd_write");
}

static void await_post(int fd)
{
    eventfd_t value;

    if (eventfd_read(fd, &value) < 0 || value != 1)
        peer_die("eventfd_read");
}

static void *answer(void *arg)
{
    const struct pair *pair = (const struct pair *)arg;

    for (uint64_t i = 0; i < pair->rounds; i++) {
        await_post(pair->ask);
        post(pair->answer);
    }
    return NULL;
}

/* Two eventfds, read by threads that sleep. The number of workers makes no difference. */
static struct peer_run wake_parked(unsigned workers)
{
    const struct pair pair = {eventfd(0, 0), eventfd(0, 0), peer_count(20000)};
    struct peer_run run;
    pthread_t thread;

    (void)workers;
    if (pair.ask < 0 || pair.answer < 0 ||
        pthread_create(&thread, NULL, answer, (void *)&pair) != 0)
        peer_die("eventfd or thread");
    peer_begin(&run);
    for (uint64_t i = 0; i < pair.rounds; i++) {
        post(pair.ask);
        await_post(pair.answer);
    }
    peer_end(&run, pair.rounds);
    pthread_join(thread, NULL);
    close(pair.ask);
    close(pair.answer);
    return run;
}

int main(int argc, char **argv)
{
    static const struct peer_bench benches[] = {{"wake_parked", wake_parked}, {NULL, NULL}};

    return peer_main(argc, argv, benches, NULL);
}
