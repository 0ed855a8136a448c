/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_ENDPOINT_H
#define VIGIL_INSTRUMENT_ENDPOINT_H

#include <sys/socket.h>
#include <sys/un.h>

#include <vigil/base.h>

/*
 * The listening socket of the telemetry: addresses of this machine only, and files for this user only.
 */
struct vg_endpoint {
    int fd;
    bool local;                                                                 /* a Unix socket */
    char address[sizeof "unix:" + sizeof(((struct sockaddr_un *)0)->sun_path)]; /* as bound */
    unsigned long long device, inode; /* of the Unix socket's file */
};

/* Errors as vg_telemetry_open(). */
int vg_endpoint_open(struct vg_endpoint *endpoint, const char *address);

/* Closes it, and removes the file unless something else has taken its place. */
void vg_endpoint_close(struct vg_endpoint *endpoint);

#endif
