/* SPDX-License-Identifier: MIT */
#include <vigil/io.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "wait.h"

static struct vg_connect *connect_of(struct vg_future *fut)
{
    return (struct vg_connect *)(void *)fut;
}

static vg_poll finish(struct vg_connect *connect, int ret)
{
    connect->ret = ret;
    return VG_READY;
}

static vg_poll start(struct vg_connect *connect, struct vg_cx *cx)
{
    struct vg_op *op = &connect->wait.op;

    if (op->len == 0)
        return finish(connect, -EINVAL);
    op->fd = socket(connect->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (op->fd < 0)
        return finish(connect, -errno);
    op->addr = &connect->addr;
    vg_io_wait_start(&connect->wait, &connect->fut, cx);
    return VG_PENDING;
}

static vg_poll connect_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_connect *connect = connect_of(fut);
    const int fd = connect->wait.op.fd;

    if (!connect->wait.started)
        return vg_cancelled(fut) ? finish(connect, -ECANCELED) : start(connect, cx);
    if (!vg_io_wait_ended(&connect->wait, cx))
        return VG_PENDING;
    if (connect->wait.result == 0)
        return finish(connect, fd);
    /* Otherwise TCP would go on trying. */
    close(fd);
    return finish(connect, connect->wait.result);
}

static void connect_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_io_wait_cancel(&connect_of(fut)->wait);
}

static const struct vg_ops connect_ops = {
    .poll = connect_poll,
    .cancel = connect_cancel,
    .name = "vg_connect",
    .size = sizeof(struct vg_connect),
    .kind = VG_KIND_LEAF,
    .is_io = 1,
};

struct vg_connect *vg_connect(struct vg_connect *connect, const struct sockaddr *addr,
                              socklen_t len)
{
    vg_future_init(&connect->fut, &connect_ops);
    if (len < sizeof addr->sa_family || len > sizeof connect->addr)
        len = 0;
    vg_io_wait_init(&connect->wait, VG_OP_CONNECT, -1, NULL, len);
    memset(&connect->addr, 0, sizeof connect->addr);
    memcpy(&connect->addr, addr, len);
    return connect;
}
