/* SPDX-License-Identifier: MIT */
/*
 * Leaves that look again when they are woken: broadcast channels, watches, cancellation tokens. No wake is lost, and
 * whoever has got what it waited for may free its future, and what the headers say, under the hands of the waker.
 */
#include <errno.h>

#include <vigil/broadcast.h>
#include <vigil/token.h>
#include <vigil/watch.h>

#include "world.h"

enum kind { BROADCAST, WATCH, TOKEN };

static struct world_task tasks[2];
static struct vg_broadcast channel;
static struct vg_watch watch;
static struct vg_token root, child;
static uint64_t slots[2], watched;
static bool child_ended;

/* Waits once, below an opaque future. */
struct looker {
    struct vg_future fut;
    union {
        struct vg_future any;
        struct vg_broadcast_recv recv;
        struct vg_watch_changed changed;
        struct vg_token_wait wait;
    } on;
    enum kind kind;
    struct vg_subscription subscription;
    uint64_t seen, value;
    struct world_event event;
    bool cancels;  /* when its event has happened */
    bool spurious; /* is polled then, without need */
    bool ended;
    int ret;
};

static struct looker lookers[2];

static int result(const struct looker *l)
{
    if (l->kind == BROADCAST)
        return l->on.recv.ret;
    return l->kind == WATCH ? l->on.changed.ret : l->on.wait.ret;
}

/* Nothing of the future may be touched any more, by anybody; nor of the child token. */
static void end(struct looker *l)
{
    l->ret = result(l);
    l->ended = true;
    mc_free(&l->on, sizeof l->on);
    if (l->kind == TOKEN && l->ret == 0) {
        MC_ASSERT(vg_token_cancelled(&child));
        vg_token_fini(&child);
        mc_free(&child, sizeof child);
        child_ended = true;
    }
}

static vg_poll looker_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct looker *l = (struct looker *)(void *)fut;
    bool happened = !(l->cancels || l->spurious) || vg_poll_future(&l->event.fut, cx).ready;

    if (!l->ended && l->cancels && happened)
        vg_cancel(&l->on.any, cx);
    if (!l->ended && vg_poll_future(&l->on.any, cx).ready)
        end(l);
    return (vg_poll){l->ended && happened};
}

static const struct vg_ops looker_ops = {
    .poll = looker_poll, .name = "looker", .size = sizeof(struct looker), .kind = VG_KIND_OPAQUE};

static void init_looker(int i, struct looker looker)
{
    struct looker *l = &lookers[i];

    *l = looker;
    vg_future_init(&l->fut, &looker_ops);
    if (l->kind == BROADCAST) {
        vg_broadcast_subscribe(&l->subscription, &channel);
        vg_broadcast_recv(&l->on.recv, &l->subscription, &l->value);
    } else if (l->kind == WATCH) {
        l->seen = 1;
        vg_watch_changed(&l->on.changed, &watch, &l->seen, &l->value);
    } else {
        vg_token_wait(&l->on.wait, &child);
    }
    world_event(&l->event);
    world_spawn(&tasks[i], &l->fut);
}

static void init(void)
{
    world_init();
    vg_broadcast_init_at(&channel, "channel", slots, sizeof *slots, 2, NULL);
    vg_watch_init_at(&watch, "watch", &watched, sizeof watched, NULL);
    vg_token_init_at(&root, "root", NULL, NULL);
    vg_token_init_at(&child, "child", &root, NULL);
    child_ended = false;
}

static void make_news(enum kind kind)
{
    uint64_t value = 3;

    if (kind == BROADCAST)
        MC_ASSERT(vg_broadcast_send(&channel, &value) == 0);
    else if (kind == WATCH)
        MC_ASSERT(vg_watch_set(&watch, &value) == 0);
    else
        vg_token_cancel(&root);
}

static void check_end(void)
{
    MC_ASSERT(channel.receivers.length == 0 && watch.readers.length == 0);
    if (!child_ended)
        vg_token_fini(&child);
    vg_token_fini(&root);
}

/* ---- 1: two wait for the same --------------------------------------------------------------- */

static void init_broadcast(void)
{
    init();
    init_looker(0, (struct looker){.kind = BROADCAST});
    init_looker(1, (struct looker){.kind = BROADCAST});
}

static void init_watch(void)
{
    init();
    init_looker(0, (struct looker){.kind = WATCH});
    init_looker(1, (struct looker){.kind = WATCH});
}

static void two(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        make_news(lookers[0].kind);
}

static void both_saw(void)
{
    for (int i = 0; i < 2; i++) {
        MC_ASSERT(tasks[i].over && lookers[i].ret == 0);
        MC_ASSERT(lookers[i].value == 3);
    }
    check_end();
}
MC_MODEL(look_broadcast, .threads = 3, .init = init_broadcast, .thread = two, .final = both_saw);
MC_MODEL(look_watch, .threads = 3, .init = init_watch, .thread = two, .final = both_saw);

/* ---- 2: one is polled without need, or cancelled, meanwhile ------------------------------------ */

static void init_spurious(void)
{
    init();
    init_looker(0, (struct looker){.kind = BROADCAST, .spurious = true});
}

static void init_cancelled(void)
{
    init();
    init_looker(0, (struct looker){.kind = WATCH, .cancels = true});
}

static void disturbed(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        make_news(lookers[0].kind);
    else
        world_happen(&lookers[0].event);
}

static void saw_or_cancelled(void)
{
    struct looker *l = &lookers[0];

    MC_ASSERT(tasks[0].over);
    MC_ASSERT(l->ret == 0 ? l->value == 3 : l->cancels && l->ret == -ECANCELED && l->seen == 1);
    check_end();
}
MC_MODEL(look_polled_without_need, .threads = 3, .init = init_spurious, .thread = disturbed,
         .final = saw_or_cancelled);
MC_MODEL(look_cancelled, .threads = 3, .init = init_cancelled, .thread = disturbed,
         .final = saw_or_cancelled);

/* ---- 3: the close instead of news --------------------------------------------------------------- */

static void closed(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        vg_broadcast_close(&channel);
}

static void both_ended(void)
{
    for (int i = 0; i < 2; i++)
        MC_ASSERT(tasks[i].over && lookers[i].ret == -EPIPE);
    check_end();
}
MC_MODEL(look_closed, .threads = 3, .init = init_broadcast, .thread = closed, .final = both_ended);

/* ---- 4: a token that is cancelled from two sides, and ended by who learns of it ------------------ */

static void init_token(void)
{
    init();
    init_looker(0, (struct looker){.kind = TOKEN});
}

static void token_cancelled(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else
        vg_token_cancel(&root);
}

static void token_seen(void)
{
    MC_ASSERT(tasks[0].over && lookers[0].ret == 0 && child_ended);
    check_end();
}
MC_MODEL(look_token, .threads = 3, .init = init_token, .thread = token_cancelled,
         .final = token_seen);

/* A child comes while its parent is cancelled. */
static void init_child(void)
{
    init();
    vg_token_fini(&child);
}

static void child_comes(int id)
{
    if (id == 0) {
        vg_token_init_at(&child, "child", &root, NULL);
        (void)vg_token_cancelled(&child);
    } else {
        vg_token_cancel(&root);
    }
}

static void child_is_cancelled(void)
{
    MC_ASSERT(vg_token_cancelled(&child));
    check_end();
}
MC_MODEL(look_token_child_comes, .threads = 2, .init = init_child, .thread = child_comes,
         .final = child_is_cancelled);
