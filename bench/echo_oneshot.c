/* SPDX-License-Identifier: MIT */
/*
 * Echo by a raw ring, an entry for each operation: accept, receive, send, receive. What a task of examples/echo_server does,
 * as a state machine.
 */
#include <stdlib.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "echo_reference.h"
#include "echo_ring.h"

struct connection {
    int fd;
    unsigned sent, length; /* of what is in the buffer */
    char buffer[ECHO_SIZE];
};

static void post_accept(struct io_uring *ring, int listener)
{
    struct io_uring_sqe *sqe = echo_ring_entry(ring);

    io_uring_prep_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = 0;
}

static void post_receive(struct io_uring *ring, struct connection *connection)
{
    struct io_uring_sqe *sqe = echo_ring_entry(ring);

    connection->length = 0;
    io_uring_prep_recv(sqe, connection->fd, connection->buffer, ECHO_SIZE, 0);
    sqe->user_data = (uintptr_t)connection;
}

static void post_send(struct io_uring *ring, struct connection *connection)
{
    struct io_uring_sqe *sqe = echo_ring_entry(ring);

    io_uring_prep_send(sqe, connection->fd, connection->buffer + connection->sent,
                       connection->length - connection->sent, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->user_data = (uintptr_t)connection;
}

static void accepted(struct io_uring *ring, int listener, int fd)
{
    struct connection *connection;

    post_accept(ring, listener);
    if (fd < 0)
        return;
    connection = malloc(sizeof *connection);
    if (connection == NULL)
        echo_die("malloc", ENOMEM);
    connection->fd = fd;
    (void)vg_tcp_nodelay(fd);
    post_receive(ring, connection);
}

static void step(struct io_uring *ring, struct connection *connection, int result)
{
    if (result <= 0) {
        close(connection->fd);
        free(connection);
    } else if (connection->length == 0) {
        connection->length = (unsigned)result;
        connection->sent = 0;
        post_send(ring, connection);
    } else {
        connection->sent += (unsigned)result;
        if (connection->sent < connection->length)
            post_send(ring, connection);
        else
            post_receive(ring, connection);
    }
}

static void serve(int listener)
{
    struct io_uring ring;
    struct io_uring_cqe *cqe;

    echo_ring_open(&ring);
    post_accept(&ring, listener);
    for (;;) {
        unsigned head, seen = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            seen++;
            if (cqe->user_data == 0)
                accepted(&ring, listener, cqe->res);
            else
                step(&ring, (struct connection *)(uintptr_t)cqe->user_data, cqe->res);
        }
        io_uring_cq_advance(&ring, seen);
    }
}

int main(int argc, char **argv)
{
    return echo_reference(argc, argv, serve);
}
