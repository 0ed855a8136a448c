/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "post.h"

/* Notifications while waits are cancelled, kept and parked at random. */

enum { ROUNDS = 20 };

/* Waits, gives up now and then, keeps or parks the wait, until it has been notified often enough. */
struct listener {
    VG_FRAME(int);
    struct post *post;
    int rc, arm;
    unsigned *heard, left;
    VG_ARMS(2) sel;
    struct vg_notified notified;
    struct vg_sleep nap;
};

static struct vg_arm listen_arm(struct listener *f)
{
    vg_notified(&f->notified, &f->post->notifier);
    switch (sim_below(&f->post->world.sim, 3)) {
    case 0:
        return VG_CANCEL(&f->notified);
    case 1:
        return VG_KEEP(&f->notified);
    default:
        return VG_PARK(&f->notified);
    }
}

static struct vg_sleep *doze(struct listener *f)
{
    return vg_sleep(&f->nap, VG_MSEC(sim_below(&f->post->world.sim, 6)));
}

VG_ASYNC(listener)
{
    VG_BEGIN(f);
    while (f->left > 0) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, listen_arm(f), VG_CANCEL(doze(f))));
        VG_AWAIT(f->rc, doze(f));
        if (vg_started(&f->notified.fut) && sim_chance(&f->post->world.sim, 500))
            VG_AWAIT(f->rc, &f->notified);
        else
            VG_AWAIT_CANCEL(f->rc, &f->notified);
        if (f->rc == 0) {
            f->left--;
            ++*f->heard;
        }
    }
    VG_RETURN(0);
}

static struct listener *listener(struct listener *f, struct post *post, unsigned *heard)
{
    VG_SETUP(f, listener);
    f->post = post;
    f->heard = heard;
    f->left = ROUNDS;
    return f;
}

struct sender {
    struct post *post;
    unsigned sent, heard;
};

/* Between two steps. */
static bool send_now_and_then(void *arg)
{
    struct sender *sender = arg;
    struct post *post = sender->post;
    const struct vg_waitlist *list = &post->notifier.permits.waiters;
    const struct vg_wait_entry *next = list->first;

    while (next && (next->state != 1 || next->marks & 2)) /* queued, and not passed over */
        next = next->next;
    CHECK(!next || !is_stored(post));
    CHECK(sender->heard + list->granted + is_stored(post) <= sender->sent);
    if (sim_chance(&post->world.sim, 100)) {
        vg_notify_one(&post->notifier);
        sender->sent++;
    }
    return post_done(post);
}

/* A lost one would leave its listener waiting for ever: in the end time stands still, and with it the sender. */
TEST(every_wait_is_answered_as_long_as_notifications_come)
{
    TEST_TIMEOUT(240);
    FOR_SEEDS (seed, 300) {
        struct post p;
        struct sender sender = {.post = &p};
        post_open(&p, seed, seed % 3 != 0);
        for (int i = 0; i < WAITERS_MAX; i++)
            POST_ADD(&p, listener, &sender.heard);
        while (sim_run(&p.world.sim, p.world.exec, send_now_and_then, &sender, VG_SEC(100)) < 0) {
            CHECK(!is_stored(&p)); /* everybody waits, and nothing was left for them */
            vg_notify_one(&p.notifier);
            sender.sent++;
        }
        CHECK_EQ(sender.heard, WAITERS_MAX * ROUNDS);
        post_close(&p);
    }
}
