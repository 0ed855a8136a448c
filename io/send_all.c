/* SPDX-License-Identifier: MIT */
#include <vigil/io.h>

#include <errno.h>

#include "wait.h"

static struct vg_send_all *send_of(struct vg_future *fut)
{
    return (struct vg_send_all *)(void *)fut;
}

static vg_poll finish(struct vg_send_all *send, ssize_t ret)
{
    send->ret = ret;
    return VG_READY;
}

static vg_poll send_rest(struct vg_send_all *send, struct vg_cx *cx)
{
    const size_t left = send->len - send->sent;

    send->wait.op.addr = (void *)(uintptr_t)(send->buf + send->sent);
    send->wait.op.len = left < VG_IO_MAX ? (uint32_t)left : VG_IO_MAX;
    vg_io_wait_start(&send->wait, &send->fut, cx);
    return VG_PENDING;
}

/* True: the piece in flight has ended, and *error says how. */
static bool take_piece(struct vg_send_all *send, struct vg_cx *cx, int32_t *error)
{
    if (!send->wait.started)
        return true;
    if (!vg_io_wait_ended(&send->wait, cx))
        return false;
    if (send->wait.result < 0)
        *error = send->wait.result;
    else
        send->sent += (size_t)send->wait.result;
    return true;
}

static vg_poll send_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_send_all *send = send_of(fut);
    int32_t error = 0;

    if (!take_piece(send, cx, &error))
        return VG_PENDING;
    if (error < 0)
        return finish(send, error);
    if (send->sent == send->len)
        return finish(send, (ssize_t)send->len);
    if (vg_cancelled(fut))
        return finish(send, -ECANCELED);
    return send_rest(send, cx);
}

static void send_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_io_wait_cancel(&send_of(fut)->wait);
}

static const struct vg_ops send_ops = {
    .poll = send_poll,
    .cancel = send_cancel,
    .name = "vg_send_all",
    .size = sizeof(struct vg_send_all),
    .kind = VG_KIND_LEAF,
    .is_io = 1,
};

struct vg_send_all *vg_send_all(struct vg_send_all *send, int fd, const void *buf, size_t len)
{
    vg_future_init(&send->fut, &send_ops);
    vg_io_wait_init(&send->wait, VG_OP_SEND, fd, NULL, 0);
    send->buf = (const char *)buf;
    send->len = len;
    send->sent = 0;
    return send;
}
