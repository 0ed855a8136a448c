/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>

VG_ASYNC(http_deliver)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_timeout(&f->limit, f->patience, vg_send_all(&f->send, f->fd, f->data, f->len)));
    if (f->send.ret == -ECANCELED && rc != -ETIMEDOUT) {
        f->data += f->send.sent;
        f->len -= f->send.sent;
        VG_AWAIT_SHIELDED(
            rc, vg_timeout(&f->limit, f->grace, vg_send_all(&f->send, f->fd, f->data, f->len)));
    }
    VG_RETURN(f->send.ret < 0 ? (int)f->send.ret : 0);
}

struct http_deliver *http_deliver(struct http_deliver *f, int fd, const struct http_out *out,
                                  uint64_t patience, uint64_t grace)
{
    VG_SETUP(f, http_deliver);
    f->fd = fd;
    f->data = out->buf;
    f->len = out->len;
    f->patience = patience;
    f->grace = grace;
    return f;
}

VG_ASYNC(http_linger)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_shutdown(&f->io, f->fd, SHUT_WR));
    if (rc < 0)
        VG_RETURN(rc);
    do {
        VG_AWAIT(rc, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
        f->dropped += rc > 0 ? (size_t)rc : 0;
    } while (rc > 0 && f->dropped < HTTP_LINGER_MAX);
    VG_RETURN(rc);
}

struct http_linger *http_linger(struct http_linger *f, int fd)
{
    VG_SETUP(f, http_linger);
    f->fd = fd;
    f->dropped = 0;
    return f;
}
