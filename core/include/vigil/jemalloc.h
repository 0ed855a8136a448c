/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_JEMALLOC_H
#define VIGIL_JEMALLOC_H

#include <vigil/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * jemalloc as an executor's allocator, and what it says about memory.
 *
 *     struct vg_config config = VG_CONFIG_INIT;
 *     config.alloc = &vg_jemalloc;
 *
 * Link vigil::jemalloc for it: a program chooses its allocator, the library does not. jemalloc then
 * serves the program's malloc() too. Builds with a sanitizer get malloc() instead, which the
 * sanitizer checks.
 *
 * Threads  Any.
 */
extern VG_API const struct vg_alloc vg_jemalloc;

/* The whole process, not one executor. */
struct vg_jemalloc_stats {
    size_t allocated_bytes; /* in live allocations */
    size_t active_bytes;    /* in pages that hold any of them */
    size_t resident_bytes;  /* in physical memory, bookkeeping included */
};

/* Reads the counters. 0, or -ENOSYS: this build has no jemalloc, or jemalloc no statistics. */
VG_API int vg_jemalloc_stats(struct vg_jemalloc_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
