/* SPDX-License-Identifier: MIT */
/* A pointer in a local lives across an await. */
/* expect-gcc: [-Werror=maybe-uninitialized] */
/* expect-clang: [-Werror,-Wsometimes-uninitialized] */
#include <vigil/async.h>
#include <vigil/combine.h>

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    int rc;
    int *done = &f->done;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    *done = rc;
    VG_RETURN(rc);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
