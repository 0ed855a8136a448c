/* SPDX-License-Identifier: MIT */
/* Cancelling operations, on their own worker and from another, at every moment. */
#include "ring.h"

#include <errno.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "rig.h"
#include "vg_os.h"

static void cancel(struct rig *rig, struct rig_op *op)
{
    rig->ops->cancel(rig->driver, 0, &op->op);
}

TEST(a_cancelled_receive_takes_nothing_from_the_stream)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte = 0;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    rig_flush(&rig);
    cancel(&rig, &op);
    cancel(&rig, &op);
    CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 1);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 1);
    CHECK_EQ(byte, 'x');
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(an_operation_cancelled_before_it_was_passed_on_ends)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    cancel(&rig, &op);
    CHECK(!rig_ended(&op));
    CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_cancel_reaches_an_operation_of_a_worker_that_sleeps)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte;

    rig_open(&rig, 3, NULL);
    rig_socket_pair(fd);
    for (int i = 0; i < 200; i++) {
        unsigned worker = 1 + (unsigned)i % 2;

        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, worker, &op);
        cancel(&rig, &op);
        CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    }
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_cancel_storm_ends_every_operation_although_the_queue_is_small)
{
    enum { N = 3000 };
    static struct rig_op op[N];
    static char buf[N];
    const struct vg_uring_config small = {.sq_entries = 64, .cq_entries = 128};
    struct rig rig;
    int fd[2];

    rig_open(&rig, 1, &small);
    rig_socket_pair(fd);
    for (int i = 0; i < N; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
    }
    for (int i = 0; i < N; i++)
        cancel(&rig, &op[i]);
    rig_results(&rig, op, N);
    for (int i = 0; i < N; i++)
        CHECK_EQ(op[i].result, -ECANCELED);
    CHECK(rig_stats(&rig, 0).sq_full > 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

/* What has no place in the queue is cancelled without being passed on. */
static void cancel_while_it_waits(void (*ask)(struct vg_ring *ring, struct vg_op *op))
{
    struct rig rig;
    struct rig_op op[2];
    struct vg_ring *ring;
    int fd[2];
    char buf[2] = "";

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    CHECK_EQ(write(fd[1], "xy", 2), 2);
    for (struct io_uring_sqe *sqe; (sqe = io_uring_get_sqe(&ring->uring)) != NULL;) {
        io_uring_prep_nop(sqe);
        sqe->user_data = VG_TAG_CANCEL;
    }
    ring->stalled = true; /* as when the kernel has no memory for more */
    for (int i = 0; i < 2; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
        CHECK_EQ(vg_load(&op[i].op.state, relaxed), VG_OP_WAITING);
    }
    ask(ring, &op[0].op);
    CHECK(!rig_ended(&op[0]));
    rig_results(&rig, op, 2);
    CHECK_EQ(op[0].result, -ECANCELED);
    CHECK_EQ(op[1].result, 1);
    CHECK_EQ(buf[1], 'x');
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(an_operation_that_waits_for_room_can_be_cancelled)
{
    cancel_while_it_waits(vg_ring_cancel);
    cancel_while_it_waits(vg_ring_cancel_remote);
}

TEST(a_cancel_that_finds_no_room_is_passed_on_later)
{
    struct rig rig;
    struct rig_op op;
    struct vg_ring *ring;
    int fd[2];
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    rig_flush(&rig);
    for (struct io_uring_sqe *sqe; (sqe = io_uring_get_sqe(&ring->uring)) != NULL;) {
        io_uring_prep_nop(sqe);
        sqe->user_data = VG_TAG_CANCEL;
    }
    ring->stalled = true;
    cancel(&rig, &op);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    CHECK(rig.ops->ready(rig.driver, 0));
    CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 1);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_late_cancel_does_not_touch_the_memory_s_next_operation)
{
    struct rig rig;
    struct rig_op op;
    struct vg_ring *ring;
    struct io_uring_sqe *sqe;
    int fd[2];
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    for (int i = 0; i < 100; i++) {
        uint64_t old;

        CHECK_EQ(write(fd[1], "x", 1), 1);
        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, 0, &op);
        old = vg_ring_tag(&op.op);
        CHECK_EQ(rig_result(&rig, &op), 1);
        cancel(&rig, &op);

        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, 0, &op);
        rig_flush(&rig);
        /* What a cancel of the first would be, had it been under way all the time. */
        sqe = vg_ring_sqe(ring);
        io_uring_prep_cancel64(sqe, old, 0);
        sqe->user_data = VG_TAG_CANCEL;
        rig_flush(&rig);
        CHECK_EQ(rig_stats(&rig, 0).late_cancels, i + 1);
        CHECK(!rig_ended(&op));
        CHECK_EQ(write(fd[1], "y", 1), 1);
        CHECK_EQ(rig_result(&rig, &op), 1);
        CHECK_EQ(byte, 'y');
    }
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(stopping_a_worker_ends_what_is_in_flight_before_it_returns)
{
    enum { N = 200 };
    static struct rig_op op[N];
    static char buf[N];
    const struct vg_uring_config small = {.sq_entries = 16, .cq_entries = 32};
    struct rig rig;
    int fd[2];

    rig_open(&rig, 1, &small);
    rig_socket_pair(fd);
    for (int i = 0; i < N; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
        if (i % 3 == 0)
            cancel(&rig, &op[i]);
    }
    rig.ops->stop(rig.driver, 0);
    for (int i = 0; i < N; i++) {
        CHECK(rig_ended(&op[i]));
        CHECK_EQ(op[i].result, -ECANCELED);
    }
    /* Its inbox is closed: a cancel from elsewhere is harmless. */
    vg_ring_cancel_remote(vg_uring_ring(rig.driver, 0), &op[0].op);
    CHECK_EQ(rig_stats(&rig, 0).abandoned, 0);
    rig_close(&rig);
    close(fd[0]);
    close(fd[1]);
}

/* ---- races ---------------------------------------------------------------------------------- */

static uint32_t scramble(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void dawdle(uint32_t *random, uint32_t most)
{
    for (uint32_t i = scramble(random) % most; i > 0; i--)
        vg_pause();
}

struct writer {
    int fd;
    uint32_t total;
    VG_ATOMIC(uint32_t) turn; /* iteration that the reader has armed */
};

/* One byte for each iteration, somewhere near the cancel. */
static void *write_bytes(void *arg)
{
    struct writer *writer = (struct writer *)arg;
    uint32_t random = 88172645;

    for (uint32_t i = 1; i <= writer->total; i++) {
        unsigned char byte = (unsigned char)i;

        while (vg_load(&writer->turn, acquire) < i) /* pairs with the release of the reader */
            vg_os_yield();
        dawdle(&random, 2000);
        CHECK_EQ(write(writer->fd, &byte, 1), 1);
    }
    return NULL;
}

/* Takes what arrived, cancelled or not: each byte once and in order. */
static void note_byte(const struct rig_op *op, unsigned char byte, uint32_t *received)
{
    if (op->result == -ECANCELED)
        return;
    CHECK_EQ(op->result, 1);
    CHECK_EQ(byte, (unsigned char)++*received);
}

static void race_receives(unsigned worker, uint32_t total)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    struct writer writer = {.total = total};
    uint32_t received = 0, cancelled = 0, random = 2463534242;
    unsigned char byte;
    pthread_t thread;

    rig_open(&rig, worker + 1, NULL);
    rig_socket_pair(fd);
    writer.fd = fd[1];
    thread = rig_thread(write_bytes, &writer);
    for (uint32_t i = 1; i <= total; i++) {
        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, worker, &op);
        if (worker == 0)
            rig_flush(&rig);
        vg_store(&writer.turn, i, release); /* pairs with the acquire of the writer */
        dawdle(&random, 2000);
        cancel(&rig, &op);
        rig_results(&rig, &op, 1);
        cancelled += op.result == -ECANCELED;
        note_byte(&op, byte, &received);
    }
    while (received < total) {
        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, 0, &op);
        rig_results(&rig, &op, 1);
        note_byte(&op, byte, &received);
    }
    pthread_join(thread, NULL);
    /* Otherwise it was no race. */
    CHECK(cancelled > 0);
    CHECK(cancelled < total);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(no_byte_is_lost_when_a_receive_races_with_its_cancel)
{
    TEST_TIMEOUT(120);
    race_receives(0, test_long() ? 400000 : 20000);
}

TEST(no_byte_is_lost_when_a_receive_races_with_a_cancel_from_another_worker)
{
    TEST_TIMEOUT(120);
    race_receives(1, test_long() ? 200000 : 10000);
}

struct caller {
    char address[32];
    uint32_t total;
    VG_ATOMIC(uint32_t) turn;
};

static void *call_and_hang_up(void *arg)
{
    struct caller *caller = (struct caller *)arg;
    struct sockaddr_storage to;
    int len = vg_tcp_parse(caller->address, &to);
    uint32_t random = 521288629;

    for (uint32_t i = 1; i <= caller->total; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        /* With a reset: no port stays occupied. */
        struct linger linger = {.l_onoff = 1};

        CHECK(fd >= 0);
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
        while (vg_load(&caller->turn, acquire) < i) /* pairs with the release of the acceptor */
            vg_os_yield();
        dawdle(&random, 2000);
        CHECK_EQ(connect(fd, (struct sockaddr *)&to, (socklen_t)len), 0);
        close(fd);
    }
    return NULL;
}

TEST(no_connection_is_lost_when_an_accept_races_with_its_cancel)
{
    struct rig rig;
    struct rig_op op;
    struct caller caller = {.total = test_long() ? 60000 : 3000};
    uint32_t accepted = 0, random = 2463534242;
    int listener = rig_listen(caller.address);
    pthread_t thread;

    TEST_TIMEOUT(120);
    rig_open(&rig, 1, NULL);
    thread = rig_thread(call_and_hang_up, &caller);
    for (uint32_t i = 1; accepted < caller.total; i++) {
        rig_init(&op, VG_OP_ACCEPT, listener, NULL, 0);
        rig_submit(&rig, 0, &op);
        rig_flush(&rig);
        vg_store(&caller.turn, i, release); /* pairs with the acquire of the caller */
        dawdle(&random, 4000);
        if (i <= caller.total)
            cancel(&rig, &op);
        rig_results(&rig, &op, 1);
        if (op.result == -ECANCELED)
            continue;
        CHECK(op.result >= 0);
        close(op.result);
        accepted++;
    }
    pthread_join(thread, NULL);
    close(listener);
    rig_close(&rig);
}

/* ---- close ---------------------------------------------------------------------------------- */

static void close_under_receive(unsigned worker)
{
    struct rig rig;
    struct rig_op receive, op;
    int fd[2];
    char byte;

    rig_open(&rig, worker + 1, NULL);
    rig_tcp_pair(fd);
    rig_init(&receive, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, worker, &receive);
    if (worker == 0)
        rig_flush(&rig);
    else
        while (rig_stats(&rig, worker).parks < 2)
            vg_os_yield();
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
