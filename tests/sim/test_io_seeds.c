/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/io.h>

#include "world.h"

/*
 * An echo service and its clients on simulated sockets: transfers are cut short, time out, are cancelled
 * too late; no byte may be lost, doubled or changed, and every descriptor is closed.
 */

enum { CLIENTS = 6, CHUNK = 200 };

struct net {
    struct world world; /* first */
    int listener;
    bool breaks; /* connections may be reset: by chance, or by a client that goes away */
    uint64_t sent, received; /* by the service and the clients, as their results told them */
    uint64_t timeouts, late_bytes, broken;
};

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
        if (VG_SPAWN(f->net->world.exec, NULL, echo, f->net, f->fd) < 0)
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
    CHECK_EQ(VG_SPAWN(f->net->world.exec, &f->acceptor, acceptor, f->net), 0);
    for (f->i = 0; f->i < CLIENTS; f->i++)
        CHECK_EQ(VG_SPAWN(f->net->world.exec, &f->client[f->i], client, f->net, f->i), 0);
    for (f->i = 0; f->i < CLIENTS; f->i++) {
        if (f->net->breaks && sim_chance(&f->net->world.sim, 500)) {
            VG_AWAIT(rc, vg_sleep(&f->nap, sim_below(&f->net->world.sim, VG_MSEC(100))));
            vg_task_cancel(&f->client[f->i]);
        }
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->client[f->i]));
        CHECK_EQ(rc, 0);
        vg_task_release(&f->client[f->i]);
    }
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

static void net_open(struct net *net, uint64_t seed, bool breaks)
{
    memset(net, 0, sizeof *net);
    world_open(&net->world, seed, world_workers(seed));
    net->breaks = breaks;
    net->world.sim.limits.drift_ns = seed % 3 == 0 ? VG_USEC(300) : 0;
    net->listener = sim_listen(&net->world.sim, CLIENTS);
}

static void net_close(struct net *net)
{
    CHECK_EQ(vg_exec_close(net->world.exec, VG_SEC(60)), 0);
    CHECK_EQ(net->world.started, net->world.ended);
    CHECK_EQ(net->sent, net->world.sim.stats.bytes_sent);
    CHECK_EQ(net->received, net->world.sim.stats.bytes_received);
    sim_close(&net->world.sim);
}

static void net_run(struct net *net)
{
    struct run f;

    CHECK_EQ(vg_block_on(net->world.exec, &run(&f, net)->fut), 0);
    CHECK_EQ(f.ret, 0);
    CHECK_EQ(sim_run(&net->world.sim, net->world.exec, world_is_empty, net, VG_SEC(60)), 0);
}

struct totals {
    uint64_t seeds, timeouts, late_bytes, broken;
    struct sim_stats sim;
};

static void add(struct totals *totals, const struct net *net)
{
    const struct sim_stats *s = &net->world.sim.stats;

    totals->seeds++;
    totals->timeouts += net->timeouts;
    totals->late_bytes += net->late_bytes;
    totals->broken += net->broken;
    totals->sim.cancelled += s->cancelled;
    totals->sim.overtaken += s->overtaken;
    totals->sim.shortened += s->shortened;
    totals->sim.resets += s->resets;
    totals->sim.reordered += s->reordered;
}

TEST(an_echo_conserves_every_byte_across_short_transfers_and_timeouts)
{
    struct totals totals = {0};
    FOR_SEEDS (seed, 300) {
        struct net net;
        net_open(&net, seed, false);
        net_run(&net);
        CHECK_EQ(net.broken, 0);
        CHECK_EQ(net.world.sim.stats.bytes_dropped, 0);
        add(&totals, &net);
        net_close(&net);
    }
    if (totals.seeds < 100)
        return;
    CHECK(totals.timeouts > 0);
    CHECK(totals.late_bytes > 0);
    CHECK(totals.sim.cancelled > 0);
    CHECK(totals.sim.overtaken > 0);
    CHECK(totals.sim.shortened > 0);
    CHECK(totals.sim.reordered > 0);
}

TEST(cancelled_clients_and_broken_connections_leave_nothing_behind)
{
    struct totals totals = {0};
    FOR_SEEDS (seed, 300) {
        struct net net;
        net_open(&net, seed, true);
        net.world.sim.faults.reset = seed % 2 ? 30 : 0;
        net.world.sim.faults.no_files = seed % 2 ? 300 : 0;
        net_run(&net);
        add(&totals, &net);
        net_close(&net);
    }
    CHECK(totals.seeds < 100 || (totals.broken > 0 && totals.sim.resets > 0));
}

TEST(closing_the_executor_ends_connections_in_every_state)
{
    FOR_SEEDS (seed, 300) {
        struct net net;
        struct vg_handle handle;
        net_open(&net, seed, true);
        CHECK_EQ(VG_SPAWN(net.world.exec, &handle, acceptor, &net), 0);
        vg_task_release(&handle);
        for (unsigned i = 0; i < CLIENTS; i++)
            CHECK_EQ(VG_SPAWN(net.world.exec, NULL, client, &net, i), 0);
        for (uint64_t i = sim_below(&net.world.sim, 400); i > 0; i--)
            net.world.sim.driver.ops->step(&net.world.sim.driver, net.world.exec);
        net_close(&net);
    }
}

static uint64_t hash_of_a_run(uint64_t seed)
{
    struct net net;

    net_open(&net, seed, true);
    net_run(&net);
    net_close(&net);
    return sim_hash(&net.world.sim);
}

TEST(the_same_seed_gives_the_same_traffic)
{
    FOR_SEEDS (seed, 50)
        CHECK_EQ(hash_of_a_run(seed), hash_of_a_run(seed));
}
