/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_IO_PUBLISH_H
#define VIGIL_IO_PUBLISH_H

/* Tells the sanitizers what passes through the kernel, where they cannot look. */

#include <vigil/driver.h>

#include "vg_atomic.h"

#ifdef VG_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define VG_MSAN 1
#include <sanitizer/msan_interface.h>
#endif
#endif

/* The operation and its buffer go to the kernel. */
static inline void vg_publish(struct vg_op *op)
{
#ifdef VG_TSAN
    __tsan_release(op);
#else
    (void)op;
#endif
}

/* They come back, the buffer of a receive filled. */
static inline void vg_unpublish(struct vg_op *op, int32_t result)
{
#ifdef VG_TSAN
    __tsan_acquire(op);
#endif
#ifdef VG_MSAN
    if (op->code == VG_OP_RECV && result > 0)
        __msan_unpoison(op->addr, (size_t)result);
#endif
    (void)op, (void)result;
}

#endif
