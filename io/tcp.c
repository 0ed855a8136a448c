/* SPDX-License-Identifier: MIT */
#include <vigil/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* The port, or -EINVAL. No sign, no blanks, nothing behind it. */
static int parse_port(const char *text)
{
    int port = 0, digits = 0;

    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 5; digits++)
        port = port * 10 + (text[digits] - '0');
    return digits == 0 || text[digits] != '\0' || port > 65535 ? -EINVAL : port;
}

/* Copies the part of the text before `end`; false if it is too long to be an address. */
static bool cut(char *host, size_t size, const char *text, const char *end)
{
    const size_t len = (size_t)(end - text);

    if (len >= size)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    return true;
}

static int parse_ip6(const char *text, const char *colon, struct sockaddr_in6 *addr)
{
    char host[INET6_ADDRSTRLEN];

    if (colon - text < 2 || colon[-1] != ']' || !cut(host, sizeof host, text + 1, colon - 1) ||
        inet_pton(AF_INET6, host, &addr->sin6_addr) != 1)
        return -EINVAL;
    addr->sin6_family = AF_INET6;
    return (int)sizeof *addr;
}

static int parse_ip4(const char *text, const char *colon, struct sockaddr_in *addr)
{
    char host[INET_ADDRSTRLEN];

    addr->sin_family = AF_INET;
    if (colon == text)
        addr->sin_addr.s_addr = htonl(INADDR_ANY);
    else if (!cut(host, sizeof host, text, colon) || inet_pton(AF_INET, host, &addr->sin_addr) != 1)
        return -EINVAL;
    return (int)sizeof *addr;
}

int vg_tcp_parse(const char *addr_port, struct sockaddr_storage *addr)
{
    const char *colon = strrchr(addr_port, ':');
    const int port = colon == NULL ? -EINVAL : parse_port(colon + 1);
    struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)addr;
    struct sockaddr_in *ip4 = (struct sockaddr_in *)addr;

    if (port < 0)
        return port;
    memset(addr, 0, sizeof *addr);
    if (addr_port[0] == '[') {
        ip6->sin6_port = htons((uint16_t)port);
        return parse_ip6(addr_port, colon, ip6);
    }
    ip4->sin_port = htons((uint16_t)port);
    return parse_ip4(addr_port, colon, ip4);
}

static int set(int fd, int level, int option)
{
    const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof on) < 0 ? -errno : 0;
}

static int bind_and_listen(int fd, const struct sockaddr *addr, socklen_t len, int backlog)
{
    int rc = set(fd, SOL_SOCKET, SO_REUSEADDR);

    if (rc == 0)
        rc = set(fd, SOL_SOCKET, SO_REUSEPORT);
    if (rc < 0)
        return rc;
    return bind(fd, addr, len) < 0 || listen(fd, backlog) < 0 ? -errno : 0;
}

int vg_tcp_listen(const char *addr_port, int backlog)
{
    struct sockaddr_storage addr;
    const int len = vg_tcp_parse(addr_port, &addr);
    int fd, rc;

    if (len < 0)
        return len;
    fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    rc = bind_and_listen(fd, (const struct sockaddr *)&addr, (socklen_t)len, backlog);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

int vg_tcp_port(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;

    if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
        return -errno;
    if (addr.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&addr)->sin6_port);
    return addr.ss_family == AF_INET ? ntohs(((const struct sockaddr_in *)&addr)->sin_port)
                                     : -EAFNOSUPPORT;
}

int vg_tcp_nodelay(int fd)
{
    return set(fd, IPPROTO_TCP, TCP_NODELAY);
}
