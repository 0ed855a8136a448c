/* SPDX-License-Identifier: MIT */
/*
 * A client for the tests of the servers, on 127.0.0.1.
 *
 *     client talk PORT    sends its standard input, then copies what comes to standard output until the server
 *                         ends the stream
 *     client drip PORT    the same, a byte at a time
 *     client half PORT    as talk, but ends its own stream after the input
 *     client reset PORT   sends its standard input, then resets the connection
 *     client hold PORT    sends its standard input, prints "sent", never reads, and stays until it is killed
 *     client flood PORT   sends its standard input again and again, never reads, prints "stuck" when the
 *                         server takes no more, and stays
 *     client crowd PORT N opens N connections, lets the server accept what it can, asks for / on all, and prints
 *                         the status line of the first, and each that differs from it
 *
 * Exit code 1 if the server does not do its part within twenty seconds.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 20000, STUCK_MS = 500, GATHER_MS = 300, CROWD_MAX = 1000 };

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(const char *port)
{
    const struct sockaddr_in addr = {.sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)atoi(port)),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Whether the descriptor is ready within that time. */
static bool ready(int fd, short events, int timeout_ms)
{
    struct pollfd waiting = {.fd = fd, .events = events};

    return poll(&waiting, 1, timeout_ms) > 0;
}

/* A server that has refused may close before it has read everything: that is no error here. */
static bool put(int fd, const char *data, size_t len, size_t piece)
{
    while (len > 0) {
        const ssize_t n = send(fd, data, len < piece ? len : piece, MSG_NOSIGNAL);

        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void send_input(int fd, size_t piece)
{
    static char buf[1 << 16];
    ssize_t n;

    while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0)
        if (!put(fd, buf, (size_t)n, piece))
            return;
}

static void copy_answer(int fd)
{
    static char buf[1 << 16];
    ssize_t n;

    do {
        if (!ready(fd, POLLIN, TIMEOUT_MS)) {
            fprintf(stderr, "client: the server neither answers nor ends\n");
            exit(1);
        }
        n = recv(fd, buf, sizeof buf, 0);
        if (n > 0 && write(STDOUT_FILENO, buf, (size_t)n) != n)
            die("write");
    } while (n > 0);
    if (n < 0)
        die("recv");
}

static void stay(const char *word)
{
    puts(word);
    fflush(stdout);
    for (;;)
        pause();
}

static void flood(int fd)
{
    static char buf[1 << 16];
    const ssize_t input = read(STDIN_FILENO, buf, sizeof buf);
    size_t n = input > 0 ? (size_t)input : 0, at = 0;

    while (n > 0 && n <= sizeof buf / 2) {
        memcpy(buf + n, buf, n);
        n *= 2;
    }
    while (n > 0 && ready(fd, POLLOUT, STUCK_MS)) {
        const ssize_t sent = send(fd, buf + at, n - at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0)
            die("send");
        at = (at + (size_t)sent) % n;
    }
    stay("stuck");
}

/* Reads a status line and the rest. */
static void read_status(int fd, char line[16])
{
    char rest[512];

    memset(line, 0, 16);
    if (!ready(fd, POLLIN, TIMEOUT_MS) || recv(fd, line, 15, MSG_WAITALL) < 0)
        die("recv");
    while (ready(fd, POLLIN, TIMEOUT_MS) && recv(fd, rest, sizeof rest, 0) > 0)
        ;
    close(fd);
}

static void crowd(const char *port, int count)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: crowd\r\nConnection: close\r\n\r\n";
    static int fd[CROWD_MAX];
    char line[16] = "", first[16] = "";

    count = count < CROWD_MAX ? count : CROWD_MAX;
    for (int i = 0; i < count; i++)
        fd[i] = dial(port);
    poll(NULL, 0, GATHER_MS);
    for (int i = 0; i < count; i++)
        put(fd[i], request, sizeof request - 1, sizeof request);
    for (int i = 0; i < count; i++) {
        read_status(fd[i], line);
        if (i == 0 || strcmp(line, first) != 0)
            puts(line);
        if (i == 0)
            memcpy(first, line, sizeof first);
    }
}

static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static int run(const char *mode, int fd)
{
    const bool drip = strcmp(mode, "drip") == 0;

    if (strcmp(mode, "flood") == 0)
        flood(fd);
    send_input(fd, drip ? 1 : 1 << 16);
    if (strcmp(mode, "hold") == 0)
        stay("sent");
    if (strcmp(mode, "reset") == 0) {
        reset(fd);
        return 0;
    }
    if (strcmp(mode, "half") == 0)
        shutdown(fd, SHUT_WR);
    else if (!drip && strcmp(mode, "talk") != 0)
        return 2;
    copy_answer(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "crowd") == 0) {
        crowd(argv[2], atoi(argv[3]));
        return 0;
    }
    return argc == 3 ? run(argv[1], dial(argv[2])) : 2;
}
