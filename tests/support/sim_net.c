/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "sim_private.h"

enum { MAX_FDS = 1 << 16, PORT_BASE = 20000 };

/* Descriptors are never used twice, so that whoever uses one after its close is found out. */

static int install(struct sim *sim, struct sim_socket *socket)
{
    CHECK(sim->fd_count < MAX_FDS);
    sim->fds = realloc(sim->fds, (sim->fd_count + 1) * sizeof(struct sim_socket *));
    CHECK(sim->fds != NULL);
    sim->fds[sim->fd_count] = socket;
    return SIM_FD_BASE + (int)sim->fd_count++;
}

static struct sim_socket *look_up(const struct sim *sim, int fd)
{
    if (fd >= 0 && fd < SIM_FD_BASE)
        return sim->adopted[fd];
    if (fd < 0 || (unsigned)(fd - SIM_FD_BASE) >= sim->fd_count)
        return NULL;
    return sim->fds[fd - SIM_FD_BASE];
}

/* For the tests' own calls. */
static struct sim_socket *must_find(const struct sim *sim, int fd)
{
    struct sim_socket *socket = look_up(sim, fd);
    if (!socket)
        FAIL("descriptor %d is not open", fd);
    return socket;
}

unsigned sim_open_fds(const struct sim *sim)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sim->fd_count; i++)
        n += sim->fds[i] != NULL;
    for (unsigned i = 0; i < SIM_FD_BASE; i++)
        n += sim->adopted[i] != NULL;
    return n;
}

struct sim_socket *sim_socket_get(struct sim *sim, int fd)
{
    struct sim_socket *socket = look_up(sim, fd);

    if (socket)
        socket->refs++;
    else
        sim->stats.bad_fds++;
    return socket;
}

/* Takes the descriptor's socket out of the table. */
static struct sim_socket *take_out(struct sim *sim, int fd)
{
    struct sim_socket *socket = look_up(sim, fd);

    if (socket && fd < SIM_FD_BASE)
        sim->adopted[fd] = NULL;
    else if (socket)
        sim->fds[fd - SIM_FD_BASE] = NULL;
    return socket;
}

/* The kernel's socket that a connect names stands for a simulated one until it is closed. */
struct sim_socket *sim_adopt(struct sim *sim, int fd)
{
    if (fd >= 0 && fd < SIM_FD_BASE && !sim->adopted[fd])
        sim->adopted[fd] = sim_socket_new(sim);
    return sim_socket_get(sim, fd);
}

void sim_disown(struct sim *sim, int fd)
{
    if (fd < SIM_FD_BASE)
        sim_socket_put(sim, take_out(sim, fd));
}

void sim_net_close(struct sim *sim)
{
    for (int fd = 0; fd < SIM_FD_BASE; fd++)
        if (sim->adopted[fd])
            sim_disown(sim, fd);
    for (unsigned i = 0; i < sim->fd_count; i++)
        if (sim->fds[i])
            sim_socket_put(sim, sim->fds[i]);
    free(sim->fds);
    sim->fds = NULL;
    sim->fd_count = 0;
}

static int close_fd(struct sim *sim, int fd)
{
    struct sim_socket *socket = take_out(sim, fd);

    if (!socket)
        return -EBADF;
    sim_socket_put(sim, socket);
    return fd < SIM_FD_BASE ? close(fd) : 0;
}

/* Connections */

static struct sim_socket *listener_at(const struct sim *sim, const struct vg_op *op)
{
    const struct sockaddr_in *address = op->addr;

    if (op->len < sizeof *address || address->sin_family != AF_INET)
        return NULL;
    struct sim_socket *s = look_up(sim, ntohs(address->sin_port) - PORT_BASE + SIM_FD_BASE);
    return s && s->listener && !s->shut_read ? s : NULL;
}

static bool can_connect(const struct sim *sim, const struct sim_op *o)
{
    const struct sim_socket *listener = listener_at(sim, o->op);

    return !listener || listener->waiting < listener->backlog_size;
}

static int32_t connect_to(struct sim *sim, struct sim_op *o)
{
    struct sim_socket *listener = listener_at(sim, o->op);

    if (o->socket->listener || o->socket->connected)
        return -EISCONN;
    if (!listener || sim_chance(sim, sim->faults.reset))
        return -ECONNREFUSED;
    struct sim_socket *far = sim_socket_new(sim);
    sim_socket_join(o->socket, far);
    listener->backlog[listener->waiting++] = far;
    return 0;
}

static int32_t accept_one(struct sim *sim, struct sim_socket *s)
{
    if (!s->listener || s->shut_read)
        return -EINVAL;
    if (sim_chance(sim, sim->faults.no_files))
        return -EMFILE;
    struct sim_socket *stream = s->backlog[0];
    memmove(s->backlog, s->backlog + 1, --s->waiting * sizeof *s->backlog);
    return install(sim, stream);
}

/* Operations */

/* A transfer may be told to go on until everything has moved. */
static int32_t transfer(struct sim *sim, struct sim_op *o)
{
    struct vg_op *op = o->op;
    uint32_t max = op->len - o->moved;
    uint8_t *at = (uint8_t *)op->addr + o->moved;

    if (sim_chance(sim, sim->faults.reset))
        sim_socket_reset(sim, o->socket);
    if (max > 1 && sim_chance(sim, sim->faults.short_io)) {
        max = 1 + (uint32_t)sim_below(sim, max - 1);
        sim->stats.shortened++;
    }
    int32_t n = op->code == VG_OP_SEND
                    ? sim_transmit(sim, o->socket, at, max)
                    : sim_receive(sim, o->socket, at, max, (op->flags & MSG_PEEK) != 0);
    if (n <= 0 || !(op->flags & MSG_WAITALL) || (op->flags & MSG_PEEK))
        return o->moved > 0 && n <= 0 ? (int32_t)o->moved : n;
    o->moved += (uint32_t)n;
    return o->moved == op->len ? (int32_t)op->len : -EINPROGRESS;
}

bool sim_can(struct sim *sim, const struct sim_op *o)
{
    if (!o->socket)
        return true;
    switch (o->op->code) {
    case VG_OP_ACCEPT:
        return o->socket->waiting > 0 || !o->socket->listener || o->socket->shut_read;
    case VG_OP_CONNECT:
        return can_connect(sim, o);
    case VG_OP_RECV:
        return o->op->len == 0 || sim_can_receive(o->socket);
    case VG_OP_SEND:
        return o->op->len == 0 || sim_can_send(o->socket);
    default:
        return true;
    }
}

int32_t sim_do(struct sim *sim, struct sim_op *o)
{
    if (!o->socket)
        return -EBADF;
    switch (o->op->code) {
    case VG_OP_ACCEPT:
        return accept_one(sim, o->socket);
    case VG_OP_CONNECT:
        return connect_to(sim, o);
    case VG_OP_SHUTDOWN:
        return sim_shut(o->socket, (int)o->op->flags);
    case VG_OP_CLOSE:
        return close_fd(sim, o->op->fd);
    default:
        return transfer(sim, o);
    }
}

/* The far end's program */

int sim_pair(struct sim *sim, int fd[2])
{
    struct sim_socket *a = sim_socket_new(sim), *b = sim_socket_new(sim);

    sim_socket_join(a, b);
    fd[0] = install(sim, a);
    fd[1] = install(sim, b);
    return 0;
}

int sim_socket(struct sim *sim)
{
    return install(sim, sim_socket_new(sim));
}

int sim_listen(struct sim *sim, unsigned backlog)
{
    struct sim_socket *socket = sim_socket_new(sim);

    CHECK(backlog > 0);
    socket->listener = true;
    socket->backlog = sim_new(backlog, sizeof *socket->backlog);
    socket->backlog_size = backlog;
    return install(sim, socket);
}

void sim_address(const struct sim *sim, int listener, struct sockaddr_in *address)
{
    CHECK(must_find(sim, listener)->listener);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_port = htons((uint16_t)(PORT_BASE + listener - SIM_FD_BASE));
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

int sim_connect(struct sim *sim, int listener)
{
    struct sim_socket *s = must_find(sim, listener), *near, *far;

    if (s->waiting == s->backlog_size)
        return -EAGAIN;
    near = sim_socket_new(sim);
    far = sim_socket_new(sim);
    sim_socket_join(near, far);
    s->backlog[s->waiting++] = far;
    sim_ops_retime(sim);
    return install(sim, near);
}

int sim_write(struct sim *sim, int fd, const void *data, uint32_t len)
{
    struct sim_socket *s = must_find(sim, fd);

    if (!sim_can_send(s))
        return -EAGAIN;
    int n = sim_transmit(sim, s, data, len);
    sim_ops_retime(sim);
    return n;
}

int sim_read(struct sim *sim, int fd, void *data, uint32_t len)
{
    struct sim_socket *s = must_find(sim, fd);

    if (!sim_can_receive(s))
        return -EAGAIN;
    int n = sim_receive(sim, s, data, len, false);
    sim_ops_retime(sim);
    return n;
}

int sim_shutdown(struct sim *sim, int fd, int how)
{
    int rc = sim_shut(must_find(sim, fd), how);

    sim_ops_retime(sim);
    return rc;
}

int sim_close_fd(struct sim *sim, int fd)
{
    int rc = close_fd(sim, fd);

    sim_ops_retime(sim);
    return rc;
}

void sim_reset(struct sim *sim, int fd)
{
    sim_socket_reset(sim, must_find(sim, fd));
    sim_ops_retime(sim);
}

uint32_t sim_unread(const struct sim *sim, int fd)
{
    return must_find(sim, fd)->count;
}

unsigned sim_backlog(const struct sim *sim, int fd)
{
    return must_find(sim, fd)->waiting;
}
