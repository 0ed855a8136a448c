/* SPDX-License-Identifier: MIT */
/* A call before VG_BEGIN: it would run again at each resume. */
/* expect-gcc: expected expression before '__label__' */
/* expect-clang: expected expression */
#include <vigil/async.h>
#include <vigil/combine.h>

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    (void)vg_now();
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(rc);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
