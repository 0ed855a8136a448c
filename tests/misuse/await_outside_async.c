/* SPDX-License-Identifier: MIT */
/* An await in an ordinary function. */
/* expect-gcc: 'VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN' undeclared */
/* expect-clang: undeclared identifier 'VG_AWAIT_used_outside_VG_ASYNC_or_before_VG_BEGIN' */
#include <vigil/async.h>
#include <vigil/combine.h>

int nap(struct vg_sleep *sleep);

int nap(struct vg_sleep *sleep)
{
    int rc;
    VG_AWAIT(rc, vg_sleep(sleep, VG_MSEC(1)));
    return rc;
}
