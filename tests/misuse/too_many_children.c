/* SPDX-License-Identifier: MIT */
/* A join with more children than the frame holds. */
/* expect-gcc: more arms than the frame holds */
/* expect-clang: more arms than the frame holds */
#include <vigil/async.h>
#include <vigil/combine.h>

struct work {
    VG_FRAME(int);
    struct vg_sleep a, b, c;
    VG_CHILDREN(2) all;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_JOIN(f->all, vg_sleep(&f->a, 1), vg_sleep(&f->b, 2), vg_sleep(&f->c, 3)));
    VG_RETURN(rc);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
