/* SPDX-License-Identifier: MIT */
/*
 * Load for the echo servers: connections that send a message, wait until all of it has come back, compare every byte, and
 * send the next. It uses one thread and a raw ring, to be cheap itself. What it measures is the processor time
 * that the server's process uses for a request, in user and kernel mode, all threads together.
 *
 *     echo_load --connect ADDR:PORT [--pid PID] [--thread NAME] [--connections N] [--size BYTES]
 *               [--warm-up SECONDS] [--seconds SECONDS] [--requests N]
 *
 * Ends after so many seconds or requests, whichever comes first, and prints one line of JSON. Exit code 1: a byte was wrong, or a
 * connection failed.
 */
#include "echo_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "echo_reference.h"
#include "echo_ring.h"

enum {
    BUFFER = 4096,
    PATIENCE_S = 20, /* beyond the given time; then a signal ends the process */
};

struct connection {
    int fd;
    unsigned received; /* of the answer that is under way */
    uint64_t sent_at;
    uint64_t seed; /* of the message */
    char *message;
};

struct load {
    struct io_uring ring;
    struct echo_buffers buffers;
    struct load_options options;
    struct connection *connection;
    struct load_figures figures;
    uint64_t now; /* when the completions at hand were seen */
    bool measuring;
};

static uint64_t clock_of(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) < 0)
        echo_die("clock_gettime", errno);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static _Noreturn void wrong(const char *what)
{
    fprintf(stderr, "echo_load: %s\n", what);
    _exit(1);
}

/* Another for each request, so that no answer is right by accident. */
static void compose(struct connection *connection, unsigned size)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < size; i++) {
        if (i % 8 == 0) {
            connection->seed = connection->seed * 6364136223846793005u + 1442695040888963407u;
            word = connection->seed ^ connection->seed >> 29;
        }
        connection->message[i] = (char)(word >> i % 8 * 8);
    }
}

static void post_receive(struct load *load, struct connection *connection)
{
    struct io_uring_sqe *sqe = echo_ring_entry(&load->ring);

    io_uring_prep_recv_multishot(sqe, connection->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = ECHO_GROUP;
    sqe->user_data = (uintptr_t)connection;
}

/* When the answer is there the send has ended, so only its failure needs to be told. */
static void post_send(struct load *load, struct connection *connection)
{
    struct io_uring_sqe *sqe = echo_ring_entry(&load->ring);

    compose(connection, load->options.size);
    connection->received = 0;
    connection->sent_at = load->now;
    io_uring_prep_send(sqe, connection->fd, connection->message, load->options.size,
                       MSG_NOSIGNAL | MSG_WAITALL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = 0;
}

static void answered(struct load *load, struct connection *connection)
{
    if (load->measuring) {
        load->figures.requests++;
        load_record(&load->figures, load->now - connection->sent_at);
    }
    post_send(load, connection);
}

static void received(struct load *load, struct connection *connection,
                     const struct io_uring_cqe *cqe)
{
    const unsigned n = cqe->res > 0 ? (unsigned)cqe->res : 0;

    if (cqe->res == 0 || (cqe->res < 0 && cqe->res != -ENOBUFS))
        wrong("the server has ended a connection");
    if (n > load->options.size - connection->received)
        wrong("more came back than was sent");
    if (n > 0) {
        if (memcmp(echo_buffer(&load->buffers, echo_buffer_of(cqe)),
                   connection->message + connection->received, n) != 0)
            wrong("something else came back than was sent");
        echo_buffer_return(&load->buffers, echo_buffer_of(cqe));
    }
    if ((cqe->flags & IORING_CQE_F_MORE) == 0)
        post_receive(load, connection);
    connection->received += n;
    if (connection->received == load->options.size)
        answered(load, connection);
}

/* One system call, and all it brings. */
static void turn(struct load *load)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;

    io_uring_submit_and_wait(&load->ring, 1);
    load->now = clock_of(CLOCK_MONOTONIC);
    io_uring_for_each_cqe(&load->ring, head, cqe)
    {
        seen++;
        if (cqe->user_data == 0)
            wrong("a send failed");
        received(load, (struct connection *)(uintptr_t)cqe->user_data, cqe);
    }
    io_uring_cq_advance(&load->ring, seen);
}

/* Until the time, or until so many requests have been counted. */
static void run_until(struct load *load, uint64_t end, uint64_t requests)
{
    while (load->now < end && (requests == 0 || load->figures.requests < requests))
        turn(load);
}

static void dial(struct load *load, struct connection *connection, uint64_t seed)
{
    const struct sockaddr *addr = (const struct sockaddr *)&load->options.addr;

    connection->seed = seed;
    connection->message = malloc(load->options.size);
    if (connection->message == NULL)
        echo_die("malloc", ENOMEM);
    connection->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, addr, load->options.addr_len) < 0)
        echo_die("connect", errno);
    (void)vg_tcp_nodelay(connection->fd);
    post_receive(load, connection);
    post_send(load, connection);
}

static void open_load(struct load *load)
{
    unsigned buffers = 64;

    while (buffers < 2 * load->options.connections)
        buffers *= 2;
    echo_ring_open(&load->ring);
    echo_buffers_open(&load->buffers, &load->ring, buffers, BUFFER);
    load->connection = calloc(load->options.connections, sizeof *load->connection);
    if (load->connection == NULL)
        echo_die("calloc", ENOMEM);
    load->now = clock_of(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < load->options.connections; i++)
        dial(load, &load->connection[i], i);
}

static void measure(struct load *load)
{
    const uint64_t from = load->now;
    struct load_usage before, after;

    load->measuring = true;
    load_usage(&before, &load->options);
    run_until(load, from + load->options.run_ns, load->options.requests);
    load_usage(&after, &load->options);
    load->figures.ns = load->now - from;
    load_difference(&load->figures.usage, &after, &before);
}

int main(int argc, char **argv)
{
    static struct load load;

    if (load_parse(&load.options, argc, argv) < 0)
        return 2;
    alarm((unsigned)((load.options.warm_up_ns + load.options.run_ns) / 1000000000u) + PATIENCE_S);
    open_load(&load);
    run_until(&load, load.now + load.options.warm_up_ns, 0);
    measure(&load);
    load_print(&load.figures, &load.options, stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
