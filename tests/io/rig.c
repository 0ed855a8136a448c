/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <vigil/tcp.h>

#include "counting_alloc.h"
#include "vg_os.h"

pthread_t rig_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, run, arg), 0);
    return thread;
}

static void take_mail(struct rig_worker *worker)
{
    struct rig *rig = worker->rig;
    /* Acquire pairs with the release in rig_submit. */
    struct vg_op *op = vg_xchg(&worker->mail, NULL, acq_rel);

    if (op == NULL)
        return;
    rig->ops->submit(rig->driver, worker->index, op);
    vg_fetch_add(&worker->submissions, 1, acq_rel); /* pairs with the acquire in rig_submit */
}

static void *work(void *arg)
{
    struct rig_worker *worker = (struct rig_worker *)arg;
    struct rig *rig = worker->rig;

    CHECK_EQ(rig->ops->start(rig->driver, worker->index), 0);
    vg_fetch_add(&rig->started, 1, acq_rel); /* pairs with the acquire in rig_open */
    /* Acquire pairs with the release in rig_close. */
    while (!vg_load(&rig->stop, acquire)) {
        take_mail(worker);
        rig->ops->park(rig->driver, worker->index, VG_NEVER);
    }
    rig->ops->stop(rig->driver, worker->index);
    return NULL;
}

static void start_workers(struct rig *rig)
{
    for (unsigned i = 1; i < rig->workers; i++) {
        rig->worker[i] = (struct rig_worker){.rig = rig, .index = i};
        rig->worker[i].thread = rig_thread(work, &rig->worker[i]);
    }
    while (vg_load(&rig->started, acquire) < rig->workers - 1) /* pairs with the add in work */
        vg_os_yield();
}

void rig_open(struct rig *rig, unsigned workers, const struct vg_uring_config *config)
{
    int rc;

    memset(rig, 0, sizeof *rig);
    rc = vg_uring_open(&rig->driver, config, &test_alloc);
    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    rig->ops = rig->driver->ops;
    rig->workers = workers;
    CHECK_EQ(rig->ops->open(rig->driver, workers), 0);
    CHECK_EQ(rig->ops->start(rig->driver, 0), 0);
    start_workers(rig);
}

void rig_close(struct rig *rig)
{
    vg_store(&rig->stop, 1, release); /* pairs with the acquire in work */
    for (unsigned i = 1; i < rig->workers; i++)
        rig->ops->unpark(rig->driver, i);
    for (unsigned i = 1; i < rig->workers; i++)
        CHECK_EQ(pthread_join(rig->worker[i].thread, NULL), 0);
    rig->ops->stop(rig->driver, 0);
    for (unsigned i = 0; i < rig->workers; i++) {
        CHECK_EQ(rig_stats(rig, i).abandoned, 0);
        CHECK_EQ(rig_stats(rig, i).inflight, 0);
    }
    rig->ops->close(rig->driver);
    vg_uring_close(rig->driver);
}

struct vg_uring_stats rig_stats(struct rig *rig, unsigned worker)
{
    struct vg_uring_stats stats;

    CHECK_EQ(vg_uring_stats(rig->driver, worker, &stats), 0);
    return stats;
}

static void done(struct vg_op *op, int32_t result)
{
    struct rig_op *rig_op = (struct rig_op *)(void *)op;

    rig_op->result = result;
    vg_fetch_add(&rig_op->ended, 1, acq_rel); /* pairs with the acquire in rig_ended */
}

void rig_init(struct rig_op *op, enum vg_op_code code, int fd, void *addr, size_t len)
{
    memset(op, 0, sizeof *op);
    op->op = (struct vg_op){
        .done = done,
        .addr = addr,
        .len = (uint32_t)len,
        .fd = fd,
        .code = (uint8_t)code,
    };
}

void rig_submit(struct rig *rig, unsigned worker, struct rig_op *op)
{
    struct rig_worker *other = &rig->worker[worker];
    const uint32_t before = vg_load(&other->submissions, relaxed);

    if (worker == 0) {
        rig->ops->submit(rig->driver, 0, &op->op);
        return;
    }
    vg_store(&other->mail, &op->op, release); /* pairs with take_mail */
    rig->ops->unpark(rig->driver, worker);
    while (vg_load(&other->submissions, acquire) == before) /* pairs with take_mail */
        vg_os_yield();
}

bool rig_ended(const struct rig_op *op)
{
    const uint32_t ended = vg_load(&op->ended, acquire); /* pairs with the add in done */

    CHECK(ended <= 1);
    return ended == 1;
}

int32_t rig_result(struct rig *rig, struct rig_op *op)
{
    rig_results(rig, op, 1);
    return op->result;
}

void rig_results(struct rig *rig, struct rig_op *ops, unsigned n)
{
    const uint64_t deadline = vg_os_now() + RIG_PATIENCE;

    for (unsigned i = 0; i < n; i++)
        while (!rig_ended(&ops[i])) {
            CHECK(vg_os_now() < deadline);
            rig->ops->park(rig->driver, 0, vg_os_now() + VG_MSEC(1));
        }
}

void rig_flush(struct rig *rig)
{
    rig->ops->turn(rig->driver, 0);
}

void rig_socket_pair(int fd[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

int rig_listen(char address[32])
{
    int fd = vg_tcp_listen("127.0.0.1:0", 128);

    CHECK(fd >= 0);
    snprintf(address, 32, "127.0.0.1:%d", vg_tcp_port(fd));
    return fd;
}

void rig_tcp_pair(int fd[2])
{
    char address[32];
    struct sockaddr_storage to;
    int listener = rig_listen(address), len = vg_tcp_parse(address, &to);

    fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd[0] >= 0);
    CHECK_EQ(connect(fd[0], (struct sockaddr *)&to, (socklen_t)len), 0);
    fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd[1] >= 0);
    close(listener);
}
