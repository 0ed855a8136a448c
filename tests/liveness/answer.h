/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_ANSWER_H
#define VIGIL_TESTS_LIVENESS_ANSWER_H

#include <vigil/async.h>
#include <vigil/io.h>

/* Serves a connection: sends back the one byte that comes. */
struct answer {
    VG_FRAME(int);
    int fd;
    char byte;
    struct vg_io io;
};

VG_ASYNC(answer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_recv(&f->io, f->fd, &f->byte, 1));
    if (f->ret == 1)
        VG_AWAIT(f->ret, vg_send(&f->io, f->fd, &f->byte, 1));
    VG_AWAIT_SHIELDED(f->ret, vg_close(&f->io, f->fd));
    VG_RETURN(0);
}

static inline struct answer *answer(struct answer *f, int fd)
{
    VG_SETUP(f, answer);
    f->fd = fd;
    return f;
}

#endif
