/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_TELEMETRY_HTTP_H
#define VIGIL_TESTS_TELEMETRY_HTTP_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <vigil/telemetry.h>

#include "liveness/room.h"

/* A client of the telemetry, and a room that has one. Reads end with the test's own limit, and the endpoint is
 * patient unless that is what is tested: machines may be slow. */

struct place {
    struct room room;
    struct vg_telemetry *telemetry;
    const char *address;
};

static inline void place_open_with(struct place *place, unsigned workers, const char *address,
                                   const struct vg_telemetry_config *config)
{
    room_open(&place->room, workers, true);
    CHECK_EQ(vg_telemetry_open(&place->telemetry, place->room.live, address, config), 0);
    place->address = vg_telemetry_address(place->telemetry);
}

static inline void place_open(struct place *place, unsigned workers)
{
    const struct vg_telemetry_config config = {.alloc = &test_alloc, .patience = VG_SEC(50)};

    place_open_with(place, workers, "127.0.0.1:0", &config);
}

static inline void place_close(struct place *place)
{
    vg_telemetry_close(place->telemetry);
    room_close(&place->room);
}

static inline int dial(const char *address)
{
    struct sockaddr_in tcp = {.sin_family = AF_INET};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    const bool is_local = strncmp(address, "unix:", 5) == 0;
    const int fd = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    if (is_local) {
        snprintf(local.sun_path, sizeof local.sun_path, "%s", address + 5);
        CHECK_EQ(connect(fd, (struct sockaddr *)&local, sizeof local), 0);
        return fd;
    }
    tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tcp.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    CHECK_EQ(connect(fd, (struct sockaddr *)&tcp, sizeof tcp), 0);
    return fd;
}

static inline void put(int fd, const char *data, size_t length)
{
    while (length > 0) {
        const ssize_t n = send(fd, data, length, MSG_NOSIGNAL);

        if (n < 0)
            return; /* the other side has closed */
        data += n;
        length -= (size_t)n;
    }
}

static inline void say(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

/* What comes until the other side ends its stream or resets it; to be freed. Closes fd. */
static inline char *hear(int fd)
{
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    ssize_t n;

    CHECK(text != NULL);
    while ((n = recv(fd, text + length, capacity - length - 1, 0)) > 0) {
        length += (size_t)n;
        if (capacity - length < 4096)
            CHECK((text = realloc(text, capacity *= 2)) != NULL);
    }
    text[length] = '\0';
    close(fd);
    return text;
}

/* 0: no response at all. */
static inline int status_of(const char *response)
{
    return strncmp(response, "HTTP/1.1 ", 9) == 0 ? atoi(response + 9) : 0;
}

static inline const char *body_of(const char *response)
{
    const char *end = strstr(response, "\r\n\r\n");

    CHECK(end != NULL);
    return end + 4;
}

static inline char *ask(const char *address, const char *request)
{
    const int fd = dial(address);

    say(fd, request);
    return hear(fd);
}

static inline int ask_status(const char *address, const char *request)
{
    char *response = ask(address, request);
    const int status = status_of(response);

    free(response);
    return status;
}

static inline char *get(const char *address, const char *path)
{
    char request[256];

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return ask(address, request);
}

static inline int get_status(const char *address, const char *path)
{
    char *response = get(address, path);
    const int status = status_of(response);

    free(response);
    return status;
}

/* Asks for the page until it says both. */
static inline char *get_until_both(const char *address, const char *path, const char *what,
                                   const char *too)
{
    for (;;) {
        char *response = get(address, path);

        CHECK_EQ(status_of(response), 200);
        if (strstr(response, what) != NULL && strstr(response, too) != NULL)
            return response;
        free(response);
        usleep(1000);
    }
}

static inline char *get_until(const char *address, const char *path, const char *what)
{
    return get_until_both(address, path, what, what);
}

#endif
