/* SPDX-License-Identifier: MIT */
/* A select arm that does not say what happens when it loses. */
/* expect-gcc: incompatible type for argument 1 of 'vg_arm_needs_VG_CANCEL_or_VG_KEEP_or_VG_PARK' */
/* expect-clang: vg_arm_needs_VG_CANCEL_or_VG_KEEP_or_VG_PARK */
#include <vigil/async.h>
#include <vigil/combine.h>

struct work {
    VG_FRAME(int);
    struct vg_sleep a, b;
    VG_ARMS(2) sel;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    int arm;
    VG_AWAIT(arm, VG_SELECT(f->sel, VG_CANCEL(vg_sleep(&f->a, 1)), vg_sleep(&f->b, 2)));
    VG_RETURN(arm);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
