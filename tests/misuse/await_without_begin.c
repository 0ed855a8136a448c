/* SPDX-License-Identifier: MIT */
/* An async function without VG_BEGIN. */
/* expect-gcc: 'VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN' undeclared */
/* expect-clang: undeclared identifier 'VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN' */
#include <vigil/async.h>
#include <vigil/combine.h>

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    int rc;
    VG_AWAIT(rc, vg_sleep(&vg_self->nap, VG_MSEC(1)));
    VG_RETURN(rc);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
