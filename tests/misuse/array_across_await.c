/* SPDX-License-Identifier: MIT */
/* An array in a local lives across an await: only the analyzer sees it. */
/* expect-analyze: garbage value */
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
    int n[2] = {1, 2};
    VG_AWAIT(f->done, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(n[0] + n[1]);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
