/* SPDX-License-Identifier: MIT */
/* What the other programs of this directory do wrong, done right: must compile without a warning.
 */
#include <stdio.h>
#include <string.h>

#include <vigil/async.h>
#include <vigil/combine.h>

struct point {
    int x, y;
};

struct work {
    VG_FRAME(int);
    struct vg_sleep nap, nap2;
    VG_ARMS(2) sel;
    VG_CHILDREN(2) all;
    struct point start;
    char buf[16];
    int i, arm;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    static int calls;
    int rc;

    f->start = (struct point){1, 2};
    for (f->i = 0; f->i < 3; f->i++) {
        char scratch[32];
        VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
        int len = snprintf(scratch, sizeof scratch, "%d %d", f->i, rc);
        if (len < 0)
            goto out;
        strcpy(f->buf, "x");
    }
    VG_TRY(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    switch (f->i) {
    case 3:
        VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_CANCEL(vg_sleep(&f->nap, 1)),
                                   VG_WHEN(f->i > 1, VG_KEEP(vg_sleep(&f->nap2, 2)))));
        if (f->arm == 0)
            VG_AWAIT_CANCEL(rc, &f->nap2);
        break;
    default:
        VG_AWAIT(rc, VG_JOIN(f->all, vg_sleep(&f->nap, 1), vg_sleep(&f->nap2, 2)));
    }
out:
    VG_AWAIT_SHIELDED(rc, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(rc + calls++ + f->start.x);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
