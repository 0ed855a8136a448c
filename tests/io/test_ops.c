/* SPDX-License-Identifier: MIT */
/* What operations report, straight from the driver. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "rig.h"
#include "vg_os.h"

TEST(operations_end_with_the_results_of_their_system_calls)
{
    struct rig rig;
    struct rig_op accepted, connected, op;
    struct sockaddr_storage to;
    char address[32], buf[8];
    int listener = rig_listen(address), len = vg_tcp_parse(address, &to);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;

    rig_open(&rig, 1, NULL);
    rig_init(&accepted, VG_OP_ACCEPT, listener, NULL, 0);
    rig_init(&connected, VG_OP_CONNECT, client, &to, (size_t)len);
    rig_submit(&rig, 0, &accepted);
    rig_submit(&rig, 0, &connected);
    CHECK_EQ(rig_result(&rig, &connected), 0);
    server = rig_result(&rig, &accepted);
    CHECK((fcntl(server, F_GETFD) & FD_CLOEXEC) != 0);

    rig_init(&op, VG_OP_SEND, client, "hello", 5);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 5);
    rig_init(&op, VG_OP_RECV, server, buf, sizeof buf);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 5);
    CHECK_EQ(memcmp(buf, "hello", 5), 0);

    rig_init(&op, VG_OP_SHUTDOWN, client, NULL, 0);
    op.op.flags = SHUT_WR;
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 0);
    rig_init(&op, VG_OP_RECV, server, buf, sizeof buf);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 0);

    rig_init(&op, VG_OP_CLOSE, server, NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 0);
    rig_init(&op, VG_OP_CLOSE, server, NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), -EBADF);
    close(client);
    close(listener);
    rig_close(&rig);
}

TEST(a_send_into_a_full_buffer_reports_how_much_went_out)
{
    static char data[4 << 20];
    struct rig rig;
    struct rig_op op;
    int fd[2];
    int32_t sent;

    rig_open(&rig, 1, NULL);
    rig_tcp_pair(fd);
    rig_init(&op, VG_OP_SEND, fd[0], data, sizeof data);
    rig_submit(&rig, 0, &op);
    sent = rig_result(&rig, &op);
    CHECK(sent > 0);
    CHECK(sent < (int32_t)sizeof data);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_cancelled_send_of_everything_reports_what_went_out_and_not_the_cancel)
{
    static char data[16 << 20];
    struct rig rig;
    struct rig_op op;
    int fd[2];

    rig_open(&rig, 1, NULL);
    rig_tcp_pair(fd);
    rig_init(&op, VG_OP_SEND, fd[0], data, sizeof data);
    op.op.flags = MSG_WAITALL;
    rig_submit(&rig, 0, &op);
    rig_flush(&rig);
    CHECK(!rig_ended(&op));
    rig.ops->cancel(rig.driver, 0, &op.op);
    CHECK(rig_result(&rig, &op) > 0);
    CHECK(op.result < (int32_t)sizeof data);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_send_to_a_reader_that_is_gone_fails_without_a_signal)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];

    signal(SIGPIPE, SIG_DFL);
    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    close(fd[1]);
    rig_init(&op, VG_OP_SEND, fd[0], "x", 1);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), -EPIPE);
    close(fd[0]);
    rig_close(&rig);
}

static void close_under_receive(unsigned worker)
{
    struct rig rig;
    struct rig_op receive, send, op;
    int fd[2];
    char byte;

    rig_open(&rig, worker + 1, NULL);
    rig_tcp_pair(fd);
    rig_init(&receive, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, worker, &receive);
    /* A ring passes operations on in order: once the later one has ended, the kernel has the receive. */
    rig_init(&send, VG_OP_SEND, fd[0], "x", 1);
    rig_submit(&rig, worker, &send);
    CHECK_EQ(rig_result(&rig, &send), 1);
    CHECK_EQ(recv(fd[1], &byte, 1, 0), 1);
    rig_init(&op, VG_OP_CLOSE, fd[0], NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 0);
    /* The peer is told, although the kernel would keep the socket for the receive. */
    CHECK_EQ(recv(fd[1], &byte, 1, 0), 0);
    CHECK_EQ(rig_result(&rig, &receive), 0);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_close_ends_a_receive_in_flight_and_the_peer_sees_the_end)
{
    close_under_receive(0);
}

TEST(a_close_ends_a_receive_in_flight_on_another_worker)
{
    close_under_receive(1);
}

TEST(a_send_submitted_before_a_close_goes_out_first)
{
    struct rig rig;
    struct rig_op send, op;
    int fd[2];
    char buf[8];

    rig_open(&rig, 1, NULL);
    rig_tcp_pair(fd);
    rig_init(&send, VG_OP_SEND, fd[0], "last", 4);
    rig_init(&op, VG_OP_CLOSE, fd[0], NULL, 0);
    rig_submit(&rig, 0, &send);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &send), 4);
    CHECK_EQ(rig_result(&rig, &op), 0);
    CHECK_EQ(recv(fd[1], buf, sizeof buf, MSG_WAITALL), 4);
    close(fd[1]);
    rig_close(&rig);
}
