/* SPDX-License-Identifier: MIT */
/* return where VG_RETURN is meant. */
/* expect-gcc: incompatible types when returning type 'int' but 'vg_poll' */
/* expect-clang: returning 'int' from a function with incompatible result type 'vg_poll' */
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
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    return rc;
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
