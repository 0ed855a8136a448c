/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 128 }; /* a connection that finds no room is tried again only after a second */

static int new_socket(int family)
{
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

/* ---- TCP --------------------------------------------------------------------------------------- */

static bool parse_port(const char *text, in_port_t *port)
{
    const size_t length = strlen(text);
    const unsigned long value = strtoul(text, NULL, 10);

    *port = htons((uint16_t)value);
    return length > 0 && length <= 5 && strspn(text, "0123456789") == length && value <= 65535;
}

/* 127.0.0.0/8, or ::1 in brackets. */
static int parse_host(const char *host, struct sockaddr_storage *to)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)to;
    char inside[INET6_ADDRSTRLEN];
    const size_t length = strlen(host);

    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127 ? 0 : -EACCES;
    }
    if (length < 3 || length - 2 >= sizeof inside || host[0] != '[' || host[length - 1] != ']')
        return -EINVAL;
    snprintf(inside, sizeof inside, "%.*s", (int)(length - 2), host + 1);
    if (inet_pton(AF_INET6, inside, &v6->sin6_addr) != 1)
        return -EINVAL;
    v6->sin6_family = AF_INET6;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? 0 : -EACCES;
}

static int parse_tcp(const char *address, struct sockaddr_storage *to)
{
    const char *colon = strrchr(address, ':');
    char host[64];
    in_port_t port;

    memset(to, 0, sizeof *to);
    if (colon == NULL || (size_t)(colon - address) >= sizeof host || !parse_port(colon + 1, &port))
        return -EINVAL;
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    /* Both families keep the port in the same place. */
    ((struct sockaddr_in *)(void *)to)->sin_port = port;
    return parse_host(host, to);
}

static int bind_tcp(struct vg_endpoint *endpoint, const char *address)
{
    struct sockaddr_storage addr;
    socklen_t length = sizeof addr;
    const int on = 1;
    const int rc = parse_tcp(address, &addr);

    if (rc < 0)
        return rc;
    endpoint->fd = new_socket(addr.ss_family);
    if (endpoint->fd < 0)
        return endpoint->fd;
    (void)setsockopt(endpoint->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(endpoint->fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
        getsockname(endpoint->fd, (struct sockaddr *)&addr, &length) < 0)
        return -errno;
    snprintf(endpoint->address, sizeof endpoint->address, "%.*s:%u",
             (int)(strrchr(address, ':') - address), address,
             ntohs(((struct sockaddr_in *)(void *)&addr)->sin_port));
    return 0;
}

/* ---- Unix sockets ------------------------------------------------------------------------------ */

/* 0: nobody listened there, and the way is free. */
static int remove_stale(const struct sockaddr_un *addr)
{
    struct stat st;
    int fd, rc;

    if (lstat(addr->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = new_socket(AF_UNIX);
    if (fd < 0)
        return fd;
    rc = connect(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 ? -errno : 0;
    close(fd);
    if (rc != -ECONNREFUSED)
        return rc == 0 || rc == -EAGAIN ? -EADDRINUSE : rc;
    return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The kernel gives the file the mode of the socket, so there is no moment at which it has another. */
static int bind_private(int fd, const struct sockaddr_un *addr)
{
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0)
        return -errno;
    return bind(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 ? -errno : 0;
}

static int bind_unix(struct vg_endpoint *endpoint, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct stat st;
    int rc;

    if (*path == '\0')
        return -EINVAL;
    if (strlen(path) >= sizeof addr.sun_path)
        return -ENAMETOOLONG;
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    endpoint->fd = new_socket(AF_UNIX);
    if (endpoint->fd < 0)
        return endpoint->fd;
    rc = bind_private(endpoint->fd, &addr);
    if (rc == -EADDRINUSE && (rc = remove_stale(&addr)) == 0)
        rc = bind_private(endpoint->fd, &addr);
    if (rc < 0)
        return rc;
    snprintf(endpoint->address, sizeof endpoint->address, "unix:%s", path);
    endpoint->local = true;
    if (lstat(path, &st) < 0)
        return -errno;
    endpoint->device = st.st_dev;
    endpoint->inode = st.st_ino;
    return 0;
}

/* ---- both -------------------------------------------------------------------------------------- */

int vg_endpoint_open(struct vg_endpoint *endpoint, const char *address)
{
    static const char unix_prefix[] = "unix:";
    const size_t prefix = sizeof unix_prefix - 1;
    int rc;

    *endpoint = (struct vg_endpoint){.fd = -1};
    if (strncmp(address, unix_prefix, prefix) == 0)
        rc = bind_unix(endpoint, address + prefix);
    else
        rc = bind_tcp(endpoint, address);
    if (rc == 0 && listen(endpoint->fd, BACKLOG) < 0)
        rc = -errno;
    if (rc < 0)
        vg_endpoint_close(endpoint);
    return rc;
}

void vg_endpoint_close(struct vg_endpoint *endpoint)
{
    const char *path = endpoint->address + sizeof "unix:" - 1;
    struct stat st;

    if (endpoint->fd < 0)
        return;
    if (endpoint->inode != 0 && lstat(path, &st) == 0 && st.st_dev == endpoint->device &&
        st.st_ino == endpoint->inode)
        (void)unlink(path);
    close(endpoint->fd);
    endpoint->fd = -1;
}
