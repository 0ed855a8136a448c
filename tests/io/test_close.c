/* SPDX-License-Identifier: MIT */
/* Closing what is in use, and closing in the clean-up of a cancelled task. */
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "world.h"

/* Closes what it still receives from. */
struct closer {
    VG_FRAME(int);
    int fd;
    struct vg_io io, bye;
    struct vg_sleep nap;
    VG_ARMS(2) sel;
    char buf[8];
};

VG_ASYNC(closer)
{
    VG_BEGIN(f);
    ssize_t rc;
    int arm;
    VG_AWAIT(arm, VG_SELECT(f->sel, VG_KEEP(vg_recv(&f->io, f->fd, f->buf, sizeof f->buf)),
                            VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(2)))));
    CHECK_EQ(arm, 1);
    VG_AWAIT(rc, vg_close(&f->bye, f->fd));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, &f->io);
    VG_RETURN((int)rc);
}

static struct closer *closer(struct closer *f, int fd)
{
    VG_SETUP(f, closer);
    f->fd = fd;
    return f;
}

TEST(a_close_ends_the_receive_that_a_select_has_kept)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        int listener = world_listen(8, &address);
        static struct closer frame;

        world_open(&world, workers);
        for (int i = 0; i < 20; i++) {
            int client = socket(AF_INET, SOCK_STREAM, 0), fd;
            char byte;

            CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
            fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            CHECK(fd >= 0);
            CHECK_EQ(vg_block_on(world.exec, &closer(&frame, fd)->fut), 0);
            CHECK_EQ(frame.ret, 0);
            CHECK_EQ(recv(client, &byte, 1, 0), 0);
            close(client);
        }
        close(listener);
        world_close(&world);
    }
}

/* Cleans up after a cancel as anybody would. */
struct tidy {
    VG_FRAME(int);
    int fd;
    struct vg_io io;
    char buf[8];
};

VG_ASYNC(tidy)
{
    VG_BEGIN(f);
    ssize_t rc;
    VG_AWAIT(rc, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
    CHECK_EQ(rc, -ECANCELED);
    VG_AWAIT(rc, vg_shutdown(&f->io, f->fd, SHUT_WR));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    VG_RETURN((int)rc);
}

static struct tidy *tidy(struct tidy *f, int fd)
{
    VG_SETUP(f, tidy);
    f->fd = fd;
    return f;
}

TEST(a_cancelled_task_can_still_close)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct vg_handle handle;
        int fd[2];

        world_open(&world, workers);
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
            CHECK_EQ(VG_SPAWN(world.exec, &handle, tidy, fd[0]), 0);
            if (i % 2 == 0)
                usleep(100);
            vg_task_cancel(&handle);
            wait_until_done(&handle);
            CHECK_EQ(VG_TASK_RET(&handle, struct tidy), 0);
            vg_task_release(&handle);
            CHECK_EQ(fcntl(fd[0], F_GETFD), -1);
            close(fd[1]);
        }
        world_close(&world);
    }
}
