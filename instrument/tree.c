/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <vigil/resource.h>

#include "walk.h"

struct vg_waiter *vg_owed_waiter(struct vg_task *task, const struct vg_future *leaf)
{
    struct vg_waiter *waiter;

    for (unsigned i = 0; i < VG_OWED_MAX; i++) {
        waiter = vg_task_owed(task, i);
        if (waiter == NULL || waiter->fut == leaf)
            return waiter;
    }
    return NULL;
}

static uint8_t marks_of(const struct vg_future *fut)
{
    uint8_t marks = 0;

    if (fut->ops->is_timer)
        marks |= VG_TREE_TIMER;
    if (fut->ops->is_io)
        marks |= VG_TREE_IO;
    if (fut->ops->kind == VG_KIND_OPAQUE && fut->ops->child == NULL)
        marks |= VG_TREE_OPAQUE;
    if (vg_cancelled(fut))
        marks |= VG_TREE_CANCELLED;
    return marks;
}

static void copy_wait(struct vg_tree_line *line, const struct vg_future *fut)
{
    struct vg_owner owner;
    struct vg_wait wait;

    if (fut->ops->waits == NULL || !fut->ops->waits(fut, &wait))
        return;
    line->resource_kind = wait.resource->ops->kind;
    line->resource_name = wait.resource->name;
    if (wait.resource->ops->owner != NULL && wait.resource->ops->owner(wait.resource, &owner))
        line->owner = owner.task;
    if (wait.state == VG_WAIT_GRANTED)
        line->marks |= VG_TREE_GRANTED;
}

static void copy_line(struct vg_tree_line *line, struct vg_task *task,
                      const struct vg_walk_item *item)
{
    const struct vg_future *fut = item->fut;
    const struct vg_waiter *waiter;

    *line = (struct vg_tree_line){
        .name = fut->ops->name,
        .size = fut->ops->size,
        .depth = item->depth < UINT8_MAX ? (uint8_t)item->depth : UINT8_MAX,
        .state = fut->state,
        .marks = marks_of(fut),
    };
    if (fut->ops->kind == VG_KIND_ASYNC)
        line->site = vg_site_of(fut);
    if (!vg_walk_is_leaf(fut))
        return;
    copy_wait(line, fut);
    waiter = vg_owed_waiter(task, fut);
    if (waiter != NULL)
        line->woken_at = waiter->woken_at;
}

static bool leads_to(const struct vg_future *fut, const struct vg_future *below)
{
    while (below != NULL && below != fut)
        below = below->up;
    return below != NULL;
}

/* The last lines are for what the report is about. */
static bool has_room(const struct vg_tree *tree, const struct vg_future *fut,
                     const struct vg_future *starved, const struct vg_future *blocked)
{
    if (tree->lines < VG_TREE_LINES - VG_TREE_RESERVED)
        return true;
    return tree->lines < VG_TREE_LINES && (leads_to(fut, starved) || leads_to(fut, blocked));
}

void vg_tree_copy(struct vg_tree *tree, struct vg_task *task, const struct vg_future *starved,
                  const struct vg_future *blocked)
{
    struct vg_walk walk;
    struct vg_walk_item item;

    tree->lines = tree->more = 0;
    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item)) {
        struct vg_tree_line *line = &tree->line[tree->lines];

        if (!has_room(tree, item.fut, starved, blocked)) {
            tree->more++;
            continue;
        }
        copy_line(line, task, &item);
        line->marks |= item.fut == starved ? VG_TREE_STARVED : 0;
        line->marks |= item.fut == blocked ? VG_TREE_BLOCKED : 0;
        tree->lines++;
    }
    tree->truncated = walk.truncated;
}

static void print_what(const struct vg_tree_line *line, struct vg_text *text)
{
    vg_text_name(text, line->name);
    if (line->site != NULL) {
        vg_text_add(text, "  ");
        vg_text_site(text, line->site);
        vg_text_add(text, "  ");
        vg_text_name(text, line->site->expr);
    }
    if (line->resource_kind != NULL) {
        vg_text_add(text, "  %s ", line->marks & VG_TREE_GRANTED ? "GRANTED" : "waits for");
        vg_text_name(text, line->resource_kind);
        if (line->resource_name != NULL) {
            vg_text_add(text, " \"");
            vg_text_name(text, line->resource_name);
            vg_text_add(text, "\"");
        }
    }
    if (line->owner != 0 && !(line->marks & VG_TREE_GRANTED)) {
        vg_text_add(text, " of task ");
        vg_text_task(text, line->owner);
    }
}

static void print_state(const struct vg_tree_line *line, struct vg_text *text, uint64_t now)
{
    if (line->state == VG_PARKED)
        vg_text_add(text, "  PARKED");
    if (line->state == VG_KEPT)
        vg_text_add(text, "  kept");
    if (line->woken_at != 0) {
        vg_text_add(text, "  WOKEN ");
        vg_text_duration(text, now > line->woken_at ? now - line->woken_at : 0);
        vg_text_add(text, " ago");
    }
    if (line->marks & VG_TREE_TIMER)
        vg_text_add(text, "  (timer)");
    if (line->marks & VG_TREE_IO)
        vg_text_add(text, "  (kernel)");
    if (line->marks & VG_TREE_OPAQUE)
        vg_text_add(text, "  (hand-written; what is below it is unknown)");
    if (line->marks & VG_TREE_CANCELLED)
        vg_text_add(text, "  cancelled");
    if (line->size >= VG_FRAME_LARGE)
        vg_text_add(text, "  LARGE: %u bytes", line->size);
    if (line->marks & VG_TREE_BLOCKED)
        vg_text_add(text, "  <- waits here");
    if (line->marks & VG_TREE_STARVED)
        vg_text_add(text, "  <- nobody polls this");
}

void vg_tree_print(const struct vg_tree *tree, struct vg_text *text, uint64_t now)
{
    enum { INDENT_MAX = 24 };

    for (unsigned i = 0; i < tree->lines; i++) {
        const struct vg_tree_line *line = &tree->line[i];
        const int depth = line->depth < INDENT_MAX ? line->depth : INDENT_MAX;

        vg_text_add(text, "    %*s%s", depth * 2, "", line->state == VG_PARKED ? "~ " : "");
        print_what(line, text);
        print_state(line, text, now);
        vg_text_add(text, "\n");
    }
    if (tree->more > 0 || tree->truncated)
        vg_text_add(text, "    (%u more%s)\n", tree->more, tree->truncated ? ", or even more" : "");
}
