/* SPDX-License-Identifier: MIT */
/*
 * Echo, a loop for each worker, which all listen to the same port (SO_REUSEPORT). What was received is sent at once, which a
 * socket that has room takes without a request; only the rest becomes one, and nothing more is received until it is sent.
 */
#include "loops.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 4096, BACKLOG = 1024 };

struct listener {
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_thread_t thread;
};

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    char buffer[SIZE];
};

static void received(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer);

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end(struct connection *connection)
{
    if (!uv_is_closing((uv_handle_t *)&connection->tcp))
        uv_close((uv_handle_t *)&connection->tcp, closed);
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *connection = (struct connection *)handle->data;

    (void)suggested;
    *buffer = uv_buf_init(connection->buffer, SIZE);
}

static void receive(struct connection *connection)
{
    if (uv_read_start((uv_stream_t *)&connection->tcp, lend, received) < 0)
        end(connection);
}

static void written(uv_write_t *write, int status)
{
    struct connection *connection = (struct connection *)write->data;

    if (status < 0)
        end(connection);
    else
        receive(connection);
}

static void send_rest(struct connection *connection, size_t sent, size_t length)
{
    uv_buf_t rest = uv_buf_init(connection->buffer + sent, (unsigned)(length - sent));
    uv_stream_t *stream = (uv_stream_t *)&connection->tcp;

    uv_read_stop(stream);
    if (uv_write(&connection->write, stream, &rest, 1, written) < 0)
        end(connection);
}

static void received(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct connection *connection = (struct connection *)stream->data;
    uv_buf_t all = uv_buf_init(buffer->base, (unsigned)length);
    int sent;

    if (length <= 0) {
        if (length < 0)
            end(connection);
        return;
    }
    sent = uv_try_write(stream, &all, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        end(connection);
    else if (sent < length)
        send_rest(connection, (size_t)sent, (size_t)length);
}

static void admit(uv_stream_t *server, int status)
{
    struct connection *connection = (struct connection *)uv_zeroed(1, sizeof *connection);

    uv_must(status, "a connection");
    uv_must(uv_tcp_init(server->loop, &connection->tcp), "uv_tcp_init");
    connection->tcp.data = connection->write.data = connection;
    if (uv_accept(server, (uv_stream_t *)&connection->tcp) < 0)
        end(connection);
    else {
        (void)uv_tcp_nodelay(&connection->tcp, 1);
        receive(connection);
    }
}

static void serve(void *arg)
{
    struct listener *listener = (struct listener *)arg;

    uv_must(uv_run(&listener->loop, UV_RUN_DEFAULT), "uv_run");
}

/* Port 0: any; returns which. */
static unsigned listen_on(struct listener *listener, unsigned port)
{
    struct sockaddr_in address;
    int size = sizeof address, on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        peer_die("socket");
    uv_must(uv_ip4_addr("127.0.0.1", (int)port, &address), "uv_ip4_addr");
    uv_must(uv_loop_init(&listener->loop), "uv_loop_init");
    uv_must(uv_tcp_init(&listener->loop, &listener->tcp), "uv_tcp_init");
    uv_must(uv_tcp_open(&listener->tcp, fd), "uv_tcp_open");
    uv_must(uv_tcp_bind(&listener->tcp, (struct sockaddr *)&address, 0), "uv_tcp_bind");
    uv_must(uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, admit), "uv_listen");
    uv_must(uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &size), "getsockname");
    return ntohs(address.sin_port);
}

void echo(unsigned port, unsigned workers)
{
    struct listener *listeners = (struct listener *)uv_zeroed(workers, sizeof *listeners);
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < workers; i++)
        port = listen_on(&listeners[i], port);
    for (unsigned i = 0; i < workers; i++)
        uv_must(uv_thread_create(&listeners[i].thread, serve, &listeners[i]), "uv_thread_create");
    printf("listening on 127.0.0.1:%u\n", port);
    fflush(stdout);
    sigwait(&signals, &number);
    _exit(0);
}
