/* SPDX-License-Identifier: MIT */
/* A local whose address was taken lives across an await: gcc is silent. */
/* expect-clang: [-Werror,-Wsometimes-uninitialized] */
#include <vigil/async.h>
#include <vigil/combine.h>

void count(int *n);

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    int n = 0;
    count(&n);
    VG_AWAIT(f->done, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(n);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
