/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/io.h>
#include <vigil/tcp.h>
#include <vigil/time.h>

/* How long to wait for descriptors or memory. The connection waits in the listener's queue meanwhile. */
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

static int start(struct acceptor *f)
{
    int rc;

    (void)vg_tcp_nodelay(f->fd); /* without it replies are only slower */
    rc = f->server->connect(f->server, f->fd);
    if (rc == 0)
        f->listener->accepted++;
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
