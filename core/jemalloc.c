/* SPDX-License-Identifier: MIT */
#include <vigil/jemalloc.h>

#include <errno.h>
#include <stdlib.h>

#include <jemalloc/jemalloc.h>

static void *je_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    return mallocx(size, MALLOCX_ALIGN(align));
}

static void je_free(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    if (ptr)
        sdallocx(ptr, size, MALLOCX_ALIGN(align));
}

const struct vg_alloc vg_jemalloc = {.alloc = je_alloc, .free = je_free};

static bool read_counter(const char *name, size_t *value)
{
    size_t size = sizeof *value;
    return mallctl(name, value, &size, NULL, 0) == 0;
}

int vg_jemalloc_stats(struct vg_jemalloc_stats *stats)
{
    /* The counters are a snapshot, which writing the epoch renews. */
    uint64_t epoch = 1;
    size_t size = sizeof epoch;
    bool ok = mallctl("epoch", &epoch, &size, &epoch, size) == 0 &&
              read_counter("stats.allocated", &stats->allocated_bytes) &&
              read_counter("stats.active", &stats->active_bytes) &&
              read_counter("stats.resident", &stats->resident_bytes);
    return ok ? 0 : -ENOSYS;
}
