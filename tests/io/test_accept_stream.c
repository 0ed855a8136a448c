/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include <vigil/accept_stream.h>
#include <vigil/tcp.h>

#include "world.h"

enum { CLIENTS = 5 };

struct server {
    VG_FRAME(int);
    struct vg_accept_stream incoming;
    struct vg_sift first;
    struct vg_stream *stream;
    struct vg_io io;
    int listener, served;
};

/* Greets so many. */
VG_ASYNC(server)
{
    VG_BEGIN(f);
    ssize_t n;
    int rc;
    f->stream = vg_stream_take(&f->first, vg_accept_stream(&f->incoming, f->listener), CLIENTS);
    VG_EACH (rc, f->stream) {
        VG_AWAIT(n, vg_send(&f->io, *(int *)f->stream->item, "x", 1));
        CHECK_EQ(n, 1);
        VG_AWAIT(n, vg_close(&f->io, f->incoming.fd));
        f->served++;
    }
    VG_RETURN(rc < 0 ? rc : f->served);
}

static struct server *server(struct server *f, int listener)
{
    VG_SETUP(f, server);
    f->listener = listener;
    f->served = 0;
    return f;
}

static int connect_to(int listener)
{
    struct sockaddr_storage to;
    char address[32];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), len;

    snprintf(address, sizeof address, "127.0.0.1:%d", vg_tcp_port(listener));
    len = vg_tcp_parse(address, &to);
    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, (socklen_t)len), 0);
    return fd;
}

TEST(a_listener_gives_its_connections_as_a_stream)
{
    FOR_WORKERS (workers) {
        struct world world;
        static struct server root;
        int listener = vg_tcp_listen("127.0.0.1:0", 128), client[CLIENTS];
        char byte;

        CHECK(listener >= 0);
        world_open(&world, workers);
        for (unsigned i = 0; i < CLIENTS; i++)
            client[i] = connect_to(listener);
        CHECK_EQ(vg_block_on(world.exec, &server(&root, listener)->fut), 0);
        CHECK_EQ(root.ret, CLIENTS);
        for (unsigned i = 0; i < CLIENTS; i++) {
            CHECK_EQ(recv(client[i], &byte, 1, 0), 1);
            close(client[i]);
        }
        world_close(&world);
        close(listener);
    }
}

TEST(a_stream_of_connections_fails_with_what_accept_fails_with)
{
    struct world world;
    static struct server root;
    int pair[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    world_open(&world, 1);
    CHECK_EQ(vg_block_on(world.exec, &server(&root, pair[0])->fut), 0);
    CHECK_EQ(root.ret, -EINVAL);
    world_close(&world);
    close(pair[0]);
    close(pair[1]);
}
