/* SPDX-License-Identifier: MIT */
/* Sends back what it receives. */
#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/io.h>

#include "serve.h"

struct echo {
    VG_FRAME(int); /* header and result: f->ret is an int */
    int fd;
    ssize_t len;
    struct vg_io io; /* the children live here: no allocation per await */
    struct vg_send_all send;
    char buf[4096]; /* lent to the kernel, so never a local */
};

VG_ASYNC(echo)
{
    VG_BEGIN(f); /* struct echo *f; must come first */
    int rc;      /* scratch: dies at the next await */

    for (;;) {
        VG_AWAIT(f->len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
        if (f->len <= 0)
            break;
        VG_AWAIT(f->len, vg_send_all(&f->send, f->fd, f->buf, (size_t)f->len));
        if (f->len < 0)
            break;
    }
    VG_AWAIT_SHIELDED(rc, vg_close(&f->io, f->fd)); /* also when the task is cancelled */
    VG_RETURN(rc);
}

static struct echo *echo(struct echo *f, int fd) /* the constructor is an ordinary function */
{
    VG_SETUP(f, echo);
    f->fd = fd;
    return f;
}

static int start_echo(struct server *server, int fd)
{
    return VG_SPAWN(server->exec, NULL, echo, fd);
}

int main(int argc, char **argv)
{
    struct server server = {.name = "echo_server", .connect = start_echo};

    return serve(&server, argc, argv);
}
