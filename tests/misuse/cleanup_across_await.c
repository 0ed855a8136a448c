/* SPDX-License-Identifier: MIT */
/* A clean-up attribute would run at each suspension: gcc is silent. */
/* expect-clang: cannot jump from this indirect goto statement to one of its possible targets */
#include <vigil/async.h>
#include <vigil/combine.h>

void release(int *n);

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    __attribute__((cleanup(release))) int n = 1;
    VG_AWAIT(f->done, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(0);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
