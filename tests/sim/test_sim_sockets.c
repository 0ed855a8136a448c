/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include <errno.h>
#include <sys/socket.h>

#include "harness.h"
#include "request.h"

/* What the simulated sockets promise, in operations made by hand. */

enum { CONNECTS = 12 };

static unsigned count_streams(struct sim *sim, const struct request *r, unsigned n)
{
    unsigned streams = 0;

    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(r[i].ends, 1);
        if (r[i].result < 0) {
            CHECK_EQ(r[i].result, -ECANCELED);
            continue;
        }
        streams++;
        CHECK_EQ(sim_close_fd(sim, r[i].result), 0);
    }
    return streams;
}

TEST(a_cancelled_accept_loses_no_connection)
{
    FOR_SEEDS (seed, 200) {
        struct sim sim;
        struct sockaddr_in to;
        int client[CONNECTS];
        struct request connect[CONNECTS] = {0}, accept[CONNECTS] = {0};
        sim_open(&sim, seed, 3);
        int listener = sim_listen(&sim, CONNECTS);
        sim_address(&sim, listener, &to);
        for (unsigned i = 0; i < CONNECTS; i++) {
            client[i] = sim_socket(&sim);
            submit(&sim, i % 3, &connect[i], VG_OP_CONNECT, client[i], &to, sizeof to);
            submit(&sim, (i + 1) % 3, &accept[i], VG_OP_ACCEPT, listener, NULL, 0);
        }
        for (unsigned i = 0; i < CONNECTS; i += 2) {
            turn_all(&sim);
            cancel(&sim, &accept[i]);
        }
        settle(&sim);
        unsigned waiting = sim_backlog(&sim, listener);
        unsigned in_flight = sim_in_flight(&sim);
        for (unsigned i = 0; i < CONNECTS; i++) {
            CHECK_EQ(connect[i].result, 0);
            cancel(&sim, &accept[i]);
        }
        settle(&sim);
        CHECK(waiting == 0 || in_flight == 0);
        CHECK_EQ(count_streams(&sim, accept, CONNECTS) + waiting, CONNECTS);
        for (unsigned i = 0; i < CONNECTS; i++)
            sim_close_fd(&sim, client[i]);
        sim_close_fd(&sim, listener);
        sim_close(&sim);
    }
}

TEST(a_connect_waits_for_room_in_the_backlog_and_fails_where_nobody_listens)
{
    FOR_SEEDS (seed, 50) {
        struct sim sim;
        struct sockaddr_in to;
        struct request connect[3] = {0}, accept = {0};
        int client[3];
        sim_open(&sim, seed, 1);
        int listener = sim_listen(&sim, 1);
        sim_address(&sim, listener, &to);
        for (int i = 0; i < 2; i++) {
            client[i] = sim_socket(&sim);
            submit(&sim, 0, &connect[i], VG_OP_CONNECT, client[i], &to, sizeof to);
        }
        settle(&sim);
        CHECK_EQ(connect[0].ends + connect[1].ends, 1);
        submit(&sim, 0, &accept, VG_OP_ACCEPT, listener, NULL, 0);
        settle(&sim);
        CHECK_EQ(connect[0].ends + connect[1].ends, 2);
        CHECK(accept.result >= SIM_FD_BASE);
        sim_close_fd(&sim, accept.result);
        sim_close_fd(&sim, listener);
        client[2] = sim_socket(&sim);
        submit(&sim, 0, &connect[2], VG_OP_CONNECT, client[2], &to, sizeof to);
        settle(&sim);
        CHECK_EQ(connect[2].result, -ECONNREFUSED);
        for (int i = 0; i < 3; i++)
            sim_close_fd(&sim, client[i]);
        sim_close(&sim);
    }
}

TEST(a_close_ends_what_is_in_flight_and_tells_the_far_end)
{
    FOR_SEEDS (seed, 50) {
        struct sim sim;
        int fd[2];
        char byte, far;
        struct request recv = {0}, close = {0}, accept = {0}, peer = {0};
        sim_open(&sim, seed, 2);
        sim_pair(&sim, fd);
        int listener = sim_listen(&sim, 1);
        submit(&sim, 0, &recv, VG_OP_RECV, fd[0], &byte, 1);
        submit(&sim, 0, &accept, VG_OP_ACCEPT, listener, NULL, 0);
        submit(&sim, 1, &peer, VG_OP_RECV, fd[1], &far, 1);
        settle(&sim);
        submit(&sim, 1, &close, VG_OP_CLOSE, fd[0], NULL, 0);
        settle(&sim);
        CHECK_EQ(close.result, 0);
        CHECK_EQ(recv.ends + peer.ends, 2);
        CHECK_EQ(recv.result, 0);
        CHECK_EQ(peer.result, 0);
        submit(&sim, 1, &close, VG_OP_CLOSE, listener, NULL, 0);
        settle(&sim);
        CHECK_EQ(accept.result, -EINVAL);
        sim_close_fd(&sim, fd[1]);
        sim_close(&sim);
    }
}

TEST(a_bare_close_hangs_up_only_when_the_recv_in_flight_has_ended)
{
    struct sim sim;
    int fd[2];
    char byte, far;
    struct request recv = {0}, peer = {0};
    sim_open(&sim, 7, 1);
    sim_pair(&sim, fd);
    submit(&sim, 0, &recv, VG_OP_RECV, fd[0], &byte, 1);
    submit(&sim, 0, &peer, VG_OP_RECV, fd[1], &far, 1);
    settle(&sim);
    sim_close_fd(&sim, fd[0]);
    settle(&sim);
    CHECK_EQ(recv.ends, 0);
    CHECK_EQ(peer.ends, 0);
    cancel(&sim, &recv);
    settle(&sim);
    CHECK_EQ(recv.result, -ECANCELED);
    CHECK_EQ(peer.ends, 1);
    CHECK_EQ(peer.result, 0);
    sim_close_fd(&sim, fd[1]);
    sim_close(&sim);
}

TEST(a_socket_of_the_kernel_can_be_connected_and_is_closed_with_its_stand_in)
{
    FOR_SEEDS (seed, 20) {
        struct sim sim;
        struct sockaddr_in to;
        struct request connect = {0}, accept = {0}, close = {0}, recv = {0};
        char in[4];
        sim_open(&sim, seed, 2);
        int listener = sim_listen(&sim, 1), client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sim_address(&sim, listener, &to);
        submit(&sim, 0, &connect, VG_OP_CONNECT, client, &to, sizeof to);
        submit(&sim, 1, &accept, VG_OP_ACCEPT, listener, NULL, 0);
        settle(&sim);
        CHECK_EQ(connect.result, 0);
        CHECK_EQ(sim_write(&sim, accept.result, "x", 1), 1);
        submit(&sim, 0, &recv, VG_OP_RECV, client, in, sizeof in);
        settle(&sim);
        CHECK_EQ(recv.result, 1);
        CHECK_EQ(in[0], 'x');
        submit(&sim, 0, &close, VG_OP_CLOSE, client, NULL, 0);
        settle(&sim);
        CHECK_EQ(close.result, 0);
        sim_close_fd(&sim, accept.result);
        sim_close_fd(&sim, listener);
        sim_close(&sim);
    }
}

TEST(a_shutdown_ends_a_recv_and_refuses_a_send)
{
    struct sim sim;
    int fd[2];
    char byte = 0, far;
    struct request recv = {0}, send = {0}, peer = {0}, shutdown = {.op.flags = SHUT_RDWR};
    sim_open(&sim, 3, 1);
    sim_pair(&sim, fd);
    submit(&sim, 0, &recv, VG_OP_RECV, fd[0], &byte, 1);
    submit(&sim, 0, &peer, VG_OP_RECV, fd[1], &far, 1);
    settle(&sim);
    submit(&sim, 0, &shutdown, VG_OP_SHUTDOWN, fd[0], NULL, 0);
    settle(&sim);
    CHECK_EQ(recv.ends + peer.ends, 2);
    CHECK_EQ(recv.result, 0);
    CHECK_EQ(peer.result, 0);
    submit(&sim, 0, &send, VG_OP_SEND, fd[0], &byte, 1);
    settle(&sim);
    CHECK_EQ(send.result, -EPIPE);
    sim_close_fd(&sim, fd[0]);
    sim_close_fd(&sim, fd[1]);
    sim_close(&sim);
}

TEST(a_reset_is_seen_once_by_both_ends_and_drops_what_was_under_way)
{
    struct sim sim;
    int fd[2];
    char byte = 0;
    struct request recv = {0}, send = {0};
    sim_open(&sim, 3, 2);
    sim_pair(&sim, fd);
    CHECK_EQ(sim_write(&sim, fd[0], "lost", 4), 4);
    sim_reset(&sim, fd[0]);
    submit(&sim, 0, &recv, VG_OP_RECV, fd[1], &byte, 1);
    submit(&sim, 1, &send, VG_OP_SEND, fd[0], &byte, 1);
    settle(&sim);
    CHECK_EQ(recv.result, -ECONNRESET);
    CHECK_EQ(send.result, -ECONNRESET);
    submit(&sim, 0, &recv, VG_OP_RECV, fd[1], &byte, 1);
    submit(&sim, 1, &send, VG_OP_SEND, fd[0], &byte, 1);
    settle(&sim);
    CHECK_EQ(recv.result, 0);
    CHECK_EQ(send.result, -EPIPE);
    CHECK_EQ(sim.stats.bytes_dropped, 4);
    sim_close_fd(&sim, fd[0]);
    sim_close_fd(&sim, fd[1]);
    sim_close(&sim);
}

TEST(injected_resets_and_failed_accepts_do_happen)
{
    unsigned resets = 0, refused = 0;
    FOR_SEEDS (seed, 100) {
        struct sim sim;
        int fd[2];
        char byte = 0;
        struct request send = {0}, accept = {0}, connect = {0};
        struct sockaddr_in to;
        sim_open(&sim, seed, 1);
        sim.faults.reset = 500;
        sim.faults.no_files = 500;
        sim_pair(&sim, fd);
        int listener = sim_listen(&sim, 1), client = sim_socket(&sim);
        sim_address(&sim, listener, &to);
        submit(&sim, 0, &send, VG_OP_SEND, fd[0], &byte, 1);
        submit(&sim, 0, &connect, VG_OP_CONNECT, client, &to, sizeof to);
        submit(&sim, 0, &accept, VG_OP_ACCEPT, listener, NULL, 0);
        settle(&sim);
        CHECK(send.result == 1 || send.result == -ECONNRESET);
        resets += send.result < 0;
        refused += accept.ends == 1 && accept.result == -EMFILE;
        if (accept.ends == 1 && accept.result >= 0)
            sim_close_fd(&sim, accept.result);
        cancel(&sim, &accept);
        settle(&sim);
        sim_close_fd(&sim, fd[0]);
        sim_close_fd(&sim, fd[1]);
        sim_close_fd(&sim, client);
        sim_close_fd(&sim, listener);
        sim_close(&sim);
    }
    CHECK(resets > 0);
    CHECK(refused > 0);
}
