/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_CLIENT_H
#define VIGIL_INSTRUMENT_CLIENT_H

#include "page.h"
#include "request.h"

/*
 * One connection to the telemetry, from its first byte to its last. It never blocks.
 *
 * FREE     no connection
 * READING  the head of the request is coming
 * WRITING  the response is going
 * LINGERING  all is sent, and the end of the stream too. What still comes is dropped until the client ends its
 *          own: closing at once would have the kernel reset the connection, and the client could lose
 *          the response.
 *
 * A client that is too slow is reset, so that the kernel does not keep a page for it after the close.
 */

enum vg_client_state {
    VG_CLIENT_FREE,
    VG_CLIENT_READING,
    VG_CLIENT_WRITING,
    VG_CLIENT_LINGERING,
};

struct vg_client {
    enum vg_client_state state;
    int fd;
    uint64_t patience; /* for its request, for its response, for its end */
    uint64_t deadline; /* when it is closed if it is still in this state */
    bool paged;        /* its response is more than a status */
    size_t in_length, dropped;
    size_t head_length, sent; /* sent: of head and page together */
    struct vg_page page;
    char head[384];
    char in[VG_HEAD_MAX];
};

void vg_client_begin(struct vg_client *client, int fd, uint64_t patience, uint64_t now);
void vg_client_end(struct vg_client *client);

/* Ends it, and has what it was sent and has not received thrown away. */
void vg_client_reset(struct vg_client *client);

/* For poll(2). */
short vg_client_events(const struct vg_client *client);

/* Takes in what has come. True: the request is complete, or will never be; a status other than 0 in
 * *refused says so. */
bool vg_client_read(struct vg_client *client, unsigned *refused);

/* The response: client->page, with this head. */
void vg_client_respond(struct vg_client *client, unsigned status, const char *type, bool head_only,
                       uint64_t now);

/* Goes on with the response, or with dropping. */
void vg_client_continue(struct vg_client *client, uint64_t now);

#endif
