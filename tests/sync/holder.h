/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_HOLDER_H
#define VIGIL_TESTS_SYNC_HOLDER_H

#include "world.h"

/* Comes at `arrive` ms, locks, writes itself into the diary, holds the mutex for `hold` ms. */
struct holder {
    VG_FRAME(int);
    struct scene *scene;
    int who, rc;
    uint64_t arrive, hold;
    struct vg_sleep nap;
    struct vg_lock lock;
};

VG_ASYNC(holder)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, scene_at(f->scene, f->arrive)));
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->scene->mutex));
    if (f->rc < 0)
        VG_RETURN(f->rc);
    diary_note(&f->scene->diary, f->who);
    if (f->hold > 0)
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->hold)));
    vg_unlock(&f->scene->mutex);
    VG_RETURN(f->rc);
}

static struct holder *holder(struct holder *f, struct scene *scene, int who, uint64_t arrive,
                             uint64_t hold)
{
    VG_SETUP(f, holder);
    f->scene = scene;
    f->who = who;
    f->arrive = arrive;
    f->hold = hold;
    return f;
}

#endif
