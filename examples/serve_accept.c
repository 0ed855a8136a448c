/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/io.h>
#include <vigil/tcp.h>
#include <vigil/time.h>

/* How long to wait for descriptors, memory, or the end of another connection. The connection waits in the listener's queue meanwhile. */
#define PAUSE VG_MSEC(50)

struct acceptor {
    VG_FRAME(int);
    struct server *server;
    struct listener *listener;
    struct vg_io io;
    struct vg_sleep nap;
    int fd;
};

static bool has_run_out(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

/* The listener itself is broken; every other error is that of one connection, which is gone. */
static bool is_fatal(int error)
{
    return error == -EBADF || error == -EINVAL || error == -ENOTSOCK || error == -EOPNOTSUPP ||
           error == -ENOSYS || error == -EFAULT;
}

/* Connections that are served. Acceptors are tasks, too. */
static uint64_t connections(const struct server *server)
{
    const uint64_t live = vg_exec_live(server->exec);

    return live > server->workers ? live - server->workers : 0;
}

/* Other workers may accept at the same time: there may be one connection for each of them too many. */
static bool is_full(const struct server *server)
{
    const unsigned limit = server->options.connections;

    return limit != 0 && connections(server) >= limit;
}

static void count(struct listener *listener, uint64_t now)
{
    listener->accepted++;
    if (listener->most < now)
        listener->most = now;
}

static int start(struct acceptor *f)
{
    int rc;

    (void)vg_tcp_nodelay(f->fd); /* without it replies are only slower */
    rc = f->server->connect(f->server, f->fd);
    if (rc == 0)
        count(f->listener, connections(f->server));
    return rc;
}

static void give_up(struct acceptor *f, int error)
{
    f->listener->error = error;
    fprintf(stderr, "%s: accept: %s\n", f->server->name, strerror(-error));
    kill(getpid(), SIGTERM);
}

VG_ASYNC(acceptor)
{
    VG_BEGIN(f);
    int rc;

    while (!vg_cancelled(&f->fut)) {
        if (is_full(f->server)) {
            f->listener->full++;
            VG_AWAIT(rc, vg_sleep(&f->nap, PAUSE));
            continue;
        }
        VG_AWAIT(f->fd, vg_accept(&f->io, f->listener->fd));
        f->ret = f->fd;
        if (f->fd >= 0) {
            f->ret = start(f);
            if (f->ret < 0)
                VG_AWAIT_SHIELDED(rc, vg_close(&f->io, f->fd));
        }
        if (f->fd < 0 && is_fatal(f->ret)) {
            give_up(f, f->ret);
            break;
        }
        if (has_run_out(f->ret)) {
            f->listener->pauses++;
            VG_AWAIT(rc, vg_sleep(&f->nap, PAUSE));
        }
    }
    VG_AWAIT_SHIELDED(rc, vg_close(&f->io, f->listener->fd));
    VG_RETURN(rc);
}

static struct acceptor *acceptor(struct acceptor *f, struct server *server,
                                 struct listener *listener)
{
    VG_SETUP(f, acceptor);
    f->server = server;
    f->listener = listener;
    return f;
}

int serve_accept(struct server *server, struct listener *listener)
{
    return VG_SPAWN(server->exec, NULL, acceptor, server, listener);
}
