/* SPDX-License-Identifier: MIT */
/* A structure in a local lives across an await: only the analyzer sees it. */
/* expect-analyze: garbage value */
#include <vigil/async.h>
#include <vigil/combine.h>

struct point {
    int x, y;
};

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    struct point p = {1, 2};
    VG_AWAIT(f->done, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(p.x + p.y);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
