/* SPDX-License-Identifier: MIT */
/* A buffer on the stack is lent across an await and read afterwards. */
/* expect-analyze: garbage value */
#include <vigil/async.h>
#include <vigil/combine.h>

/* As an I/O operation would: the buffer is filled while the function is suspended. */
struct vg_sleep *fill(struct vg_sleep *op, char *buf, size_t size);

struct work {
    VG_FRAME(int);
    struct vg_sleep nap;
    int done;
};

VG_ASYNC(work)
{
    VG_BEGIN(f);
    char buf[64];
    int rc;
    VG_AWAIT(rc, fill(&f->nap, buf, sizeof buf));
    VG_RETURN(rc < 0 ? rc : buf[0] + 1);
}

struct work *work(struct work *f);

struct work *work(struct work *f)
{
    VG_SETUP(f, work);
    return f;
}
