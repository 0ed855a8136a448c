/* SPDX-License-Identifier: MIT */
/* Falling off the end. */
/* expect-gcc: [-Werror=return-type] */
/* expect-clang: [-Werror,-Wreturn-type] */
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
    VG_AWAIT(f->done, vg_sleep(&f->nap, VG_MSEC(1)));
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
