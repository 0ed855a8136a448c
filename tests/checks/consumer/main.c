/* SPDX-License-Identifier: MIT */
/* A program that uses an installed vigil. */
#include <stdio.h>

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#ifdef WITH_JEMALLOC
#include <vigil/jemalloc.h>
#endif

struct nap {
    VG_FRAME(int);
    struct vg_sleep sleep;
};

VG_ASYNC(nap)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->sleep, VG_MSEC(1)));
    VG_RETURN(rc == 0 ? 7 : rc);
}

int main(void)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    struct nap nap;

#ifdef WITH_JEMALLOC
    struct vg_jemalloc_stats stats;
    config.alloc = &vg_jemalloc;
    if (vg_jemalloc_stats(&stats) != 0 || stats.resident_bytes == 0)
        return 1;
#endif
    if (vg_exec_open(&exec, &config) != 0)
        return 1;
    VG_SETUP(&nap, nap);
    int rc = vg_block_on(exec, &nap.fut);
    int left = vg_exec_close(exec, VG_SEC(1));
    printf("%d %d %d\n", rc, nap.ret, left);
    return rc != 0 || nap.ret != 7 || left != 0;
}
