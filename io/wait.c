/* SPDX-License-Identifier: MIT */
#include "wait.h"

#include "vg_os.h"

void vg_io_wait_init(struct vg_io_wait *wait, enum vg_op_code code, int fd, void *addr, size_t len)
{
    wait->op.addr = addr;
    wait->op.len = len < VG_IO_MAX ? (uint32_t)len : VG_IO_MAX;
    wait->op.flags = 0;
    wait->op.fd = fd;
    wait->op.code = (uint8_t)code;
    wait->waiter.flags = 0;
    wait->started = 0;
}

static void done(struct vg_op *op, int32_t result)
{
    struct vg_io_wait *wait =
        (struct vg_io_wait *)(void *)((char *)op - offsetof(struct vg_io_wait, op));

    wait->result = result;
    /* The push hands the future over: whoever collects it may end it and reuse its memory. */
    vg_notify(vg_wake(&wait->waiter));
}

/* Where frames live is no thread's stack, except in a stepped executor. */
static void refuse_stack(const struct vg_op *op, const struct vg_driver *driver)
{
    const bool lent = op->code == VG_OP_RECV || op->code == VG_OP_SEND;

    if (lent && driver->ops->step == NULL && vg_os_on_stack(op->addr))
        vg_panic("the buffer lent to %s on descriptor %d is a local variable, which is gone while "
                 "the operation runs: move it into the frame",
                 op->code == VG_OP_RECV ? "a receive" : "a send", op->fd);
}

void vg_io_wait_start(struct vg_io_wait *wait, struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_driver_here here = vg_driver_here();

    if (VG_DEBUG)
        refuse_stack(&wait->op, here.driver);
    wait->op.done = done;
    wait->started = 1;
    vg_arm(&wait->waiter, fut, cx);
    here.driver->ops->submit(here.driver, here.worker, &wait->op);
}

bool vg_io_wait_ended(struct vg_io_wait *wait, struct vg_cx *cx)
{
    if (wait->waiter.flags & VG_W_ARMED)
        return false;
    vg_disarm(&wait->waiter, cx);
    wait->started = 0;
    return true;
}

void vg_io_wait_cancel(struct vg_io_wait *wait)
{
    const struct vg_driver_here here = vg_driver_here();

    if (wait->started)
        here.driver->ops->cancel(here.driver, here.worker, &wait->op);
}
