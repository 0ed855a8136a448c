/* SPDX-License-Identifier: MIT */
/* Connections made, refused, given up, taken, and lost for want of descriptors. */
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include "world.h"

struct caller {
    VG_FRAME(int);
    const struct sockaddr_storage *to;
    struct vg_connect connect;
    struct vg_timeout limit;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_timeout(&f->limit, VG_MSEC(50),
                            vg_connect(&f->connect, (const struct sockaddr *)f->to,
                                       sizeof(struct sockaddr_in))));
    VG_RETURN(rc < 0 ? rc : f->connect.ret);
}

static struct caller *caller(struct caller *f, const struct sockaddr_storage *to)
{
    VG_SETUP(f, caller);
    f->to = to;
    return f;
}

TEST(a_refused_connection_is_an_error_and_leaves_no_socket)
{
    struct world world;
    struct sockaddr_storage address;
    static struct caller frame;

    close(world_listen(1, &address));
    world_open(&world, 2);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(vg_block_on(world.exec, &caller(&frame, &address)->fut), 0);
        CHECK_EQ(frame.ret, -ECONNREFUSED);
    }
    world_close(&world);
}

TEST(an_address_of_no_length_is_refused)
{
    struct world world;
    struct sockaddr_storage address = {0};
    static struct vg_connect frame;

    world_open(&world, 1);
    CHECK_EQ(vg_block_on(world.exec, &vg_connect(&frame, (struct sockaddr *)&address, 0)->fut), 0);
    CHECK_EQ(frame.ret, -EINVAL);
    CHECK_EQ(vg_block_on(world.exec, &vg_connect(&frame, (struct sockaddr *)&address, 4000)->fut),
             0);
    CHECK_EQ(frame.ret, -EINVAL);
    world_close(&world);
}

/* Sockets of this machine that still try to reach the address. */
static int trying(const struct sockaddr_storage *to)
{
    const unsigned port = ntohs(((const struct sockaddr_in *)to)->sin_port);
    FILE *file = fopen("/proc/net/tcp", "re");
    char line[256];
    int found = 0;

    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned to_port, state;

        if (sscanf(line, " %*d: %*x:%*x %*x:%x %x", &to_port, &state) == 2)
            found += to_port == port && state == 2; /* SYN_SENT */
    }
    fclose(file);
    return found;
}

TEST(a_cancelled_connect_leaves_no_socket_trying)
{
    struct world world;
    struct sockaddr_storage address;
    static struct caller frame;
    int listener = world_listen(0, &address), fd[4], n = 0;

    world_open(&world, 2);
    /* Until the listener's queue is full. */
    do {
        CHECK(n < 4);
        CHECK_EQ(vg_block_on(world.exec, &caller(&frame, &address)->fut), 0);
        if (frame.ret >= 0)
            fd[n++] = frame.ret;
    } while (frame.ret >= 0);
    CHECK_EQ(frame.ret, -ETIMEDOUT);
    CHECK_EQ(frame.connect.ret, -ECANCELED);
    CHECK_EQ(trying(&address), 0);
    while (n > 0)
        close(fd[--n]);
    close(listener);
    world_close(&world);
}

struct acceptor {
    VG_FRAME(int);
    int listener, wanted, accepted, tries;
    struct vg_io io, bye;
    struct vg_timeout limit;
    struct vg_sleep nap;
};

VG_ASYNC(acceptor)
{
    VG_BEGIN(f);
    int rc;
    ssize_t closed;
    while (f->accepted < f->wanted) {
        f->tries++;
        VG_AWAIT(rc, vg_timeout(&f->limit, VG_MSEC(1), vg_accept(&f->io, f->listener)));
        if (f->io.ret < 0) {
            CHECK_EQ(rc, -ETIMEDOUT);
            CHECK_EQ(f->io.ret, -ECANCELED);
            continue;
        }
        f->accepted++;
        VG_AWAIT(closed, vg_close(&f->bye, (int)f->io.ret));
        CHECK_EQ(closed, 0);
    }
    VG_RETURN(0);
}

static struct acceptor *acceptor(struct acceptor *f, int listener, int wanted)
{
    VG_SETUP(f, acceptor);
    f->listener = listener;
    f->wanted = wanted;
    f->accepted = f->tries = 0;
    return f;
}

TEST(every_connection_is_accepted_once_although_accepts_time_out)
{
    FOR_WORKERS (workers) {
        const int total = test_long() ? 5000 : 300;
        struct world world;
        struct vg_handle handle;
        struct sockaddr_storage address;
        int listener = world_listen(128, &address);

        world_open(&world, workers);
        CHECK_EQ(VG_SPAWN(world.exec, &handle, acceptor, listener, total), 0);
        for (int i = 0; i < total; i++) {
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            char byte;

            usleep((unsigned)(i * 37 % 1500));
            CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
            CHECK_EQ(recv(fd, &byte, 1, 0), 0);
            close(fd);
        }
        wait_until_done(&handle);
        CHECK_EQ(VG_TASK_RET(&handle, struct acceptor), 0);
        vg_task_release(&handle);
        close(listener);
        world_close(&world);
    }
}

static int limit_descriptors(rlim_t n)
{
    struct rlimit limit;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = n;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(an_accept_without_descriptors_fails_and_the_connection_waits)
{
    struct world world;
    struct sockaddr_storage address;
    struct rlimit before;
    static struct vg_io io;
    int listener = world_listen(8, &address), client = socket(AF_INET, SOCK_STREAM, 0), next;

    world_open(&world, 1);
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
    next = dup(client);
    close(next);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ(limit_descriptors((rlim_t)next), 0);
    CHECK_EQ(vg_block_on(world.exec, &vg_accept(&io, listener)->fut), 0);
    CHECK_EQ(io.ret, -EMFILE);
    CHECK_EQ(limit_descriptors(before.rlim_cur), 0);
    CHECK_EQ(vg_block_on(world.exec, &vg_accept(&io, listener)->fut), 0);
    CHECK(io.ret >= 0);
    close((int)io.ret);
    close(client);
    close(listener);
    world_close(&world);
}
