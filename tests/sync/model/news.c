/* SPDX-License-Identifier: MIT */
#include "model.h"

/* What is told to all, and what is told once. */

static struct news *news_of(struct actor *a)
{
    return &a->model->news;
}

/* ---- the broadcast channel ----------------------------------------------------------------------- */

static struct vg_future *begin_broadcast(struct actor *a)
{
    struct news *news = news_of(a);

    news->broadcasts++;
    CHECK_EQ(vg_broadcast_send(&news->broadcast, &news->broadcasts), 0);
    return NULL;
}

static void end_hear(struct actor *a, int ret)
{
    struct view *view = &a->view;
    const uint32_t behind = news_of(a)->broadcasts - view->heard;

    if (ret == -EOVERFLOW) {
        CHECK(behind > MEMORY);
        CHECK_EQ(view->subscription.lost, behind - MEMORY);
        view->heard += behind - MEMORY;
    } else if (ret == 0) {
        CHECK(behind > 0 && behind <= MEMORY);
        CHECK_EQ(view->value, ++view->heard);
    }
}

static struct vg_future *begin_hear(struct actor *a)
{
    struct view *view = &a->view;
    const uint32_t behind = news_of(a)->broadcasts - view->heard;
    int rc;

    if (draw(a, 2) > 0)
        return AWAITED(a, vg_broadcast_recv(&a->broadcast, &view->subscription, &view->value));
    rc = vg_broadcast_try_recv(&view->subscription, &view->value);
    CHECK_EQ(rc == -EAGAIN, behind == 0);
    end_hear(a, rc);
    return NULL;
}

/* ---- the watch ----------------------------------------------------------------------------------- */

static struct vg_future *begin_set(struct actor *a)
{
    struct news *news = news_of(a);

    news->version++;
    CHECK_EQ(vg_watch_set(&news->watch, &news->version), 0);
    CHECK_EQ(vg_watch_version(&news->watch), news->version);
    return NULL;
}

static struct vg_future *begin_changed(struct actor *a)
{
    struct view *view = &a->view;

    if (draw(a, 4) > 0)
        return AWAITED(
            a, vg_watch_changed(&a->changed, &news_of(a)->watch, &view->version, &view->value));
    view->version = vg_watch_get(&news_of(a)->watch, &view->value);
    CHECK_EQ(view->version, news_of(a)->version);
    CHECK_EQ(view->value, view->version);
    return NULL;
}

static void end_changed(struct actor *a, int ret)
{
    if (ret < 0)
        return;
    CHECK_EQ(a->view.version, news_of(a)->version);
    CHECK_EQ(a->view.value, a->view.version);
}

/* ---- oneshots: from one task to the next --------------------------------------------------------- */

static struct vg_future *begin_shoot(struct actor *a)
{
    struct shot *shot = &news_of(a)->shot[a->index % ONESHOTS];

    if (a->index >= ONESHOTS || shot->sent || shot->closed)
        return NULL;
    if (draw(a, 4) == 0) {
        shot->closed = true;
        vg_oneshot_close(&shot->oneshot);
        return NULL;
    }
    shot->sent = true;
    CHECK_EQ(vg_oneshot_send(&shot->oneshot, shot), shot->dropped ? -EPIPE : 0);
    return NULL;
}

static struct vg_future *begin_catch(struct actor *a)
{
    struct shot *shot = &news_of(a)->shot[(a->index + a->model->actors - 1) % a->model->actors];

    if (shot >= &news_of(a)->shot[ONESHOTS] || shot->received || shot->dropped)
        return NULL;
    a->view.shot = shot;
    if (draw(a, 8) > 0)
        return AWAITED(a, vg_oneshot_recv(&a->oneshot, &shot->oneshot));
    shot->dropped = true;
    CHECK(vg_oneshot_drop(&shot->oneshot) == (shot->sent ? shot : NULL));
    return NULL;
}

static void end_catch(struct actor *a, int ret)
{
    struct shot *shot = a->view.shot;

    if (ret == 0) {
        CHECK(shot->sent && a->oneshot.value == shot);
        shot->received = true;
    } else if (ret == -EPIPE) {
        CHECK(shot->closed);
    }
}

static bool broadcast_is_behind(struct actor *a)
{
    return news_of(a)->broadcasts > a->view.heard;
}

static bool watch_has_changed(struct actor *a)
{
    return news_of(a)->version > a->view.version;
}

static bool shot_is_through(struct actor *a)
{
    return a->view.shot->sent || a->view.shot->closed;
}

const struct op news_ops[] = {
    {"broadcast_send", begin_broadcast, NULL, NULL},
    {"broadcast_recv", begin_hear, end_hear, broadcast_is_behind},
    {"watch_set", begin_set, NULL, NULL},
    {"watch_changed", begin_changed, end_changed, watch_has_changed},
    {"oneshot_send", begin_shoot, NULL, NULL},
    {"oneshot_recv", begin_catch, end_catch, shot_is_through},
};
const unsigned news_ops_count = sizeof news_ops / sizeof *news_ops;

void news_open(struct news *news)
{
    *news = (struct news){.version = 1, .watched = 1};
    vg_broadcast_init(&news->broadcast, "broadcast", news->slots, MEMORY);
    vg_watch_init(&news->watch, "watch", &news->watched);
    for (unsigned i = 0; i < ONESHOTS; i++)
        vg_oneshot_init(&news->shot[i].oneshot, "oneshot");
}

void news_begin(struct actor *a)
{
    vg_broadcast_subscribe(&a->view.subscription, &news_of(a)->broadcast);
    a->view.heard = news_of(a)->broadcasts;
    a->view.version = vg_watch_get(&news_of(a)->watch, NULL);
    CHECK_EQ(a->view.version, news_of(a)->version);
}

static void close_shot(struct shot *shot)
{
    if (!shot->received && !shot->dropped)
        CHECK(vg_oneshot_drop(&shot->oneshot) == (shot->sent ? shot : NULL));
    vg_oneshot_fini(&shot->oneshot);
}

void news_close(struct news *news)
{
    vg_broadcast_fini(&news->broadcast);
    vg_watch_fini(&news->watch);
    for (unsigned i = 0; i < ONESHOTS; i++)
        close_shot(&news->shot[i]);
}
