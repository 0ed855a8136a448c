/* SPDX-License-Identifier: MIT */
/* Operations that end while they are cancelled: nothing is lost. */
#include <errno.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "rig.h"
#include "vg_os.h"

static void cancel(struct rig *rig, struct rig_op *op)
{
    rig->ops->cancel(rig->driver, 0, &op->op);
}

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
    VG_ATOMIC(uint32_t) turn, accepted;
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
        /* A reset that overtakes the end of the handshake would leave nothing to be accepted. */
        while (vg_load(&caller->accepted, acquire) < i) /* pairs with the release of the acceptor */
            vg_os_yield();
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
        vg_store(&caller.accepted, ++accepted, release); /* pairs with the acquire of the caller */
    }
    pthread_join(thread, NULL);
    close(listener);
    rig_close(&rig);
}
