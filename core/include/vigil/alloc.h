/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_ALLOC_H
#define VIGIL_ALLOC_H

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where an executor gets its memory from.
 *
 *     struct vg_config config = VG_CONFIG_INIT;
 *     config.alloc = &vg_jemalloc;          (from vigil::jemalloc; the default is malloc)
 *
 * Memory   The hooks must outlive the executor. alloc() returns NULL when there is no memory: every
 *          caller inside vigil handles that and reports -ENOMEM.
 * Threads  Both hooks are called from any thread, at once.
 * Cost     Task memory is carved from slabs, so the hooks are not on the path of a spawn.
 */
struct vg_alloc {
    /* align is a power of two of at least 16; the memory need not be zeroed. */
    void *(*alloc)(void *self, size_t size, size_t align);
    /* size and align are those of the allocation. */
    void (*free)(void *self, void *ptr, size_t size, size_t align);
    void *self;
};

/* aligned_alloc() and free(). */
extern VG_API const struct vg_alloc vg_alloc_default;

#ifdef __cplusplus
}
#endif
#endif
