/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_LIFE_H
#define VIGIL_CORE_LIFE_H

#include <vigil/future.h>

#include "vg_mix.h"

static inline bool vg_is_opaque(const struct vg_future *fut)
{
    return fut->ops->kind == VG_KIND_OPAQUE;
}

#if VG_DEBUG
/* Marks a live future in its header. A mark depends on the address, so memory that was copied or reused
 * does not carry a valid one by chance. Opaque futures need the member for themselves. */
static inline uint32_t vg_life_mark(const struct vg_future *fut)
{
    return (uint32_t)(vg_mix((uintptr_t)fut) >> 32) | 1;
}

static inline void vg_mark_live(struct vg_future *fut)
{
    if (!vg_is_opaque(fut))
        fut->seq = vg_life_mark(fut);
}

/* Dead memory that is reused in part must not look alive. */
static inline void vg_mark_dead(struct vg_future *fut)
{
    if (!vg_is_opaque(fut))
        fut->seq = 0;
}
#else
static inline void vg_mark_live(struct vg_future *fut)
{
    (void)fut;
}

static inline void vg_mark_dead(struct vg_future *fut)
{
    (void)fut;
}
#endif

#endif
