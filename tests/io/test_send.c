/* SPDX-License-Identifier: MIT */
/* Sends: short ones, long ones, cancelled ones. */
#include <unistd.h>

#include "world.h"

struct sender {
    VG_FRAME(ssize_t);
    int fd;
    const char *data;
    size_t len;
    struct vg_send_all send;
};

VG_ASYNC(sender)
{
    VG_BEGIN(f);
    ssize_t rc;
    VG_AWAIT(rc, vg_send_all(&f->send, f->fd, f->data, f->len));
    VG_RETURN(rc);
}

static struct sender *sender(struct sender *f, int fd, const char *data, size_t len)
{
    VG_SETUP(f, sender);
    f->fd = fd;
    f->data = data;
    f->len = len;
    return f;
}

enum { BIG = 8 << 20 };

static char *big_data(void)
{
    static char data[BIG];

    for (size_t i = 0; i < BIG; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    return data;
}

TEST(a_large_message_is_sent_whole_to_a_slow_reader)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct vg_handle handle;
        const char *data = big_data();
        static char in[64 << 10];
        int fd[2];
        size_t got = 0;

        world_open(&world, workers);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        CHECK_EQ(VG_SPAWN(world.exec, &handle, sender, fd[0], data, (size_t)BIG), 0);
        while (got < BIG) {
            ssize_t len = recv(fd[1], in, 1 + got % sizeof in, 0);

            CHECK(len > 0);
            CHECK_EQ(memcmp(in, data + got, (size_t)len), 0);
            got += (size_t)len;
        }
        wait_until_done(&handle);
        CHECK_EQ(VG_TASK_RET(&handle, struct sender), BIG);
        vg_task_release(&handle);
        close(fd[0]);
        close(fd[1]);
        world_close(&world);
    }
}

TEST(a_cancelled_send_says_how_much_went_out)
{
    struct world world;
    struct vg_handle handle;
    const char *data = big_data();
    static char in[BIG];
    int fd[2];
    size_t got = 0;
    ssize_t len;

    world_open(&world, 2);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, sender, fd[0], data, (size_t)BIG), 0);
    CHECK_EQ(recv(fd[1], in, 1000, MSG_WAITALL), 1000);
    vg_task_cancel(&handle);
    wait_until_done(&handle);
    CHECK_EQ(VG_TASK_RET(&handle, struct sender), -ECANCELED);
    for (got = 1000; (len = recv(fd[1], in + got, BIG - got, MSG_DONTWAIT)) > 0;)
        got += (size_t)len;
    CHECK_EQ(((struct sender *)vg_task_frame(&handle))->send.sent, got);
    CHECK_EQ(memcmp(in, data, got), 0);
    vg_task_release(&handle);
    close(fd[0]);
    close(fd[1]);
    world_close(&world);
}

TEST(sending_nothing_is_done_at_once)
{
    struct world world;
    static struct vg_send_all send;

    world_open(&world, 1);
    CHECK_EQ(vg_block_on(world.exec, &vg_send_all(&send, -1, "", 0)->fut), 0);
    CHECK_EQ(send.ret, 0);
    CHECK_EQ(vg_block_on(world.exec, &vg_send_all(&send, -1, "x", 1)->fut), 0);
    CHECK_EQ(send.ret, -EBADF);
    CHECK_EQ(send.sent, 0);
    world_close(&world);
}
