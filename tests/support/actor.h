/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_ACTOR_H
#define VIGIL_TESTS_ACTOR_H

#include <vigil/async.h>
#include <vigil/combine.h>

/* A task that awaits a future, whatever its type. */
struct actor {
    VG_FRAME(int);
    struct vg_future *child;
    struct vg_join all;
    struct vg_future *storage;
};

VG_ASYNC(actor)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_join(&f->all, &f->storage, &f->child, 1));
    VG_RETURN(f->ret);
}

static inline struct actor *actor(struct actor *f, struct vg_future *child)
{
    VG_SETUP(f, actor);
    f->child = child;
    return f;
}

#endif
