/* SPDX-License-Identifier: MIT */
#include <vigil/os_mutex.h>

#include "corpus.h"

/* A lock that blocks threads. */

struct blocker {
    VG_FRAME(int);
    struct lab *lab;
    struct vg_os_mutex mutex;
    unsigned twin;
    int copy;
    struct vg_sleep nap;
    struct vg_lock lock;
};

static int blocker_line;

VG_ASYNC(blocker)
{
    VG_BEGIN(f);
    vg_os_lock(&f->mutex);
    f->copy = 1;
    if (f->twin > 0)
        vg_os_unlock(&f->mutex);
    if (f->twin == 2)
        VG_AWAIT(f->ret, vg_lock(&f->lock, &f->lab->mutex));
    blocker_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(100)));
    if (f->twin == 0)
        vg_os_unlock(&f->mutex);
    if (f->twin == 2)
        vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static int play_blocker(struct lab *lab, unsigned twin)
{
    static struct blocker f;

    VG_SETUP(&f, blocker);
    f.lab = lab;
    f.twin = twin;
    vg_os_mutex_init(&f.mutex, "M");
    return PLAY(lab, &f);
}

const struct corpus_case corpus_locks[] = {
    {
        .id = "os-mutex-across-suspend",
        .verdict = VG_VERDICT_LOCK_ACROSS_SUSPEND,
        .decisive = 0,
        .due = 50,
        .play = play_blocker,
        .twins = 2,
        .names = {"\"blocker\"", "os-mutex \"M\"", "sleep in blocker"},
        .lines = {&blocker_line},
    },
    {.id = NULL},
};
