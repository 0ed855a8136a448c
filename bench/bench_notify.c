/* SPDX-License-Identifier: MIT */
/*
 * notify: vg_notify_one() with nobody waiting, and a wait that finds it stored. notify_ping/W: two tasks on W
 * workers that notify each other in turn.
 */
#include <vigil/async.h>
#include <vigil/notify.h>

#include "crowd.h"

struct self {
    VG_FRAME(int);
    int64_t left;
    struct vg_notifier notifier;
    struct vg_notified notified;
};

VG_ASYNC(self)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        vg_notify_one(&f->notifier);
        VG_NOTIFIED(rc, &f->notified, &f->notifier);
        VG_ASSERT(rc == 0);
    }
    VG_RETURN(0);
}

static struct self *self(struct self *f, int64_t times)
{
    VG_SETUP(f, self);
    vg_notifier_init(&f->notifier, "bench");
    f->left = times;
    return f;
}

static void notify_stored(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    struct self root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &self(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

struct player {
    VG_FRAME(int);
    int64_t left;
    bool serves; /* one of two: a notification that finds one stored would be lost */
    struct vg_notifier *mine, *other;
    struct vg_notified notified;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        if (f->serves)
            vg_notify_one(f->other);
        VG_TRY(rc, vg_notified(&f->notified, f->mine));
        if (!f->serves)
            vg_notify_one(f->other);
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, bool serves, struct vg_notifier *mine,
                             struct vg_notifier *other, int64_t times)
{
    VG_SETUP(f, player);
    f->serves = serves;
    f->mine = mine;
    f->other = other;
    f->left = times;
    return f;
}

/* Four pairs. */
static int spawn_player(struct vg_handle *handle, unsigned i, void *arg)
{
    struct vg_notifier *notifier = arg;

    return VG_SPAWN(vg_exec_current(), handle, player, i % 2 == 0, &notifier[i], &notifier[i ^ 1],
                    BENCH_BATCH / CROWD);
}

static void notify_ping(struct bench_run *run, int64_t arg)
{
    struct vg_notifier notifier[CROWD];

    (void)arg;
    for (unsigned i = 0; i < CROWD; i++)
        vg_notifier_init(&notifier[i], "bench");
    bench_crowd(run, spawn_player, notifier);
}

const struct bench bench_notify[] = {
    {"notify", notify_stored, 0, 1},
    {"notify_ping", notify_ping, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
