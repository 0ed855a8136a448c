/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SIM_ECHO_H
#define VIGIL_TESTS_SIM_ECHO_H

#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/io.h>

#include "world.h"

/*
 * An echo service and its clients on simulated sockets: transfers are cut short, time out, are cancelled
 * too late; no byte may be lost, doubled or changed, and every descriptor is closed.
 *
 *     net_open(&net, seed, false);
 *     net_run(&net);
 *     net_close(&net);
 */

enum { CLIENTS = 6, CHUNK = 200 };

struct net {
    struct world world; /* first */
    int listener;
    bool breaks; /* connections may be reset: by chance, or by a client that goes away */
    bool scarce; /* spawns may find no memory: then connections break, too */
    uint64_t sent, received; /* by the service and the clients, as their results told them */
    uint64_t timeouts, late_bytes, broken;
};

/* Whether a spawn has gone well. An executor that closes refuses it, too. */
static inline bool net_spawned(const struct net *net, int rc)
{
    CHECK(rc == 0 || rc == -ESHUTDOWN || (net->scarce && rc == -ENOMEM));
    return rc == 0;
}

/* ---- the service --------------------------------------------------------------------------- */

struct echo {
    VG_FRAME(int);
    struct net *net;
    int fd;
    ssize_t len;
    struct vg_io io;
    struct vg_send_all send;
    char buf[CHUNK];
};

VG_ASYNC(echo)
{
    VG_BEGIN(f);
    ssize_t rc;
    f->net->world.started++;
    for (;;) {
        VG_AWAIT(f->len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
        if (f->len <= 0)
            break;
        f->net->received += (uint64_t)f->len;
        VG_AWAIT(rc, vg_send_all(&f->send, f->fd, f->buf, (size_t)f->len));
        f->net->sent += f->send.sent;
        if (rc < 0)
            break;
    }
    CHECK(f->len == 0 || f->net->breaks || vg_cancelled(&f->fut));
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    CHECK_EQ(rc, 0);
    f->net->world.ended++;
    VG_RETURN(0);
}

static struct echo *echo(struct echo *f, struct net *net, int fd)
{
    VG_SETUP(f, echo);
    f->net = net;
    f->fd = fd;
    return f;
}

struct acceptor {
    VG_FRAME(int);
    struct net *net;
    int fd;
    struct vg_io io;
    struct vg_sleep nap;
};

VG_ASYNC(acceptor)
{
    VG_BEGIN(f);
    ssize_t rc;
    f->net->world.started++;
    for (;;) {
        VG_AWAIT(rc, vg_accept(&f->io, f->net->listener));
        f->fd = (int)rc;
        if (f->fd == -EMFILE) {
            VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
            continue;
        }
        if (f->fd < 0)
            break;
        if (!net_spawned(f->net, VG_SPAWN(f->net->world.exec, NULL, echo, f->net, f->fd)))
            VG_AWAIT(rc, vg_close(&f->io, f->fd));
    }
    CHECK_EQ(f->fd, -ECANCELED);
    f->fd = f->net->listener;
    f->net->listener = -1;
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    CHECK_EQ(rc, 0);
    f->net->world.ended++;
    VG_RETURN(0);
}

static struct acceptor *acceptor(struct acceptor *f, struct net *net)
{
    VG_SETUP(f, acceptor);
    f->net = net;
    return f;
}

/* ---- the clients --------------------------------------------------------------------------- */

struct client {
    VG_FRAME(int);
    struct net *net;
    unsigned salt;
    int fd;
    uint32_t total, sent, got;
    struct vg_connect connect;
    struct vg_io io;
    struct vg_timeout limit;
    char in[CHUNK], out[CHUNK];
};

static char byte_at(const struct client *f, uint32_t i)
{
    return (char)(i * 31 + i / 251 + f->salt);
}

static void fill_out(struct client *f)
{
    for (uint32_t i = 0; i < CHUNK; i++)
        f->out[i] = byte_at(f, f->sent + i);
}

static uint64_t patience(struct client *f)
{
    return 1 + sim_below(&f->net->world.sim, VG_MSEC(40));
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The transfer has ended, in time or not. False: the connection is of no more use. */
static bool count_transfer(struct client *f, int late, uint32_t *count)
{
    ssize_t n = f->io.ret;

    CHECK(late == 0 || late == -ETIMEDOUT);
    f->net->timeouts += late < 0;
    if (n == -ECANCELED)
        return !vg_cancelled(&f->fut);
    if (n <= 0) {
        CHECK(f->net->breaks);
        return false;
    }
    if (late < 0)
        f->net->late_bytes += (uint64_t)n;
    *count += (uint32_t)n;
    return true;
}

static void check_input(const struct client *f, uint32_t from)
{
    for (uint32_t i = from; i < f->got; i++)
        CHECK_EQ(f->in[i - from], byte_at(f, i));
    CHECK(f->got <= f->sent);
}

VG_ASYNC(client)
{
    VG_BEGIN(f);
    ssize_t rc;
    f->net->world.started++;
    if (f->net->listener < 0) {
        f->fd = -ECONNREFUSED;
    } else if (f->salt % 2) {
        struct sockaddr_in to;
        sim_address(&f->net->world.sim, f->net->listener, &to);
        VG_AWAIT(f->fd, vg_connect(&f->connect, (struct sockaddr *)&to, sizeof to));
    } else {
        f->fd = sim_connect(&f->net->world.sim, f->net->listener);
    }
    CHECK(f->fd >= 0 || f->net->breaks || vg_cancelled(&f->fut));
    while (f->fd >= 0 && f->got < f->total) {
        if (f->sent < f->total) {
            fill_out(f);
            VG_AWAIT(rc,
                     vg_timeout(&f->limit, patience(f),
                                vg_send(&f->io, f->fd, f->out, least(CHUNK, f->total - f->sent))));
            if (!count_transfer(f, (int)rc, &f->sent))
                break;
        }
        VG_AWAIT(rc, vg_timeout(&f->limit, patience(f), vg_recv(&f->io, f->fd, f->in, CHUNK)));
        uint32_t before = f->got;
        if (!count_transfer(f, (int)rc, &f->got))
            break;
        check_input(f, before);
    }
    CHECK(f->got == f->total || f->net->breaks || vg_cancelled(&f->fut));
    f->net->broken += f->got != f->total;
    f->net->received += f->got;
    f->net->sent += f->sent;
    if (f->fd >= 0) {
        VG_AWAIT(rc, vg_close(&f->io, f->fd));
        CHECK_EQ(rc, 0);
    }
    f->net->world.ended++;
    VG_RETURN(f->got == f->total ? 0 : -EIO);
}

static struct client *client(struct client *f, struct net *net, unsigned salt)
{
    VG_SETUP(f, client);
    f->net = net;
    f->salt = salt;
    f->total = 1 + (uint32_t)sim_below(&net->world.sim, 4000);
    f->sent = 0;
    f->got = 0;
    return f;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* Nobody will accept: connecting fails. */
static inline void net_unlisten(struct net *net)
{
    CHECK_EQ(sim_close_fd(&net->world.sim, net->listener), 0);
    net->listener = -1;
}

/* Starts everything, waits for the clients, stops the acceptor. May cancel a client on the way. */
struct run {
    VG_FRAME(int);
    struct net *net;
    unsigned i;
    struct vg_handle acceptor, client[CLIENTS];
    struct vg_task_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(run)
{
    VG_BEGIN(f);
    int rc;
    if (!net_spawned(f->net, VG_SPAWN(f->net->world.exec, &f->acceptor, acceptor, f->net)))
        net_unlisten(f->net);
    for (f->i = 0; f->i < CLIENTS; f->i++)
        (void)net_spawned(f->net,
                          VG_SPAWN(f->net->world.exec, &f->client[f->i], client, f->net, f->i));
    for (f->i = 0; f->i < CLIENTS; f->i++) {
        if (f->client[f->i].task == NULL)
            continue;
        if (f->net->breaks && sim_chance(&f->net->world.sim, 500)) {
            VG_AWAIT(rc, vg_sleep(&f->nap, sim_below(&f->net->world.sim, VG_MSEC(100))));
            vg_task_cancel(&f->client[f->i]);
        }
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->client[f->i]));
        CHECK_EQ(rc, 0);
        vg_task_release(&f->client[f->i]);
    }
    if (f->acceptor.task == NULL)
        VG_RETURN(0);
    vg_task_cancel(&f->acceptor);
    VG_AWAIT(rc, vg_task_wait(&f->wait, &f->acceptor));
    vg_task_release(&f->acceptor);
    VG_RETURN(rc);
}

static struct run *run(struct run *f, struct net *net)
{
    VG_SETUP(f, run);
    f->net = net;
    return f;
}

/* 0, or what vg_exec_open() failed with: nothing is open then. */
static inline int net_try_open(struct net *net, uint64_t seed, bool breaks, struct vg_probe *probe)
{
    struct vg_config config;
    int rc;

    memset(net, 0, sizeof *net);
    sim_open(&net->world.sim, seed, world_workers(seed));
    config = sim_config(&net->world.sim);
    config.probe = probe;
    rc = vg_exec_open(&net->world.exec, &config);
    if (rc < 0) {
        sim_close(&net->world.sim);
        return rc;
    }
    net->breaks = breaks;
    net->world.sim.limits.drift_ns = seed % 3 == 0 ? VG_USEC(300) : 0;
    net->listener = sim_listen(&net->world.sim, CLIENTS);
    return 0;
}

static inline void net_open(struct net *net, uint64_t seed, bool breaks)
{
    CHECK_EQ(net_try_open(net, seed, breaks, NULL), 0);
}

static inline void net_close(struct net *net)
{
    CHECK_EQ(vg_exec_close(net->world.exec, VG_SEC(60)), 0);
    CHECK_EQ(net->world.started, net->world.ended);
    CHECK_EQ(net->sent, net->world.sim.stats.bytes_sent);
    CHECK_EQ(net->received, net->world.sim.stats.bytes_received);
    sim_close(&net->world.sim);
}

static inline void net_run(struct net *net)
{
    struct run f;

    if (net_spawned(net, vg_block_on(net->world.exec, &run(&f, net)->fut)))
        CHECK_EQ(f.ret, 0);
    else
        net_unlisten(net);
    CHECK_EQ(sim_run(&net->world.sim, net->world.exec, world_is_empty, net, VG_SEC(60)), 0);
}

#endif
