/* SPDX-License-Identifier: MIT */
/*
 * Echo by epoll: edge-triggered and registered once for both directions, so the only system calls of a request are its receive
 * and its send. A receive that did not fill the buffer has taken everything: what comes later makes a new edge.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "echo_reference.h"

enum { EVENTS = 256 };

struct connection {
    int fd;
    unsigned sent, length; /* of what is in the buffer */
    char buffer[ECHO_SIZE];
};

enum outcome { WAITS, GOES_ON, ENDS };

static enum outcome receive(struct connection *connection)
{
    const ssize_t n = recv(connection->fd, connection->buffer, ECHO_SIZE, 0);

    if (n <= 0)
        return n < 0 && errno == EAGAIN ? WAITS : ENDS;
    connection->sent = 0;
    connection->length = (unsigned)n;
    return GOES_ON;
}

static enum outcome send_rest(struct connection *connection)
{
    const ssize_t n = send(connection->fd, connection->buffer + connection->sent,
                           connection->length - connection->sent, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN ? WAITS : ENDS;
    connection->sent += (unsigned)n;
    return connection->sent == connection->length ? GOES_ON : WAITS;
}

/* Until the socket gives or takes no more. */
static enum outcome progress(struct connection *connection)
{
    enum outcome outcome = GOES_ON;

    if (connection->sent < connection->length)
        outcome = send_rest(connection);
    while (outcome == GOES_ON && (outcome = receive(connection)) == GOES_ON) {
        outcome = send_rest(connection);
        if (outcome == GOES_ON && connection->length < ECHO_SIZE)
            return WAITS;
    }
    return outcome;
}

static void admit(int epoll, int fd)
{
    struct connection *connection = malloc(sizeof *connection);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};

    if (connection == NULL)
        echo_die("malloc", ENOMEM);
    connection->fd = fd;
    connection->sent = connection->length = 0;
    (void)vg_tcp_nodelay(fd);
    event.data.ptr = connection;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        echo_die("epoll_ctl", errno);
}

static void accept_one(int epoll, int listener)
{
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0)
        admit(epoll, fd);
}

/* An end of the stream may come with the last bytes, and without a further edge. */
static void handle(const struct epoll_event *event)
{
    struct connection *connection = (struct connection *)event->data.ptr;
    enum outcome outcome = progress(connection);

    if (outcome == WAITS && (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 &&
        connection->sent == connection->length)
        outcome = progress(connection);
    if (outcome != ENDS)
        return;
    close(connection->fd);
    free(connection);
}

static void serve(int listener)
{
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event[EVENTS], listening = {.events = EPOLLIN, .data.ptr = NULL};

    /* A connection may be gone again by the time it is to be accepted. */
    if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0 || epoll < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) < 0)
        echo_die("epoll", errno);
    for (;;) {
        const int n = epoll_wait(epoll, event, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            if (event[i].data.ptr == NULL)
                accept_one(epoll, listener);
            else
                handle(&event[i]);
        }
    }
}

int main(int argc, char **argv)
{
    return echo_reference(argc, argv, serve);
}
