/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>
#include <vigil/stream.h>

#include "corpus.h"

/* Children that nobody polls while their task does something else. */

/* Sleeps, and is then ready to go on. */
struct first {
    VG_FRAME(int);
    uint64_t ms;
    struct vg_sleep nap;
};

VG_ASYNC(first)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->ms)));
    VG_RETURN(f->ret);
}

static struct first *first(struct first *f, uint64_t ms)
{
    VG_SETUP(f, first);
    f->ms = ms;
    return f;
}

/* ---- select-loop-arm-sleeps: the body of one arm sleeps over the other ----------------------- */

struct arms {
    VG_FRAME(int);
    unsigned twin;
    bool done1, done2;
    int rc;
    VG_ARMS(2) sel;
    VG_CHILDREN(2) join;
    struct first f1, f2;
    struct vg_sleep nap;
};

static int arms_body_line;

static struct vg_arm arm1(struct arms *f)
{
    return f->twin == 3 ? VG_KEEP(&f->f1) : VG_PARK(&f->f1);
}

VG_ASYNC(arms)
{
    VG_BEGIN(f);
    while (!f->done1 || !f->done2) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_WHEN(!f->done1, arm1(f)),
                                  VG_WHEN(!f->done2, VG_PARK(&f->f2))));
        if (f->rc == 0) {
            f->done1 = true;
            continue;
        }
        f->done2 = true;
        vg_sleep(&f->nap, VG_MSEC(1000));
        if (f->twin == 1) {
            VG_AWAIT(f->rc, VG_JOIN(f->join, &f->f1, &f->nap));
            f->done1 = true;
        } else {
            arms_body_line = __LINE__ + 1;
            VG_AWAIT(f->rc, &f->nap);
        }
    }
    VG_RETURN(0);
}

static int play_arms(struct lab *lab, unsigned twin)
{
    static struct arms f;

    VG_SETUP(&f, arms);
    f.twin = twin;
    f.done1 = f.done2 = false;
    first(&f.f1, twin == 2 ? 1500 : 300);
    first(&f.f2, 100);
    return PLAY(lab, &f);
}

/* ---- buffered-body-slow: what a hand-made buffer has in flight freezes while an item is worked on */

struct buffer {
    VG_FRAME(int);
    bool taken[3];
    int rc, left;
    uint64_t work;
    VG_ARMS(3) sel;
    struct first item[3];
    struct vg_sleep nap;
};

static int buffer_body_line;

VG_ASYNC(buffer)
{
    VG_BEGIN(f);
    while (f->left > 0) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_WHEN(!f->taken[0], VG_PARK(&f->item[0])),
                                  VG_WHEN(!f->taken[1], VG_PARK(&f->item[1])),
                                  VG_WHEN(!f->taken[2], VG_PARK(&f->item[2]))));
        f->taken[f->rc] = true;
        f->left--;
        buffer_body_line = __LINE__ + 1;
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->work)));
    }
    VG_RETURN(0);
}

/* The same with the library's stream, which goes on with all of them. */
struct in_flight {
    struct vg_stream_slot slot; /* first */
    struct vg_sleep nap;
};

struct streamed {
    VG_FRAME(int);
    unsigned next;
    int rc;
    struct vg_iter iter;
    struct vg_buffered buffered;
    struct in_flight fetch[3];
    struct vg_stream *stream;
    struct vg_sleep nap;
};

static void *next_item(void *arg)
{
    struct streamed *f = (struct streamed *)arg;

    return f->next < 3 ? (f->next++, &f->next) : NULL;
}

static struct vg_future *begin_fetch(void *arg, void *item, struct vg_stream_slot *slot)
{
    struct in_flight *fetch = (struct in_flight *)(void *)slot;

    (void)arg;
    return &vg_sleep(&fetch->nap, VG_MSEC(20 + 30 * (*(unsigned *)item - 1)))->fut;
}

VG_ASYNC(streamed)
{
    VG_BEGIN(f);
    int slept;

    f->stream =
        vg_buffered(&f->buffered, vg_stream_iter(&f->iter, next_item, f), f->fetch, begin_fetch, f);
    VG_EACH (f->rc, f->stream) {
        VG_AWAIT(slept, vg_sleep(&f->nap, VG_MSEC(2000)));
        if (slept < 0)
            break;
    }
    VG_STREAM_CLOSE(slept, f->stream);
    VG_RETURN(f->rc);
}

static int play_streamed(struct lab *lab)
{
    static struct streamed f;

    VG_SETUP(&f, streamed);
    f.next = 0;
    return PLAY(lab, &f);
}

static int play_buffer(struct lab *lab, unsigned twin)
{
    static struct buffer f;

    if (twin == 2)
        return play_streamed(lab);
    VG_SETUP(&f, buffer);
    f.left = 3;
    f.work = twin == 1 ? 30 : 2000;
    for (unsigned i = 0; i < 3; i++) {
        f.taken[i] = false;
        first(&f.item[i], 20 + 30 * i);
    }
    return PLAY(lab, &f);
}

/* ---- accept-loop-forgets-conns: connections are begun, and then only the listener is awaited ------ */

struct serve {
    VG_FRAME(int);
    struct vg_mpsc *connection;
    uint32_t request;
    struct vg_receive recv;
};

static int serve_line;

VG_ASYNC(serve)
{
    VG_BEGIN(f);
    serve_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, f->connection, &f->request));
    VG_RETURN(f->ret);
}

struct server {
    VG_FRAME(int);
    struct vg_mpsc listener, connection;
    uint32_t slot[2], accepted;
    bool keeps;
    int rc;
    VG_ARMS(2) sel;
    struct serve serve;
    struct vg_sleep nap;
    struct vg_receive accept;
};

static int server_accept_line;

VG_ASYNC(server)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, f->keeps ? VG_KEEP(&f->serve) : VG_PARK(&f->serve),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    server_accept_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_mpsc_recv(&f->accept, &f->listener, &f->accepted));
    VG_AWAIT_CANCEL(f->rc, &f->serve);
    VG_RETURN(f->ret);
}

struct client {
    VG_FRAME(int);
    struct server *server;
    struct vg_sleep nap;
};

VG_ASYNC(client)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(50)));
    CHECK_EQ(vg_mpsc_try_send(&f->server->connection, &f->server->accepted), 0);
    VG_RETURN(0);
}

static struct client *client(struct client *f, struct server *server)
{
    VG_SETUP(f, client);
    f->server = server;
    return f;
}

static int play_server(struct lab *lab, unsigned twin)
{
    static struct server f;

    VG_SETUP(&f, server);
    f.keeps = twin == 1;
    vg_mpsc_init(&f.listener, "listener", &f.slot[0], 1);
    vg_mpsc_init(&f.connection, "connection", &f.slot[1], 1);
    VG_SETUP(&f.serve, serve);
    f.serve.connection = &f.connection;
    if (twin != 2) /* 2: no client ever sends */
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, client, &f), 0);
    return PLAY(lab, &f);
}

const struct corpus_case corpus_children[] = {
    {
        .id = "select-loop-arm-sleeps",
        .verdict = VG_VERDICT_SNOOZED_CHILD,
        .decisive = 300,
        .due = 110,
        .play = play_arms,
        .twins = 3,
        .names = {"sleep in first", "task", "\"arms\"", "VG_SELECT"},
        .lines = {&arms_body_line},
    },
    {
        .id = "buffered-body-slow",
        .verdict = VG_VERDICT_SNOOZED_CHILD,
        .decisive = 50,
        .due = 110,
        .play = play_buffer,
        .twins = 2,
        .names = {"sleep in first", "\"buffer\""},
        .lines = {&buffer_body_line},
    },
    {
        .id = "accept-loop-forgets-conns",
        .verdict = VG_VERDICT_SNOOZED_CHILD,
        .decisive = 50,
        .due = 110,
        .play = play_server,
        .twins = 2,
        .names = {"vg_receive in serve", "\"server\""},
        .lines = {&serve_line, &server_accept_line},
    },
    {.id = NULL},
};
