/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TCP_H
#define VIGIL_TCP_H

#include <sys/socket.h>

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Plain calls around TCP sockets; none of them suspends. The futures are in <vigil/io.h>.
 *
 *     int fd = vg_tcp_listen("127.0.0.1:8080", 1024);
 *
 * To spread connections over W workers without a lock in common, open W listeners of the same address and
 * let a task accept on each: the kernel divides new connections among them.
 * Closing a listener resets the connections that still wait in its queue, although others listen.
 *
 * Threads  Any; usable outside the executor.
 * Errors   Negative errno.
 */

/*
 * Reads "ADDR:PORT": ADDR is an IPv4 address, an IPv6 address in brackets, or nothing, for every IPv4
 * address of the machine; names are not looked up. PORT is a decimal number below 65536. Returns the size
 * of the address; -EINVAL: anything else.
 */
VG_API int vg_tcp_parse(const char *addr_port, struct sockaddr_storage *addr);

/* A listening descriptor: SO_REUSEADDR, SO_REUSEPORT, CLOEXEC. -EINVAL: no such address; -EADDRINUSE, and
 * what else socket(), bind() and listen() fail with. */
VG_API VG_MUST_USE int vg_tcp_listen(const char *addr_port, int backlog);

/* The local port, to learn what port 0 became. */
VG_API int vg_tcp_port(int fd);

/* Sends small pieces at once instead of gathering them: what a request-response protocol wants. */
VG_API int vg_tcp_nodelay(int fd);

#ifdef __cplusplus
}
#endif
#endif
