/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_IO_H
#define VIGIL_IO_H

#include <sys/socket.h>
#include <sys/types.h>

#include <vigil/driver.h>
#include <vigil/future.h>
#include <vigil/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Futures for sockets.
 *
 *     VG_AWAIT(fd, vg_accept(&f->io, f->listener));
 *     VG_AWAIT(len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
 *     VG_AWAIT(len, vg_send_all(&f->send, f->fd, f->buf, (size_t)len));
 *     VG_AWAIT(rc, vg_close(&f->io, f->fd));
 *
 * Memory    A buffer is lent from the first poll until the future is done: it must be a member of the
 *           frame or live longer than that, never a local. Debug builds panic if it is one.
 * Cancel    A request. The future ends with -ECANCELED, and then nothing has happened to the stream, or
 *           with its real result: bytes received or sent, a descriptor that is now the caller's. Nothing is
 *           ever lost, so look at the result of a cancelled future too.
 * Threads   An operation ends on the worker that took it. The task may be polled on any.
 * Ordering  Operations of one worker on one descriptor start in the order of their first polls.
 * Errors    Negative errno of the system call of the same name; SIGPIPE is never raised. Descriptors must
 *           not be set to O_NONBLOCK: the operation would fail with -EAGAIN instead of waiting.
 * Cost      No allocation. Operations are passed to the kernel in batches, once a turn of the worker.
 */

/* What the futures below have in common. */
struct vg_io_wait {
    /* private */
    struct vg_waiter waiter;
    struct vg_op op;
    int32_t result;  /* the driver's until the waiter is collected */
    uint8_t started; /* the poller's: armed, and the driver has the operation */
};

struct vg_io {
    struct vg_future fut;
    int ret; /* bytes, a descriptor or 0; negative errno */
    /* private */
    struct vg_io_wait wait;
};

/* Receives up to len bytes, at least one. Result: how many; 0: the peer sends no more. A receive of
 * more than VG_IO_MAX bytes gets at most so many. */
VG_API struct vg_io *vg_recv(struct vg_io *io, int fd, void *buf, size_t len);

/* Sends up to len bytes, maybe fewer. Result: how many. */
VG_API struct vg_io *vg_send(struct vg_io *io, int fd, const void *buf, size_t len);

#define VG_IO_MAX 0x7ffff000u

/*
 * Takes a connection from a listener. Result: its descriptor (CLOEXEC). With -EMFILE or -ENFILE it may end
 * at once, whether or not a connection waits; one that does still waits then. Sleep a little before trying
 * again, or the loop will spin.
 */
VG_API struct vg_io *vg_accept(struct vg_io *io, int listener);

/* As shutdown(2), with SHUT_RD, SHUT_WR or SHUT_RDWR. Not cancelled: a cancel has no effect. */
VG_API struct vg_io *vg_shutdown(struct vg_io *io, int fd, int how);

/*
 * Closes a descriptor. Not cancelled: a cancel has no effect, so it may stand in the clean-up of a
 * cancelled function. A socket is shut down first, for its duplicates too, so operations in flight on it
 * end and the peer is told. Nobody else may start one from now on: the number may be reused.
 */
VG_API struct vg_io *vg_close(struct vg_io *io, int fd);

/* Sends everything. */
struct vg_send_all {
    struct vg_future fut;
    ssize_t ret; /* len, or negative errno */
    size_t sent; /* bytes that went out, also after an error or a cancel */
    /* private */
    const char *buf;
    size_t len;
    struct vg_io_wait wait;
};

/* Sends len bytes, in as many pieces as it takes. Result: len. If it fails after some bytes are out, the
 * stream is of use only to those who look at `sent`. */
VG_API struct vg_send_all *vg_send_all(struct vg_send_all *send, int fd, const void *buf,
                                       size_t len);

struct vg_connect {
    struct vg_future fut;
    int ret; /* the connected descriptor (CLOEXEC), or negative errno */
    /* private */
    struct vg_io_wait wait;
    struct sockaddr_storage addr;
};

/* Makes a stream socket and connects it. The address is copied. If it fails or is cancelled the socket
 * is closed, so that nothing goes on behind the caller's back. -EINVAL: len is that of no address. */
VG_API struct vg_connect *vg_connect(struct vg_connect *connect, const struct sockaddr *addr,
                                     socklen_t len);

#ifdef __cplusplus
}
#endif
#endif
