/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>

static uint64_t deadline(const struct http_connection *f, enum http_deadline which)
{
    return http_deadline_ns(f->server, which);
}

/* How long to wait for the client now: empty lines between requests do not extend it. */
static uint64_t patience(const struct http_connection *f)
{
    const uint64_t limit =
        deadline(f, f->request.begun ? HTTP_DEADLINE_REQUEST : HTTP_DEADLINE_IDLE);
    const uint64_t used = vg_now() - f->since;

    return used < limit ? limit - used : 0;
}

static uint64_t grace(const struct http_connection *f)
{
    return VG_SEC(f->server->server.options.drain_s) / 2;
}

static enum http_step parse(struct http_connection *f)
{
    const bool begun = f->request.begun;
    size_t used;
    const enum http_step step =
        http_parse(&f->request, f->in + f->in_pos, f->in_len - f->in_pos, &used);

    f->in_pos += used;
    if (!begun && f->request.begun)
        f->since = vg_now();
    return step;
}

/* Takes what the receive ended with. False: no more requests will come. One that has begun is refused if the
 * client took too long, or has ended its stream. */
static bool received(struct http_connection *f, int timeout)
{
    f->in_pos = 0;
    f->in_len = f->io.ret > 0 ? (size_t)f->io.ret : 0;
    if (f->io.ret > 0)
        return true;
    f->closing = true;
    if (f->request.begun && (timeout == -ETIMEDOUT || f->io.ret == 0)) {
        f->request.status = f->io.ret == 0 ? HTTP_STATUS_BAD_REQUEST : HTTP_STATUS_REQUEST_TIMEOUT;
        f->request.keep_alive = false;
    }
    return false;
}

static void count(struct http_totals *totals, unsigned status)
{
    totals->requests++;
    if (status >= 200 && status < 300)
        totals->ok++;
    else
        totals->refused++;
}

VG_ASYNC(http_connection)
{
    VG_BEGIN(f);
    int rc;

    f->since = vg_now();
    for (;;) {
        if (parse(f) != HTTP_MORE) {
            VG_AWAIT_SHIELDED(rc, http_answer(&f->answer, f));
            count(&f->totals, (unsigned)rc);
            if (!f->closing && http_out_has_room(&f->out))
                continue; /* the next request may be here already */
        }
        if (f->out.len > 0) {
            VG_AWAIT(rc, http_deliver(&f->deliver, f->fd, &f->out, deadline(f, HTTP_DEADLINE_SEND),
                                      grace(f)));
            f->out.len = 0;
            if (rc < 0)
                break;
            if (!f->request.begun)
                f->since = vg_now();
        }
        if (f->closing) {
            VG_AWAIT(rc, vg_timeout(&f->limit, HTTP_LINGER_NS, http_linger(&f->linger, f->fd)));
            break;
        }
        if (f->in_pos < f->in_len)
            continue;
        VG_AWAIT(rc,
                 vg_timeout(&f->limit, patience(f), vg_recv(&f->io, f->fd, f->in, sizeof f->in)));
        if (received(f, rc))
            continue;
        if (f->request.status == 0)
            break;
        VG_AWAIT_SHIELDED(rc, http_answer(&f->answer, f));
        count(&f->totals, (unsigned)rc);
    }
    VG_AWAIT_SHIELDED(rc, vg_close(&f->io, f->fd));
    VG_AWAIT_SHIELDED(rc, vg_lock(&f->lock, &f->server->totals_mutex));
    http_totals_add(&f->server->totals, &f->totals);
    vg_unlock(&f->server->totals_mutex);
    VG_RETURN(0);
}

static struct http_connection *http_connection(struct http_connection *f,
                                               struct http_server *server, int fd)
{
    VG_SETUP(f, http_connection);
    f->server = server;
    f->fd = fd;
    f->closing = false;
    f->since = 0;
    f->in_len = f->in_pos = 0;
    f->totals = (struct http_totals){.connections = 1};
    f->date.at = 0;
    f->out.len = 0;
    http_request_init(&f->request);
    return f;
}

int http_connect(struct server *server, int fd)
{
    return VG_SPAWN(server->exec, NULL, http_connection, (struct http_server *)server, fd);
}
