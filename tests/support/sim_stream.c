/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "harness.h"
#include "sim_private.h"

/* Lives */

struct sim_socket *sim_socket_new(struct sim *sim)
{
    struct sim_socket *socket = sim_new(1, sizeof *socket);

    socket->refs = 1;
    socket->size = sim->limits.stream_bytes;
    socket->bytes = sim_new(1, socket->size);
    return socket;
}

void sim_socket_join(struct sim_socket *a, struct sim_socket *b)
{
    a->peer = b;
    b->peer = a;
    a->connected = b->connected = true;
}

static void drop_bytes(struct sim *sim, struct sim_socket *socket)
{
    sim->stats.bytes_dropped += socket->count;
    socket->count = 0;
}

void sim_socket_reset(struct sim *sim, struct sim_socket *socket)
{
    struct sim_socket *peer = socket->peer;

    sim->stats.resets++;
    drop_bytes(sim, socket);
    socket->reset = true;
    socket->peer = NULL;
    if (!peer)
        return;
    drop_bytes(sim, peer);
    peer->reset = true;
    peer->peer = NULL;
}

/* The far end sees the end of the stream, or a reset if bytes were left unread. */
static void hang_up(struct sim *sim, struct sim_socket *socket)
{
    struct sim_socket *peer = socket->peer;

    if (peer) {
        peer->peer = NULL;
        /* To a far end that has seen the end of the stream, a reset is nothing new. */
        peer->reset = peer->reset || (socket->count > 0 && !peer->fin);
        peer->fin = true;
    }
    drop_bytes(sim, socket);
}

static void free_socket(struct sim *sim, struct sim_socket *socket)
{
    hang_up(sim, socket);
    free(socket->bytes);
    free(socket->backlog);
    free(socket);
}

/* Does not recurse: only a listener has a backlog, and what waits in it are streams. */
void sim_socket_put(struct sim *sim, struct sim_socket *socket)
{
    CHECK(socket->refs > 0);
    if (--socket->refs > 0)
        return;
    for (unsigned i = 0; i < socket->waiting; i++) {
        sim_socket_reset(sim, socket->backlog[i]);
        free_socket(sim, socket->backlog[i]);
    }
    free_socket(sim, socket);
}

/* Bytes */

static void take_bytes(struct sim_socket *socket, uint8_t *to, uint32_t n)
{
    uint32_t first = socket->size - socket->head < n ? socket->size - socket->head : n;

    memcpy(to, socket->bytes + socket->head, first);
    memcpy(to + first, socket->bytes, n - first);
}

static void drop_front(struct sim_socket *socket, uint32_t n)
{
    socket->head = (socket->head + n) % socket->size;
    socket->count -= n;
}

static void put_bytes(struct sim_socket *socket, const uint8_t *from, uint32_t n)
{
    uint32_t tail = (socket->head + socket->count) % socket->size;
    uint32_t first = socket->size - tail < n ? socket->size - tail : n;

    memcpy(socket->bytes + tail, from, first);
    memcpy(socket->bytes, from + first, n - first);
    socket->count += n;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A reset is told once; afterwards the stream is merely over. */
static bool take_reset(struct sim_socket *socket)
{
    bool reset = socket->reset;

    socket->reset = false;
    socket->fin = socket->fin || reset;
    return reset;
}

bool sim_can_receive(const struct sim_socket *s)
{
    return s->count > 0 || s->fin || s->reset || s->shut_read || !s->connected;
}

/* 0: the stream has ended. */
int32_t sim_receive(struct sim *sim, struct sim_socket *s, void *to, uint32_t max, bool peek)
{
    uint32_t n = least(s->count, max);

    if (!s->connected)
        return -ENOTCONN;
    if (n == 0)
        return s->count == 0 && take_reset(s) ? -ECONNRESET : 0;
    take_bytes(s, to, n);
    if (!peek) {
        drop_front(s, n);
        sim->stats.bytes_received += n;
    }
    return (int32_t)n;
}

bool sim_can_send(const struct sim_socket *s)
{
    return !s->connected || s->reset || s->shut_write || !s->peer || s->peer->count < s->peer->size;
}

int32_t sim_transmit(struct sim *sim, struct sim_socket *s, const void *from, uint32_t max)
{
    if (!s->connected)
        return -EPIPE;
    if (take_reset(s))
        return -ECONNRESET;
    if (s->shut_write || !s->peer)
        return -EPIPE;
    uint32_t n = least(s->peer->size - s->peer->count, max);
    put_bytes(s->peer, from, n);
    sim->stats.bytes_sent += n;
    return (int32_t)n;
}

int sim_shut(struct sim_socket *s, int how)
{
    if (!s->connected && !s->listener)
        return -ENOTCONN;
    if (how == SHUT_RD || how == SHUT_RDWR)
        s->shut_read = true;
    if (how == SHUT_WR || how == SHUT_RDWR) {
        s->shut_write = true;
        if (s->peer)
            s->peer->fin = true;
    }
    return 0;
}
