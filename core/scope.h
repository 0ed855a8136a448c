/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_SCOPE_H
#define VIGIL_CORE_SCOPE_H

#include <vigil/scope.h>

#include "task.h"

/* Flags of a scope's word; see <vigil/scope.h>. */
enum { VG_SCOPE_WAITING = 1, VG_SCOPE_FAILED = 2 };

#define VG_SCOPE_ONE ((uint64_t)1 << 32)

/* How many children may be there before those that have ended are looked for. */
enum { VG_SCOPE_SWEEP_MIN = 64 };

static inline uint32_t vg_scope_count(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline const char *vg_scope_name(const struct vg_scope *scope)
{
    return scope->resource.name != NULL ? scope->resource.name : "(unnamed)";
}

/* Frees the children that have ended; all have, if the scope has. */
void vg_scope_sweep(struct vg_scope *scope);

/* The id of a child that has not ended; 0: none was found. Whoever owns the scope's task; looks at a bounded number. */
uint64_t vg_scope_some_child(const struct vg_scope *scope);

/* Cancels them all, the first time. */
void vg_scope_cancel_children(struct vg_scope *scope);

#endif
