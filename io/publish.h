/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_IO_PUBLISH_H
#define VIGIL_IO_PUBLISH_H

/* Tells the sanitizers what passes through the kernel, where they cannot look. */

#include <vigil/driver.h>

#include "vg_atomic.h"
#include "vg_sanitizer.h"

#if VG_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if VG_MSAN
#include <sanitizer/msan_interface.h>
#endif

/* The operation and its buffer go to the kernel. */
static inline void vg_publish(struct vg_op *op)
{
#if VG_TSAN
    __tsan_release(op);
#else
    (void)op;
#endif
}

/* They come back, the buffer of a receive filled. */
static inline void vg_unpublish(struct vg_op *op, int32_t result)
{
#if VG_TSAN
    __tsan_acquire(op);
#endif
#if VG_MSAN
    if (op->code == VG_OP_RECV && result > 0)
        __msan_unpoison(op->addr, (size_t)result);
#endif
    (void)op, (void)result;
}

#endif
