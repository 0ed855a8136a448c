/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DROPPED_MAX = 256 * 1024 };

void vg_client_begin(struct vg_client *client, int fd, uint64_t patience, uint64_t now)
{
    client->state = VG_CLIENT_READING;
    client->fd = fd;
    client->patience = patience;
    client->deadline = now + client->patience;
    client->in_length = client->dropped = 0;
    client->head_length = client->sent = 0;
}

void vg_client_end(struct vg_client *client)
{
    if (client->state == VG_CLIENT_FREE)
        return;
    vg_page_free(&client->page);
    close(client->fd);
    client->state = VG_CLIENT_FREE;
}

void vg_client_reset(struct vg_client *client)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    vg_client_end(client);
}

short vg_client_events(const struct vg_client *client)
{
    return client->state == VG_CLIENT_WRITING ? POLLOUT : POLLIN;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

bool vg_client_read(struct vg_client *client, unsigned *refused)
{
    const ssize_t n =
        recv(client->fd, client->in + client->in_length, sizeof client->in - client->in_length, 0);

    *refused = 0;
    if (n < 0 && !is_passing(errno))
        vg_client_end(client);
    if (n < 0)
        return false;
    client->in_length += (size_t)n;
    if (vg_request_complete(client->in, client->in_length))
        return true;
    if (n == 0 && client->in_length == 0) {
        vg_client_end(client); /* it only looked whether somebody listens */
        return false;
    }
    *refused = n == 0 ? 400 : client->in_length == sizeof client->in ? 431 : 0;
    return *refused != 0;
}

static const char *reason(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Service Unavailable";
    }
}

void vg_client_respond(struct vg_client *client, unsigned status, const char *type, bool head_only,
                       uint64_t now)
{
    client->head_length = (size_t)snprintf(
        client->head, sizeof client->head,
        "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        status, reason(status), type, client->page.length,
        status == 405 ? "Allow: GET, HEAD\r\n" : "");
    VG_ASSERT(client->head_length < sizeof client->head);
    if (head_only)
        vg_page_free(&client->page);
    client->paged = client->page.length > 0;
    client->state = VG_CLIENT_WRITING;
    client->deadline = now + client->patience;
    vg_client_continue(client, now);
}

static void await_end(struct vg_client *client, uint64_t now)
{
    vg_page_free(&client->page);
    client->state = VG_CLIENT_LINGERING;
    client->deadline = now + client->patience;
    if (shutdown(client->fd, SHUT_WR) < 0)
        vg_client_end(client);
}

static void send_more(struct vg_client *client, uint64_t now)
{
    const size_t head_sent =
        client->sent < client->head_length ? client->sent : client->head_length;
    struct iovec part[2] = {{client->head + head_sent, client->head_length - head_sent}};
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 1};
    ssize_t n;

    if (client->page.data != NULL) {
        part[1].iov_base = client->page.data + (client->sent - head_sent);
        part[1].iov_len = client->page.length - (client->sent - head_sent);
        message.msg_iovlen = 2;
    }
    n = sendmsg(client->fd, &message, MSG_NOSIGNAL);
    if (n < 0 && is_passing(errno))
        return;
    if (n < 0) {
        vg_client_end(client);
        return;
    }
    client->sent += (size_t)n;
    if (client->sent == client->head_length + client->page.length)
        await_end(client, now);
}

static void drop_more(struct vg_client *client)
{
    const ssize_t n = recv(client->fd, client->in, sizeof client->in, 0);

    if (n < 0 && is_passing(errno))
        return;
    client->dropped += n > 0 ? (size_t)n : 0;
    if (n <= 0 || client->dropped > DROPPED_MAX)
        vg_client_end(client);
}

void vg_client_continue(struct vg_client *client, uint64_t now)
{
    if (client->state == VG_CLIENT_WRITING)
        send_more(client, now);
    else if (client->state == VG_CLIENT_LINGERING)
        drop_more(client);
}
