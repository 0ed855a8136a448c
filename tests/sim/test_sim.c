/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include <errno.h>
#include <sys/socket.h>

#include "harness.h"
#include "request.h"

/* The driver table by itself: operations made by hand, turned by hand, no executor. */

TEST(bytes_arrive_once_and_in_order_however_they_are_cut)
{
    FOR_SEEDS (seed, 200) {
        struct sim sim;
        int fd[2];
        uint8_t in[300], out[300];
        uint32_t got = 0, sent = 0;
        struct request recv = {0}, send = {0};
        sim_open(&sim, seed, 2);
        sim_pair(&sim, fd);
        for (unsigned i = 0; i < sizeof out; i++)
            out[i] = (uint8_t)sim_below(&sim, 256);
        for (int round = 0; round < 2000 && got < sizeof out; round++) {
            if (sent < sizeof out && !sim_in_flight(&sim)) {
                submit(&sim, 0, &send, VG_OP_SEND, fd[0], out + sent, (uint32_t)sizeof out - sent);
                submit(&sim, 1, &recv, VG_OP_RECV, fd[1], in + got, (uint32_t)sizeof in - got);
            } else if (!sim_in_flight(&sim)) {
                submit(&sim, 1, &recv, VG_OP_RECV, fd[1], in + got, (uint32_t)sizeof in - got);
            }
            settle(&sim);
            CHECK_EQ(recv.ends, 1);
            CHECK_EQ(send.ends, 1);
            CHECK(recv.result > 0);
            if (sent < sizeof out)
                sent += (uint32_t)send.result;
            got += (uint32_t)recv.result;
        }
        CHECK_EQ(got, sizeof out);
        CHECK(memcmp(in, out, sizeof out) == 0);
        sim_close_fd(&sim, fd[0]);
        sim_close_fd(&sim, fd[1]);
        sim_close(&sim);
    }
}

TEST(a_cancelled_recv_takes_its_bytes_or_leaves_them_all)
{
    unsigned took = 0, left = 0;
    TEST_TIMEOUT(60);
    FOR_SEEDS (seed, 400) {
        struct sim sim;
        int fd[2];
        char in[8] = "";
        struct request recv = {0};
        sim_open(&sim, seed, 2);
        sim.faults.short_io = 0;
        sim_pair(&sim, fd);
        submit(&sim, 1, &recv, VG_OP_RECV, fd[1], in, sizeof in);
        turn_all(&sim);
        cancel(&sim, &recv);
        cancel(&sim, &recv);
        CHECK_EQ(sim_write(&sim, fd[0], "bytes", 5), 5);
        settle(&sim);
        CHECK_EQ(recv.ends, 1);
        if (recv.result == -ECANCELED) {
            left++;
            CHECK_EQ(sim_unread(&sim, fd[1]), 5);
            CHECK_EQ(in[0], 0);
        } else {
            took++;
            CHECK_EQ(recv.result, 5);
            CHECK(memcmp(in, "bytes", 5) == 0);
            CHECK_EQ(sim_unread(&sim, fd[1]), 0);
        }
        sim_close_fd(&sim, fd[0]);
        sim_close_fd(&sim, fd[1]);
        sim_close(&sim);
    }
    CHECK(took + left < 100 || (took > 0 && left > 0));
}

TEST(a_cancel_ends_an_operation_that_nothing_else_would_end)
{
    FOR_SEEDS (seed, 100) {
        struct sim sim;
        int fd[2], listener;
        char byte;
        struct request recv = {0}, accept = {0};
        sim_open(&sim, seed, 2);
        sim_pair(&sim, fd);
        listener = sim_listen(&sim, 4);
        submit(&sim, 0, &recv, VG_OP_RECV, fd[0], &byte, 1);
        submit(&sim, 1, &accept, VG_OP_ACCEPT, listener, NULL, 0);
        settle(&sim);
        CHECK_EQ(sim_in_flight(&sim), 2);
        cancel(&sim, &recv);
        cancel(&sim, &accept);
        settle(&sim);
        CHECK_EQ(recv.result, -ECANCELED);
        CHECK_EQ(accept.result, -ECANCELED);
        CHECK_EQ(sim.stats.cancelled, 2);
        sim_close_fd(&sim, fd[0]);
        sim_close_fd(&sim, fd[1]);
        sim_close_fd(&sim, listener);
        sim_close(&sim);
    }
}

TEST(a_transfer_of_everything_that_is_cancelled_says_how_much_has_moved)
{
    unsigned partial = 0;
    FOR_SEEDS (seed, 100) {
        struct sim sim;
        int fd[2];
        static uint8_t out[1000];
        struct request send = {.op.flags = MSG_WAITALL};
        sim_open(&sim, seed, 1);
        sim.limits.stream_bytes = 100;
        sim_pair(&sim, fd);
        submit(&sim, 0, &send, VG_OP_SEND, fd[0], out, sizeof out);
        settle(&sim);
        CHECK_EQ(send.ends, 0);
        CHECK_EQ(sim_unread(&sim, fd[1]), 100);
        cancel(&sim, &send);
        settle(&sim);
        CHECK_EQ(send.result, 100);
        partial++;
        sim_close_fd(&sim, fd[0]);
        sim_close_fd(&sim, fd[1]);
        sim_close(&sim);
    }
    CHECK(partial > 0);
}

enum { MANY = 100 };

/* Returns the hash of a run with many operations. */
static uint64_t many_operations(uint64_t seed, unsigned *reordered)
{
    struct sim sim;
    int fd[MANY][2];
    static char in[MANY][16];
    struct request recv[MANY] = {0};

    sim_open(&sim, seed, 4);
    sim.limits.submissions = 3;
    sim.limits.completions = 2;
    for (unsigned i = 0; i < MANY; i++) {
        sim_pair(&sim, fd[i]);
        submit(&sim, i % 4, &recv[i], VG_OP_RECV, fd[i][0], in[i], sizeof in[i]);
        CHECK_EQ(sim_write(&sim, fd[i][1], "abc", 3), 3);
    }
    settle(&sim);
    for (unsigned i = 0; i < MANY; i++) {
        CHECK_EQ(recv[i].ends, 1);
        CHECK(recv[i].result >= 1);
        sim_close_fd(&sim, fd[i][0]);
        sim_close_fd(&sim, fd[i][1]);
    }
    *reordered += sim.stats.reordered > 0;
    sim_close(&sim);
    return sim_hash(&sim);
}

TEST(operations_beyond_the_queue_wait_for_the_next_turn_and_none_is_lost)
{
    unsigned reordered = 0, seeds = 0;
    FOR_SEEDS (seed, 50) {
        many_operations(seed, &reordered);
        seeds++;
    }
    CHECK(reordered > 0 || seeds < 20);
}

TEST(the_same_seed_gives_the_same_run)
{
    uint64_t previous = 0;
    unsigned reordered = 0;
    FOR_SEEDS (seed, 50) {
        uint64_t hash = many_operations(seed, &reordered);
        CHECK_EQ(many_operations(seed, &reordered), hash);
        CHECK(hash != previous);
        previous = hash;
    }
}

/* The simulator's own checks must bite. */

static void one_recv(struct sim *sim, struct request *r, char *buf, uint32_t len, int fd[2])
{
    sim_open(sim, 5, 1);
    sim_pair(sim, fd);
    submit(sim, 0, r, VG_OP_RECV, fd[0], buf, len);
    turn_all(sim);
}

TEST(a_buffer_that_is_written_to_while_it_is_lent_fails_the_test)
{
    struct sim sim;
    struct request recv = {0};
    char buf[4] = "";
    int fd[2];
    one_recv(&sim, &recv, buf, sizeof buf, fd);
    CHECK_PANICS("written to in flight", buf[2] = 1; sim_write(&sim, fd[1], "x", 1); settle(&sim));
    CHECK_PANICS("is in flight", submit(&sim, 0, &recv, VG_OP_RECV, fd[0], buf, 1));
    sim_write(&sim, fd[1], "x", 1);
    settle(&sim);
    CHECK_EQ(recv.result, 1);
    sim_close_fd(&sim, fd[0]);
    sim_close_fd(&sim, fd[1]);
    sim_close(&sim);
}

TEST(what_is_left_at_the_end_fails_the_test)
{
    struct sim sim;
    struct request recv = {0};
    char byte;
    int fd[2];
    one_recv(&sim, &recv, &byte, 1, fd);
    CHECK_PANICS("in_flight", sim_close(&sim));
    cancel(&sim, &recv);
    settle(&sim);
    CHECK_PANICS("open_fds", sim_close(&sim));
    sim_close_fd(&sim, fd[0]);
    sim_close_fd(&sim, fd[1]);
    CHECK_PANICS("bad_fds", submit(&sim, 0, &recv, VG_OP_RECV, fd[0], &byte, 1); settle(&sim);
                 CHECK_EQ(recv.result, -EBADF); sim_close(&sim));
    sim_close(&sim);
}

TEST(a_worker_that_stops_reports_what_it_had_in_flight)
{
    FOR_SEEDS (seed, 50) {
        struct sim sim;
        int fd[2];
        char in[2][4];
        struct request recv = {0}, unissued = {0}, other = {0};
        sim_open(&sim, seed, 2);
        sim_pair(&sim, fd);
        submit(&sim, 0, &recv, VG_OP_RECV, fd[0], in[0], 4);
        submit(&sim, 1, &other, VG_OP_CLOSE, fd[1], NULL, 0);
        sim.driver.ops->turn(&sim.driver, 0);
        submit(&sim, 0, &unissued, VG_OP_RECV, fd[0], in[1], 4);
        sim.driver.ops->stop(&sim.driver, 0);
        CHECK_EQ(recv.result, -ECANCELED);
        CHECK_EQ(unissued.result, -ECANCELED);
        CHECK_EQ(other.ends, 0);
        sim.driver.ops->stop(&sim.driver, 1);
        CHECK_EQ(other.result, 0);
        sim_close_fd(&sim, fd[0]);
        sim_close(&sim);
    }
}
