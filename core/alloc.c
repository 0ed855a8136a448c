/* SPDX-License-Identifier: MIT */
#include <vigil/alloc.h>

#include <stdlib.h>

static void *default_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    return aligned_alloc(align, (size + align - 1) & ~(align - 1));
}

static void default_free(void *self, void *ptr, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    free(ptr);
}

const struct vg_alloc vg_alloc_default = {
    .alloc = default_alloc,
    .free = default_free,
    .self = NULL,
};
