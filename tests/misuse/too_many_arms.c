/* SPDX-License-Identifier: MIT */
/* A select with more arms than the frame holds. */
/* expect-gcc: more arms than the frame holds */
/* expect-clang: more arms than the frame holds */
#include <vigil/async.h>
#include <vigil/combine.h>

struct work {
    VG_FRAME(int);
    struct vg_sleep a, b, c;
    VG_ARMS(2) sel;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    int arm;
    VG_AWAIT(arm, VG_SELECT(f->sel, VG_CANCEL(vg_sleep(&f->a, 1)), VG_CANCEL(vg_sleep(&f->b, 2)),
                            VG_CANCEL(vg_sleep(&f->c, 3))));
    VG_RETURN(arm);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
