/* SPDX-License-Identifier: MIT */
/*
 * A client for the tests of the servers, on 127.0.0.1.
 *
 *     client talk PORT    sends its standard input, then copies what comes to standard output until the server
 *                         ends the stream
 *     client drip PORT    the same, a byte at a time
 *     client half PORT    as talk, but ends its own stream after the input
 *     client reset PORT   sends its standard input, then resets the connection
 *     client cut PORT     sends its standard input again and again, never reads, and resets the connection when
 *                         the server takes no more: in the middle of a response
 *     client hold PORT    sends its standard input, prints "sent", never reads, and stays until it is killed
 *     client flood PORT   sends its standard input again and again, never reads, prints "stuck" when the
 *                         server takes no more, and stays
 *     client starve PORT  the same, but waits for the server to drop the connection, and prints "dropped"
 *     client slow PORT    sends a byte of its standard input every tenth of a second until the server answers or
 *                         ends the stream, and goes on as talk. The server must do so before the end of the input
 *     client keep PORT    sends its standard input, prints "served" at the first byte of the answer, sends a last
 *                         request when it gets SIGUSR1, and goes on as talk
 *     client siege PORT N opens N connections, prints "open", and stays
 *     client crowd PORT N opens N connections, lets the server accept what it can, asks for / on all, and prints
 *                         the status line of the first, and each that differs from it
 *
 * Exit code 1 if the server does not do its part within twenty seconds.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_MS = 20000, STUCK_MS = 500, GATHER_MS = 300, SLOW_MS = 100, CROWD_MAX = 1000 };

/* One of a crowd: the status line it was answered with. */
struct member {
    int fd;
    char line[16];
};

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

/* Until the server takes no more. False: it has dropped the connection meanwhile. */
static bool flood(int fd)
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
            return false;
        at = (at + (size_t)sent) % n;
    }
    return true;
}

static void starve(int fd)
{
    if (flood(fd) && !ready(fd, 0, TIMEOUT_MS)) { /* errors and the end are always waited for */
        fprintf(stderr, "client: the server is patient for ever\n");
        exit(1);
    }
    puts("dropped");
}

/* Reads what is there. True: the stream has ended. */
static bool read_some(struct member *member)
{
    char rest[512];
    const size_t at = strlen(member->line), room = sizeof member->line - 1 - at;
    const ssize_t n =
        recv(member->fd, room > 0 ? member->line + at : rest, room > 0 ? room : sizeof rest, 0);

    if (n < 0)
        die("recv");
    if (n == 0)
        close(member->fd);
    return n == 0;
}

/* Until all have ended, in whichever order the server serves them. */
static void read_all(struct member *member, int count)
{
    static struct pollfd waiting[CROWD_MAX];
    int left = count;

    for (int i = 0; i < count; i++)
        waiting[i] = (struct pollfd){.fd = member[i].fd, .events = POLLIN};
    while (left > 0) {
        if (poll(waiting, (nfds_t)count, TIMEOUT_MS) <= 0) {
            fprintf(stderr, "client: %d are not served\n", left);
            exit(1);
        }
        for (int i = 0; i < count; i++)
            if (waiting[i].revents != 0 && read_some(&member[i])) {
                waiting[i].fd = -1;
                left--;
            }
    }
}

static void crowd(const char *port, int count)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: crowd\r\nConnection: close\r\n\r\n";
    static struct member member[CROWD_MAX];

    count = count < CROWD_MAX ? count : CROWD_MAX;
    for (int i = 0; i < count; i++)
        member[i].fd = dial(port);
    poll(NULL, 0, GATHER_MS);
    for (int i = 0; i < count; i++)
        put(member[i].fd, request, sizeof request - 1, sizeof request);
    read_all(member, count);
    for (int i = 0; i < count; i++)
        if (i == 0 || strcmp(member[i].line, member[0].line) != 0)
            puts(member[i].line);
}

static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void slow(int fd)
{
    char byte;

    while (!ready(fd, POLLIN, SLOW_MS)) {
        if (read(STDIN_FILENO, &byte, 1) != 1) {
            fprintf(stderr, "client: the server has waited for all of it\n");
            exit(1);
        }
        if (!put(fd, &byte, 1, 1))
            break;
    }
    copy_answer(fd);
}

static void keep(int fd)
{
    static const char last[] = "GET / HTTP/1.1\r\nHost: keep\r\nConnection: close\r\n\r\n";
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    send_input(fd, 1 << 16);
    if (!ready(fd, POLLIN, TIMEOUT_MS))
        exit(1);
    puts("served");
    fflush(stdout);
    sigwait(&signals, &number);
    put(fd, last, sizeof last - 1, sizeof last);
    copy_answer(fd);
}

static void siege(const char *port, int count)
{
    while (count-- > 0)
        dial(port);
    stay("open");
}

static void talk(int fd)
{
    send_input(fd, 1 << 16);
    copy_answer(fd);
}

static void drip(int fd)
{
    send_input(fd, 1);
    copy_answer(fd);
}

static void half(int fd)
{
    send_input(fd, 1 << 16);
    shutdown(fd, SHUT_WR);
    copy_answer(fd);
}

static void cut(int fd)
{
    if (!flood(fd))
        die("send");
    reset(fd);
}

static void send_and_reset(int fd)
{
    send_input(fd, 1 << 16);
    reset(fd);
}

static void hold(int fd)
{
    send_input(fd, 1 << 16);
    stay("sent");
}

static void flood_and_stay(int fd)
{
    if (!flood(fd))
        die("send");
    stay("stuck");
}

static int run(const char *mode, const char *port)
{
    static const struct {
        const char *mode;
        void (*run)(int fd);
    } modes[] = {
        {"talk", talk}, {"drip", drip},
        {"half", half}, {"reset", send_and_reset},
        {"hold", hold}, {"flood", flood_and_stay},
        {"cut", cut},   {"starve", starve},
        {"slow", slow}, {"keep", keep},
    };

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(mode, modes[i].mode) == 0) {
            modes[i].run(dial(port));
            return 0;
        }
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "crowd") == 0) {
        crowd(argv[2], atoi(argv[3]));
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "siege") == 0)
        siege(argv[2], atoi(argv[3]));
    return argc == 3 ? run(argv[1], argv[2]) : 2;
}
