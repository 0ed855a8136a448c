/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/io.h>
#include <vigil/liveness.h>
#include <vigil/time.h>
#include <vigil/uring.h>

#include "counting_alloc.h"
#include "exhaust.h"
#include "harness.h"
#include "vg_atomic.h"

/*
 * A server and its clients on real sockets and rings, from the opening to the close, while memory runs out: a
 * connection that cannot be served is closed, its client sees that, the others are served, and all ends.
 */

enum { WORKERS = 2, CLIENTS = 6, MESSAGE = 3000, LARGE = 70000 };

struct town {
    struct vg_driver *driver;
    struct vg_liveness *live;
    struct vg_exec *exec;
    int listener;
    struct sockaddr_storage address;
    VG_ATOMIC(uint64_t) turned_away; /* connections */
};

/* ---- the server ---------------------------------------------------------------------------- */

/* So large that each has a slab of its own. */
struct serve {
    VG_FRAME(int);
    int fd;
    ssize_t len;
    struct vg_io io;
    struct vg_send_all send;
    char buf[LARGE];
};

VG_ASYNC(serve)
{
    VG_BEGIN(f);
    ssize_t rc;
    for (;;) {
        VG_AWAIT(f->len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
        if (f->len <= 0)
            break;
        VG_AWAIT(rc, vg_send_all(&f->send, f->fd, f->buf, (size_t)f->len));
        if (rc < 0)
            break;
    }
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    VG_RETURN((int)rc);
}

static struct serve *serve(struct serve *f, int fd)
{
    VG_SETUP(f, serve);
    f->fd = fd;
    return f;
}

struct server {
    VG_FRAME(int);
    struct town *town;
    ssize_t fd;
    struct vg_io io;
};

VG_ASYNC(server)
{
    VG_BEGIN(f);
    int rc;
    for (;;) {
        VG_AWAIT(f->fd, vg_accept(&f->io, f->town->listener));
        if (f->fd < 0)
            break;
        if (!exhaust_hit(VG_SPAWN(vg_exec_current(), NULL, serve, (int)f->fd)))
            continue;
        vg_fetch_add(&f->town->turned_away, 1, relaxed);
        VG_AWAIT(rc, vg_close(&f->io, (int)f->fd));
        CHECK_EQ(rc, 0);
    }
    VG_RETURN((int)f->fd);
}

static struct server *server(struct server *f, struct town *town)
{
    VG_SETUP(f, server);
    f->town = town;
    return f;
}

/* ---- the clients --------------------------------------------------------------------------- */

struct client {
    VG_FRAME(int); /* 0: echoed; -EPIPE: turned away; or an error */
    const struct town *town;
    int fd;
    size_t got;
    struct vg_connect connect;
    struct vg_send_all send;
    struct vg_io io;
    struct vg_timeout limit;
    char out[MESSAGE], in[MESSAGE];
};

VG_ASYNC(client)
{
    VG_BEGIN(f);
    ssize_t rc;
    memset(f->out, 'x', sizeof f->out);
    VG_TRY(f->fd, vg_connect(&f->connect, (const struct sockaddr *)&f->town->address,
                             sizeof(struct sockaddr_in)));
    VG_AWAIT(rc, vg_send_all(&f->send, f->fd, f->out, sizeof f->out));
    f->ret = rc < 0 ? (int)rc : 0;
    while (f->ret == 0 && f->got < sizeof f->in) {
        VG_AWAIT(rc, vg_timeout(&f->limit, VG_SEC(20),
                                vg_recv(&f->io, f->fd, f->in + f->got, sizeof f->in - f->got)));
        CHECK_EQ(rc, 0);
        f->ret = f->io.ret == 0 ? -EPIPE : f->io.ret < 0 ? f->io.ret : 0;
        if (f->ret == 0)
            f->got += (size_t)f->io.ret;
    }
    CHECK(f->ret < 0 || memcmp(f->in, f->out, sizeof f->in) == 0);
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    VG_RETURN(f->ret);
}

static struct client *client(struct client *f, const struct town *town)
{
    VG_SETUP(f, client);
    f->town = town;
    f->got = 0;
    return f;
}

/* Starts the server and the clients, and waits for these. */
struct day {
    VG_FRAME(int);
    struct town *town;
    unsigned i, served, failed, missing;
    struct vg_handle server, client[CLIENTS];
    struct vg_task_wait wait;
};

static void start_clients(struct day *f)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        f->missing += exhaust_hit(VG_SPAWN(vg_exec_current(), &f->client[i], client, f->town));
}

static void count_client(struct day *f, struct vg_handle *handle)
{
    int ret = VG_TASK_RET(handle, struct client);

    CHECK(ret == 0 || ret == -EPIPE || ret == -ECONNRESET);
    f->served += ret == 0;
    f->failed += ret < 0;
    vg_task_release(handle);
}

VG_ASYNC(day)
{
    VG_BEGIN(f);
    int rc;
    if (exhaust_hit(VG_SPAWN(vg_exec_current(), &f->server, server, f->town)))
        VG_RETURN(-ENOMEM);
    start_clients(f);
    for (f->i = 0; f->i < CLIENTS; f->i++) {
        if (f->client[f->i].task == NULL)
            continue;
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->client[f->i]));
        CHECK_EQ(rc, 0);
        count_client(f, &f->client[f->i]);
    }
    vg_task_cancel(&f->server);
    VG_AWAIT(rc, vg_task_wait(&f->wait, &f->server));
    CHECK_EQ(VG_TASK_RET(&f->server, struct server), -ECANCELED);
    vg_task_release(&f->server);
    VG_RETURN(0);
}

static struct day *day(struct day *f, struct town *town)
{
    VG_SETUP(f, day);
    f->town = town;
    f->served = f->failed = f->missing = 0;
    return f;
}

/* ---- runs ---------------------------------------------------------------------------------- */

static bool open_town(struct town *town)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;

    watch.alloc = config.alloc = &test_alloc;
    if (exhaust_hit(vg_uring_open(&town->driver, NULL, &test_alloc)) ||
        exhaust_hit(vg_liveness_open(&town->live, &watch)))
        return false;
    config.driver = town->driver;
    config.probe = vg_liveness_probe(town->live);
    config.workers = WORKERS;
    return !exhaust_hit(vg_exec_open(&town->exec, &config));
}

static void close_town(struct town *town)
{
    if (town->exec != NULL)
        CHECK_EQ(vg_exec_close(town->exec, VG_SEC(20)), 0);
    vg_liveness_close(town->live);
    vg_uring_close(town->driver);
}

/* The instruments tell what happened in any case, if there is memory to tell it in. */
static void look(const struct town *town)
{
    struct vg_snapshot *snapshot;

    if (exhaust_hit(vg_snapshot(town->live, &snapshot)))
        return;
    CHECK_EQ(snapshot->workers, WORKERS);
    vg_snapshot_free(snapshot);
}

static void spend_day(struct town *town)
{
    struct day frame;

    if (exhaust_hit(vg_block_on(town->exec, &day(&frame, town)->fut)))
        return;
    look(town);
    if (frame.ret == -ENOMEM)
        return;
    CHECK_EQ(frame.served + frame.failed + frame.missing, CLIENTS);
    CHECK_EQ(frame.failed, vg_load(&town->turned_away, relaxed));
    vg_store(&town->turned_away, 0, relaxed);
}

static void listen_somewhere(struct town *town)
{
    char text[32];

    town->listener = vg_tcp_listen("127.0.0.1:0", CLIENTS);
    CHECK(town->listener >= 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", vg_tcp_port(town->listener));
    CHECK(vg_tcp_parse(text, &town->address) > 0);
}

static void serve_clients(void *arg)
{
    struct town town = {.listener = -1};

    (void)arg;
    listen_somewhere(&town);
    if (open_town(&town)) {
        spend_day(&town);
        exhaust_end();
        spend_day(&town); /* the same executor and listener, as if nothing had been */
    }
    close_town(&town);
    close(town.listener);
}

static void skip_without_rings(void)
{
    struct vg_driver *driver;
    int rc = vg_uring_open(&driver, NULL, NULL);

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    vg_uring_close(driver);
}

TEST(whichever_request_for_memory_fails_all_other_connections_are_served)
{
    skip_without_rings();
    CHECK(exhaust(&exhaust_memory, serve_clients, NULL) > CLIENTS);
}

/* It takes some system calls more. */
TEST(rings_whose_descriptors_cannot_be_registered_serve_connections)
{
    const struct exhaust registration = {"register", -ENOMEM, 0};

    skip_without_rings();
    CHECK_EQ(exhaust(&registration, serve_clients, NULL), 1 + WORKERS);
}

/* What is to be submitted stays with the worker, which tries again. */
TEST(connections_are_served_although_the_kernel_takes_nothing_for_a_while)
{
    const int errors[] = {-EAGAIN, -EBUSY, -EINTR};

    skip_without_rings();
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct exhaust entry = {"enter", errors[i], 0};

        CHECK_EQ(exhaust_some(&entry, 1, 3, serve_clients, NULL), 3);
        CHECK(exhaust_some(&entry, 5, 20, serve_clients, NULL) > 0);
    }
}
