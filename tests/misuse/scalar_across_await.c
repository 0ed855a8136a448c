/* SPDX-License-Identifier: MIT */
/* A counter in a local lives across an await. */
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
    for (int i = 0; i < 3; i++)
        VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(0);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
