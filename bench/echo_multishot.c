/* SPDX-License-Identifier: MIT */
/*
 * Echo by a raw ring with what it has for servers: one entry accepts all connections, one for each connection receives
 * for as long as it lives, into buffers that the kernel chooses, and each is sent back from where it lies.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "echo_reference.h"
#include "echo_ring.h"

enum { BUFFERS = 256, NONE = BUFFERS };

struct connection {
    int fd;
    bool receiving, ended; /* ended: nothing more will be received */
    unsigned first, last;  /* buffers to be sent, in order; the first is being sent */
    unsigned sent;         /* of the first */
    struct connection *next_hungry;
};

struct server {
    struct io_uring ring;
    struct echo_buffers buffers;
    int listener;
    struct connection *hungry;
    unsigned length[BUFFERS], next[BUFFERS];
};

/* user_data: 0 accepts; a connection receives; a connection with bit 0 sends. */
enum { SENDS = 1 };

static void post_accept(struct server *server)
{
    struct io_uring_sqe *sqe = echo_ring_entry(&server->ring);

    io_uring_prep_multishot_accept(sqe, server->listener, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = 0;
}

static void post_receive(struct server *server, struct connection *connection)
{
    struct io_uring_sqe *sqe = echo_ring_entry(&server->ring);

    io_uring_prep_recv_multishot(sqe, connection->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = ECHO_GROUP;
    sqe->user_data = (uintptr_t)connection;
    connection->receiving = true;
}

static void post_send(struct server *server, struct connection *connection)
{
    struct io_uring_sqe *sqe = echo_ring_entry(&server->ring);
    const unsigned id = connection->first;

    io_uring_prep_send(sqe, connection->fd, echo_buffer(&server->buffers, id) + connection->sent,
                       server->length[id] - connection->sent, MSG_NOSIGNAL | MSG_WAITALL);
    sqe->user_data = (uintptr_t)connection | SENDS;
}

static void accepted(struct server *server, const struct io_uring_cqe *cqe)
{
    struct connection *connection;

    if ((cqe->flags & IORING_CQE_F_MORE) == 0)
        post_accept(server);
    if (cqe->res < 0)
        return;
    connection = malloc(sizeof *connection);
    if (connection == NULL)
        echo_die("malloc", ENOMEM);
    *connection = (struct connection){.fd = cqe->res, .first = NONE};
    (void)vg_tcp_nodelay(connection->fd);
    post_receive(server, connection);
}

static void end_if_done(struct connection *connection)
{
    if (!connection->ended || connection->receiving || connection->first != NONE)
        return;
    close(connection->fd);
    free(connection);
}

static void queue(struct server *server, struct connection *connection, unsigned id,
                  unsigned length)
{
    server->length[id] = length;
    server->next[id] = NONE;
    if (connection->first != NONE) {
        server->next[connection->last] = id;
    } else {
        connection->first = id;
        connection->sent = 0;
        post_send(server, connection);
    }
    connection->last = id;
}

static void starve(struct server *server, struct connection *connection)
{
    connection->next_hungry = server->hungry;
    server->hungry = connection;
}

static void received(struct server *server, struct connection *connection,
                     const struct io_uring_cqe *cqe)
{
    connection->receiving = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (cqe->res > 0)
        queue(server, connection, echo_buffer_of(cqe), (unsigned)cqe->res);
    else if (cqe->res != -ENOBUFS)
        connection->ended = true;
    if (cqe->res == -ENOBUFS)
        starve(server, connection);
    else if (!connection->ended && !connection->receiving)
        post_receive(server, connection);
    end_if_done(connection);
}

/* Every buffer that comes back feeds one. */
static void give_back(struct server *server, unsigned id)
{
    struct connection *connection = server->hungry;

    echo_buffer_return(&server->buffers, id);
    if (connection == NULL)
        return;
    server->hungry = connection->next_hungry;
    post_receive(server, connection);
}

static void sent(struct server *server, struct connection *connection, int result)
{
    const unsigned id = connection->first;

    if (result > 0 && (connection->sent += (unsigned)result) < server->length[id]) {
        post_send(server, connection);
        return;
    }
    if (result <= 0) /* the receive will find out as well */
        shutdown(connection->fd, SHUT_RDWR);
    connection->first = server->next[id];
    connection->sent = 0;
    if (connection->first != NONE)
        post_send(server, connection);
    give_back(server, id);
    end_if_done(connection);
}

static void dispatch(struct server *server, const struct io_uring_cqe *cqe)
{
    struct connection *connection =
        (struct connection *)(uintptr_t)(cqe->user_data & ~(uint64_t)SENDS);

    if (connection == NULL)
        accepted(server, cqe);
    else if ((cqe->user_data & SENDS) != 0)
        sent(server, connection, cqe->res);
    else
        received(server, connection, cqe);
}

static void serve(int listener)
{
    struct server *server = calloc(1, sizeof *server);
    struct io_uring_cqe *cqe;

    if (server == NULL)
        echo_die("calloc", ENOMEM);
    server->listener = listener;
    echo_ring_open(&server->ring);
    echo_buffers_open(&server->buffers, &server->ring, BUFFERS, ECHO_SIZE);
    post_accept(server);
    for (;;) {
        unsigned head, seen = 0;

        io_uring_submit_and_wait(&server->ring, 1);
        io_uring_for_each_cqe(&server->ring, head, cqe)
        {
            seen++;
            dispatch(server, cqe);
        }
        io_uring_cq_advance(&server->ring, seen);
    }
}

int main(int argc, char **argv)
{
    return echo_reference(argc, argv, serve);
}
