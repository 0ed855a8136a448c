/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_IO_WAIT_H
#define VIGIL_IO_WAIT_H

#include <vigil/io.h>

/*
 * From a future's first poll to its operation's end: what every I/O future does.
 *
 * The driver's done() may run on another worker while the task is being polled here. Its last access to the future is
 * the push of the waiter, so whoever has collected the waiter has the result, and the memory to itself. An
 * operation that has ended counts as such from there on: a poll for another reason that comes before finds it pending.
 */

void vg_io_wait_init(struct vg_io_wait *wait, enum vg_op_code code, int fd, void *addr, size_t len);

/* Arms the waiter and gives the operation to the driver. */
void vg_io_wait_start(struct vg_io_wait *wait, struct vg_future *fut, struct vg_cx *cx);

/* Whether it has ended; if so the result is in place, and it may be started again. */
bool vg_io_wait_ended(struct vg_io_wait *wait, struct vg_cx *cx);

/* Asks the driver to end it soon. Nothing if it has not started. */
void vg_io_wait_cancel(struct vg_io_wait *wait);

#endif
