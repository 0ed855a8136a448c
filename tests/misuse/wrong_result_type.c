/* SPDX-License-Identifier: MIT */
/* The result of the awaited future is a number, not a pointer. */
/* expect-gcc: [-Werror=int-conversion] */
/* expect-clang: [-Werror,-Wint-conversion] */
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
    char *text;
    VG_AWAIT(text, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_RETURN(text != NULL);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
