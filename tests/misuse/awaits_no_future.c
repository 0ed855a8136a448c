/* SPDX-License-Identifier: MIT */
/* What is awaited is not a future. */
/* expect-gcc: has no member named 'fut' */
/* expect-clang: no member named 'fut' in 'struct vg_place' */
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
    VG_AWAIT(rc, VG_HERE);
    VG_RETURN(rc);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
