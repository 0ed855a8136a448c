/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <vigil/io.h>
#include <vigil/uring.h>

#include "answer.h"
#include "real_case.h"

/* Cases of the corpus that have to do with connections. */

/* ---- accept-loop-forgets-conns, with sockets ---------------------------------------------------------- */

/* Begins to serve the first connection, and then awaits the listener alone. */
struct acceptor {
    VG_FRAME(int);
    int listener;
    bool keeps;
    int rc;
    VG_ARMS(2) sel;
    struct vg_io io;
    struct vg_sleep nap;
    struct answer answer;
};

VG_ASYNC(acceptor)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_accept(&f->io, f->listener));
    CHECK(f->rc >= 0);
    answer(&f->answer, f->rc);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, f->keeps ? VG_KEEP(&f->answer) : VG_PARK(&f->answer),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_accept(&f->io, f->listener));
    VG_AWAIT_CANCEL(f->ret, &f->answer);
    if (f->rc >= 0)
        VG_AWAIT_SHIELDED(f->rc, vg_close(&f->io, f->rc));
    VG_RETURN(0);
}

static struct acceptor *acceptor(struct acceptor *f, int listener, bool keeps)
{
    VG_SETUP(f, acceptor);
    f->listener = listener;
    f->keeps = keeps;
    return f;
}

static int connect_to(int listener)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

struct net {
    struct room room;
    struct vg_driver *driver;
    int listener;
    struct vg_handle acceptor;
};

static void net_open(struct net *net, bool keeps)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;

    memset(&net->room, 0, sizeof net->room);
    watch.report = record;
    watch.arg = &net->room;
    watch.to_stderr = false;
    CHECK_EQ(vg_liveness_open(&net->room.live, &watch), 0);
    CHECK_EQ(vg_uring_open(&net->driver, NULL, NULL), 0);
    config.workers = 1;
    config.driver = net->driver;
    config.probe = vg_liveness_probe(net->room.live);
    CHECK_EQ(vg_exec_open(&net->room.exec, &config), 0);
    net->listener = vg_tcp_listen("127.0.0.1:0", 16);
    CHECK(net->listener >= 0);
    CHECK_EQ(VG_SPAWN(net->room.exec, &net->acceptor, acceptor, net->listener, keeps), 0);
}

static void net_close(struct net *net)
{
    vg_task_cancel(&net->acceptor);
    vg_task_release(&net->acceptor);
    CHECK_EQ(vg_exec_close(net->room.exec, VG_SEC(60)), 0);
    vg_uring_close(net->driver);
    vg_liveness_close(net->room.live);
    close(net->listener);
}

TEST(accept_loop_forgets_conns)
{
    uint64_t since = vg_os_now();
    struct net net;
    char byte = 'x';
    int fd;

    net_open(&net, false);
    fd = connect_to(net.listener);
    usleep(50000);
    CHECK_EQ(send(fd, &byte, 1, 0), 1);
    wait_for(&net.room.reports[VG_VERDICT_SNOOZED_CHILD], 1);
    print_case("accept-loop-forgets-conns", &net.room, since);
    CHECK_STR(net.room.seen[0].text, "in answer at ");
    CHECK_STR(net.room.seen[0].text, "\"acceptor\"");
    CHECK_EQ(total(&net.room), 1);
    close(fd);
    net_close(&net);

    net_open(&net, true);
    fd = connect_to(net.listener);
    usleep(50000);
    CHECK_EQ(send(fd, &byte, 1, 0), 1);
    CHECK_EQ(recv(fd, &byte, 1, 0), 1); /* it is answered */
    usleep(200000);
    check_silent(&net.room);
    close(fd);
    net_close(&net);
}
