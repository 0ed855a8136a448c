/* SPDX-License-Identifier: MIT */
#include <vigil/jemalloc.h>

#include <errno.h>
#include <stdlib.h>

/* Stands in for jemalloc where a sanitizer has to see every allocation. */

static void *sys_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void sys_free(void *self, void *ptr, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    free(ptr);
}

const struct vg_alloc vg_jemalloc = {.alloc = sys_alloc, .free = sys_free};

int vg_jemalloc_stats(struct vg_jemalloc_stats *stats)
{
    (void)stats;
    return -ENOSYS;
}
