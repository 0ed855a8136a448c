/* SPDX-License-Identifier: MIT */
/* The function's result is a number, not a string. */
/* expect-gcc: [-Werror=int-conversion] */
/* expect-clang: [-Werror,-Wint-conversion] */
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
    VG_RETURN("done");
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
