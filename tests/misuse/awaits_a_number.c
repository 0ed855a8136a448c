/* SPDX-License-Identifier: MIT */
/* What is awaited is a number. */
/* expect-gcc: invalid type argument of '->' (have 'int') */
/* expect-clang: member reference type 'int' is not a pointer */
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
    int rc;
    VG_AWAIT(rc, f->done);
    VG_RETURN(rc);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
