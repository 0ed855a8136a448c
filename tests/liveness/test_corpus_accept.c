/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <sys/socket.h>

#include <vigil/io.h>
#include <vigil/notify.h>
#include <vigil/uring.h>

#include "answer.h"
#include "real_case.h"
#include "vg_spin.h"

/*
 * ring-cancel-race-loses-accept: connections that the kernel has accepted go to whoever waits for one. If that is cancelled
 * before it has taken the one that it was handed, somebody has to have it.
 */

enum { CLIENTS = 20 };

struct take;

/* What a listener has accepted: a resource of the test's own. */
struct backlog {
    struct vg_resource resource; /* first */
    struct vg_spin guard;
    bool loses;
    int listener;
    unsigned accepted, taken, granted;
    int ready[CLIENTS];
    unsigned readies;
    int lost[CLIENTS]; /* what nobody has, for the test to clean up */
    unsigned losses;
    struct take *waiting;
    struct vg_notifier news; /* one more was accepted */
};

struct take {
    struct vg_future fut;
    int ret; /* a connection, or -ECANCELED */
    int fd;  /* that it was handed; -1: none */
    struct backlog *backlog;
    struct vg_waiter waiter;
};

static vg_poll take_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct take *take = (struct take *)(void *)fut;
    struct backlog *backlog = take->backlog;
    bool ends = vg_cancelled(fut);

    vg_spin_lock(&backlog->guard);
    take->ret = -ECANCELED;
    if (!ends && take->fd >= 0) {
        backlog->granted--;
        take->ret = take->fd;
    } else if (!ends && backlog->readies > 0) {
        take->ret = backlog->ready[--backlog->readies];
    } else if (!ends && backlog->waiting != take) {
        backlog->waiting = take;
        vg_arm(&take->waiter, fut, cx);
    }
    if (take->ret >= 0) {
        backlog->taken++;
        ends = true;
    }
    vg_spin_unlock(&backlog->guard);
    if (ends)
        vg_disarm(&take->waiter, cx);
    return (vg_poll){ends};
}

static void take_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct take *take = (struct take *)(void *)fut;
    struct backlog *backlog = take->backlog;

    vg_spin_lock(&backlog->guard);
    if (backlog->waiting == take)
        backlog->waiting = NULL;
    if (take->fd >= 0) {
        backlog->granted--;
        if (backlog->loses)
            backlog->lost[backlog->losses++] = take->fd;
        else
            backlog->ready[backlog->readies++] = take->fd;
    }
    vg_spin_unlock(&backlog->guard);
    vg_kick(&take->waiter, cx);
}

static bool take_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct take *take = (const struct take *)(const void *)fut;

    *wait = (struct vg_wait){
        .resource = &take->backlog->resource,
        .want = 1,
        .state = take->fd < 0 ? VG_WAIT_QUEUED : VG_WAIT_GRANTED,
    };
    return true;
}

static const struct vg_ops take_ops = {
    .poll = take_poll,
    .cancel = take_cancel,
    .waits = take_waits,
    .name = "take",
    .size = sizeof(struct take),
    .kind = VG_KIND_LEAF,
    .is_held = true,
};

static struct take *take(struct take *f, struct backlog *backlog)
{
    vg_future_init(&f->fut, &take_ops);
    f->ret = 0;
    f->fd = -1;
    f->backlog = backlog;
    f->waiter.flags = 0;
    return f;
}

static bool backlog_state(struct vg_resource *resource, struct vg_resource_state *state)
{
    struct backlog *backlog = (struct backlog *)(void *)resource;

    vg_spin_lock(&backlog->guard);
    *state = (struct vg_resource_state){
        .total = backlog->accepted,
        .free = backlog->readies,
        .held = backlog->taken,
        .granted = backlog->granted,
    };
    vg_spin_unlock(&backlog->guard);
    return true;
}

static const struct vg_resource_ops backlog_ops = {.kind = "backlog", .state = backlog_state};

/* Accepts, and hands each connection to whoever waits. */
struct accepter {
    VG_FRAME(int);
    struct backlog *backlog;
    struct vg_io io;
};

static void hand_over(struct backlog *backlog, int fd)
{
    struct vg_notice notice = {NULL};

    vg_notify_one(&backlog->news);
    vg_spin_lock(&backlog->guard);
    backlog->accepted++;
    if (backlog->waiting != NULL) {
        backlog->waiting->fd = fd;
        backlog->granted++;
        notice = vg_wake(&backlog->waiting->waiter);
        backlog->waiting = NULL;
    } else {
        backlog->ready[backlog->readies++] = fd;
    }
    vg_spin_unlock(&backlog->guard);
    if (notice.task != NULL)
        vg_notify(notice);
}

VG_ASYNC(accepter)
{
    VG_BEGIN(f);
    for (;;) {
        VG_TRY(f->ret, vg_accept(&f->io, f->backlog->listener));
        hand_over(f->backlog, f->ret);
    }
}

static struct accepter *accepter(struct accepter *f, struct backlog *backlog)
{
    VG_SETUP(f, accepter);
    f->backlog = backlog;
    return f;
}

/* Serves, and looks up whenever there is news: then a wait for a connection is given up and begun anew. */
struct server {
    VG_FRAME(int);
    struct backlog *backlog;
    struct vg_exec *exec;
    int rc;
    VG_ARMS(2) sel;
    struct take take;
    struct vg_notified notified;
};

static int server_line;

VG_ASYNC(server)
{
    VG_BEGIN(f);
    for (;;) {
        take(&f->take, f->backlog);
        vg_notified(&f->notified, &f->backlog->news);
        server_line = __LINE__ + 1;
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_CANCEL(&f->take), VG_CANCEL(&f->notified)));
        if (f->rc < 0)
            VG_RETURN(f->rc);
        if (f->rc == 0)
            CHECK_EQ(VG_SPAWN(f->exec, NULL, answer, f->take.ret), 0);
    }
}

static struct server *server(struct server *f, struct backlog *backlog, struct vg_exec *exec)
{
    VG_SETUP(f, server);
    f->backlog = backlog;
    f->exec = exec;
    return f;
}

struct site {
    struct room room;
    struct vg_driver *driver;
    struct backlog backlog;
    struct vg_handle accepter, server;
    int client[CLIENTS];
};

static void site_open(struct site *site, bool loses)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;

    memset(site, 0, sizeof *site);
    watch.report = record;
    watch.arg = &site->room;
    watch.to_stderr = false;
    CHECK_EQ(vg_liveness_open(&site->room.live, &watch), 0);
    CHECK_EQ(vg_uring_open(&site->driver, NULL, NULL), 0);
    config.workers = 1;
    config.driver = site->driver;
    config.probe = vg_liveness_probe(site->room.live);
    CHECK_EQ(vg_exec_open(&site->room.exec, &config), 0);
    site->backlog.resource = (struct vg_resource){&backlog_ops, "port", NULL};
    site->backlog.loses = loses;
    vg_notifier_init(&site->backlog.news, "news");
    site->backlog.listener = vg_tcp_listen("127.0.0.1:0", CLIENTS);
    CHECK(site->backlog.listener >= 0);
    CHECK_EQ(VG_SPAWN(site->room.exec, &site->server, server, &site->backlog, site->room.exec), 0);
    CHECK_EQ(VG_SPAWN(site->room.exec, &site->accepter, accepter, &site->backlog), 0);
}

static void call_in(struct site *site)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    CHECK_EQ(getsockname(site->backlog.listener, (struct sockaddr *)&address, &size), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        site->client[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(site->client[i] >= 0);
        CHECK_EQ(connect(site->client[i], (struct sockaddr *)&address, sizeof address), 0);
        CHECK_EQ(send(site->client[i], "x", 1, 0), 1);
    }
}

static void site_close(struct site *site)
{
    vg_task_cancel(&site->accepter);
    vg_task_cancel(&site->server);
    vg_task_release(&site->accepter);
    vg_task_release(&site->server);
    for (unsigned i = 0; i < CLIENTS; i++)
        close(site->client[i]);
    CHECK_EQ(vg_exec_close(site->room.exec, VG_SEC(60)), 0);
    vg_notifier_fini(&site->backlog.news);
    vg_uring_close(site->driver);
    vg_liveness_close(site->room.live);
    close(site->backlog.listener);
    for (unsigned i = 0; i < site->backlog.losses; i++)
        close(site->backlog.lost[i]);
}

static unsigned accepted(struct site *site, struct vg_resource_state *state)
{
    CHECK(backlog_state(&site->backlog.resource, state));
    return (unsigned)state->total;
}

/* Waits for that many answers; nobody else is ever answered. */
static unsigned count_unanswered(struct site *site, unsigned answers)
{
    bool answered[CLIENTS] = {false};
    unsigned left = answers;
    char byte;

    for (unsigned i = 0; left > 0; i = (i + 1) % CLIENTS)
        if (!answered[i] && recv(site->client[i], &byte, 1, MSG_DONTWAIT) == 1) {
            answered[i] = true;
            left--;
        }
    for (unsigned i = 0; i < CLIENTS; i++)
        if (!answered[i])
            CHECK_EQ(recv(site->client[i], &byte, 1, MSG_DONTWAIT), -1);
    return CLIENTS - answers;
}

TEST(ring_cancel_race_loses_accept)
{
    const uint64_t since = vg_os_now();
    struct vg_resource_state state;
    static struct site site;
    uint64_t lost;
    char text[64], byte;

    site_open(&site, true);
    call_in(&site);
    while (accepted(&site, &state) < CLIENTS)
        usleep(1000);
    wait_for(&site.room.reports[VG_VERDICT_CANCEL_LOSS], 1);
    print_case("ring-cancel-race-loses-accept", &site.room, since);
    CHECK_EQ(total(&site.room), 1);
    CHECK_STR(site.room.seen[0].text, "backlog \"port\"");
    CHECK_STR(site.room.seen[0].text, "take in server at ");
    snprintf(text, sizeof text, ":%d", server_line);
    CHECK_STR(site.room.seen[0].text, text);
    (void)accepted(&site, &state);
    CHECK(site.backlog.losses > 0);
    lost = state.total - state.held - state.free - state.granted;
    CHECK_EQ(count_unanswered(&site, CLIENTS - (unsigned)lost), lost);
    site_close(&site);

    site_open(&site, false);
    call_in(&site);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_EQ(recv(site.client[i], &byte, 1, 0), 1);
    site_close(&site);
    check_silent(&site.room);
}
