/* SPDX-License-Identifier: MIT */
#include <vigil/io.h>

#include <errno.h>

#include "wait.h"

static struct vg_io *io_of(struct vg_future *fut)
{
    return (struct vg_io *)(void *)fut;
}

static vg_poll io_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_io *io = io_of(fut);

    if (!io->wait.started) {
        if (vg_cancelled(fut) && fut->ops->cancel != NULL) {
            io->ret = -ECANCELED;
            return VG_READY;
        }
        vg_io_wait_start(&io->wait, fut, cx);
        return VG_PENDING;
    }
    if (!vg_io_wait_ended(&io->wait, cx))
        return VG_PENDING;
    io->ret = io->wait.result;
    return VG_READY;
}

static void io_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_io_wait_cancel(&io_of(fut)->wait);
}

#define IO_OPS(fn, cancel_fn)                                                                      \
    static const struct vg_ops fn##_ops = {                                                        \
        .poll = io_poll,                                                                           \
        .cancel = cancel_fn,                                                                       \
        .name = #fn,                                                                               \
        .size = sizeof(struct vg_io),                                                              \
        .kind = VG_KIND_LEAF,                                                                      \
        .is_io = 1,                                                                                \
    }

IO_OPS(vg_recv, io_cancel);
IO_OPS(vg_send, io_cancel);
IO_OPS(vg_accept, io_cancel);
IO_OPS(vg_shutdown, NULL);
IO_OPS(vg_close, NULL);

struct vg_io *vg_recv(struct vg_io *io, int fd, void *buf, size_t len)
{
    vg_future_init(&io->fut, &vg_recv_ops);
    vg_io_wait_init(&io->wait, VG_OP_RECV, fd, buf, len);
    return io;
}

struct vg_io *vg_send(struct vg_io *io, int fd, const void *buf, size_t len)
{
    vg_future_init(&io->fut, &vg_send_ops);
    vg_io_wait_init(&io->wait, VG_OP_SEND, fd, (void *)(uintptr_t)buf, len);
    return io;
}

struct vg_io *vg_accept(struct vg_io *io, int listener)
{
    vg_future_init(&io->fut, &vg_accept_ops);
    vg_io_wait_init(&io->wait, VG_OP_ACCEPT, listener, NULL, 0);
    return io;
}

struct vg_io *vg_shutdown(struct vg_io *io, int fd, int how)
{
    vg_future_init(&io->fut, &vg_shutdown_ops);
    vg_io_wait_init(&io->wait, VG_OP_SHUTDOWN, fd, NULL, 0);
    io->wait.op.flags = (uint32_t)how;
    return io;
}

struct vg_io *vg_close(struct vg_io *io, int fd)
{
    vg_future_init(&io->fut, &vg_close_ops);
    vg_io_wait_init(&io->wait, VG_OP_CLOSE, fd, NULL, 0);
    return io;
}
