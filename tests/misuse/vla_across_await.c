/* SPDX-License-Identifier: MIT */
/* An array of variable length lives across an await: gcc is silent. */
/* expect-clang: cannot jump from this indirect goto statement to one of its possible targets */
#include <vigil/async.h>
#include <vigil/combine.h>

int sum(const int *n, int count);

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    int n[f->done + 1];
    n[0] = 1;
    VG_AWAIT(f->done, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(sum(n, 1));
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
