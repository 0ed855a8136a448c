/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_TREE_H
#define VIGIL_INSTRUMENT_TREE_H

#include <vigil/probe.h>

#include "text.h"

/*
 * The await tree of a task, copied while the task is owned and printed when it is not any more. All that
 * it points to is static storage.
 */

enum { VG_TREE_LINES = 40, VG_TREE_RESERVED = 12 };

/* An async function with as many bytes is pointed out: whatever embeds it is larger still. */
enum { VG_FRAME_LARGE = 4096 };

enum vg_tree_mark {
    VG_TREE_STARVED = 1, /* the future of the report that is not polled */
    VG_TREE_BLOCKED = 2, /* the one that waits behind it */
    VG_TREE_GRANTED = 4,
    VG_TREE_TIMER = 8,
    VG_TREE_IO = 16,
    VG_TREE_OPAQUE = 32,
    VG_TREE_CANCELLED = 64,
};

struct vg_tree_line {
    const char *name;
    const struct vg_site *site; /* where an async function awaits; NULL for others */
    const char *resource_kind, *resource_name;
    uint64_t woken_at; /* 0: not woken */
    uint64_t owner;    /* the task that has the resource; 0: not known, or none */
    uint32_t size;     /* of the future, bytes */
    uint8_t depth, state, marks;
};

struct vg_tree {
    unsigned lines, more; /* copied; further futures, as far as was counted */
    bool truncated;       /* and some that were not */
    struct vg_tree_line line[VG_TREE_LINES];
};

/* The two futures are for the marks; NULL matches nothing. */
void vg_tree_copy(struct vg_tree *tree, struct vg_task *task, const struct vg_future *starved,
                  const struct vg_future *blocked);

void vg_tree_print(const struct vg_tree *tree, struct vg_text *text, uint64_t now);

/* The waiter that the task left unanswered for this leaf; NULL: none. Looks at a bounded number. */
struct vg_waiter *vg_owed_waiter(struct vg_task *task, const struct vg_future *leaf);

enum { VG_OWED_MAX = 64 };

#endif
