/* SPDX-License-Identifier: MIT */
#include "page_tree.h"

#include <string.h>

static const char *const kinds[] = {
    [VG_TASK_IDLE] = "idle", [VG_TASK_SCHEDULED] = "scheduled", [VG_TASK_RUNNING] = "running"};

static uint64_t age(uint64_t since, uint64_t now)
{
    return now > since ? now - since : 0;
}

/* ---- text -------------------------------------------------------------------------------------- */

static void add_state(struct vg_text *text, const struct vg_task_state *state, uint64_t now)
{
    vg_text_add(text, "%s", kinds[state->kind]);
    if (state->kind == VG_TASK_RUNNING)
        vg_text_add(text, " on worker %u", state->worker);
    if (state->kind == VG_TASK_SCHEDULED && state->info.woken_at != 0) {
        vg_text_add(text, ", woken ");
        vg_text_duration(text, age(state->info.woken_at, now));
        vg_text_add(text, " ago");
    }
    if (state->kind == VG_TASK_IDLE && state->info.polled_at != 0) {
        vg_text_add(text, " for ");
        vg_text_duration(text, age(state->info.polled_at, now));
    }
    if (state->info.owed_since != 0) {
        vg_text_add(text, ", owes a poll for ");
        vg_text_duration(text, age(state->info.owed_since, now));
    }
}

void vg_page_task_text(struct vg_page *page, const struct vg_task_state *state, uint64_t now)
{
    char buffer[16 * 1024];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_add(&text, "task ");
    vg_text_task(&text, state->info.id);
    vg_text_add(&text, " \"");
    vg_text_name(&text, state->info.name);
    vg_text_add(&text, "\", spawned at ");
    vg_text_place(&text, state->info.spawned);
    vg_text_add(&text, ", polled %llu times: ", (unsigned long long)state->info.polls);
    add_state(&text, state, now);
    vg_text_add(&text, "\n");
    if (state->kind == VG_TASK_IDLE)
        vg_tree_print(&state->tree, &text, now);
    vg_page_put(page, buffer, (size_t)(text.at - buffer));
}

/* ---- JSON -------------------------------------------------------------------------------------- */

void vg_page_member_site(struct vg_page *page, const char *key, const struct vg_site *site)
{
    char buffer[128];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_site(&text, site);
    vg_page_member_string(page, key, site != NULL ? buffer : NULL);
}

void vg_page_member_place(struct vg_page *page, const char *key, const struct vg_place *place)
{
    char buffer[128];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_place(&text, place);
    vg_page_member_string(page, key, place != NULL ? buffer : NULL);
}

void vg_page_member_task(struct vg_page *page, const char *key, uint64_t id)
{
    char buffer[32];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_task(&text, id);
    vg_page_member_string(page, key, id != 0 ? buffer : NULL);
}

static void put_marks(struct vg_page *page, const struct vg_tree_line *line)
{
    static const struct {
        enum vg_tree_mark mark;
        const char *name;
    } marks[] = {{VG_TREE_GRANTED, "granted"},
                 {VG_TREE_TIMER, "timer"},
                 {VG_TREE_IO, "kernel"},
                 {VG_TREE_OPAQUE, "opaque"},
                 {VG_TREE_CANCELLED, "cancelled"}};

    for (unsigned i = 0; i < sizeof marks / sizeof *marks; i++)
        if (line->marks & marks[i].mark)
            vg_page_member_bool(page, marks[i].name, true);
    if (line->state == VG_PARKED)
        vg_page_member_bool(page, "parked", true);
    if (line->state == VG_KEPT)
        vg_page_member_bool(page, "kept", true);
}

static void put_line(struct vg_page *page, const struct vg_tree_line *line, uint64_t now)
{
    vg_page_add(page, "{");
    vg_page_member(page, "depth", line->depth);
    vg_page_member_string(page, "future", line->name);
    vg_page_member(page, "bytes", line->size);
    if (line->site != NULL) {
        vg_page_member_site(page, "at", line->site);
        vg_page_member_string(page, "awaits", line->site->expr);
    }
    if (line->resource_kind != NULL) {
        vg_page_member_string(page, "resource_kind", line->resource_kind);
        vg_page_member_string(page, "resource_name", line->resource_name);
        vg_page_member_task(page, "held_by", line->owner);
    }
    if (line->woken_at != 0)
        vg_page_member(page, "woken_ns", age(line->woken_at, now));
    put_marks(page, line);
    vg_page_add(page, "}");
}

static void put_tree(struct vg_page *page, const struct vg_tree *tree, uint64_t now)
{
    vg_page_key(page, "tree");
    vg_page_add(page, "[");
    for (unsigned i = 0; i < tree->lines; i++) {
        vg_page_add(page, "%s", i > 0 ? "," : "");
        put_line(page, &tree->line[i], now);
    }
    vg_page_add(page, "]");
    vg_page_member(page, "more", tree->more);
    vg_page_member_bool(page, "truncated", tree->truncated);
}

void vg_page_task_json(struct vg_page *page, const struct vg_task_state *state, uint64_t now,
                       bool first)
{
    vg_page_add(page, "%s\n{", first ? "" : ",");
    vg_page_member_task(page, "id", state->info.id);
    vg_page_member_string(page, "name", state->info.name);
    vg_page_member_place(page, "spawned", state->info.spawned);
    vg_page_member(page, "polls", state->info.polls);
    vg_page_member_string(page, "state", kinds[state->kind]);
    if (state->kind == VG_TASK_RUNNING)
        vg_page_member(page, "worker", state->worker);
    if (state->kind == VG_TASK_SCHEDULED && state->info.woken_at != 0)
        vg_page_member(page, "woken_ns", age(state->info.woken_at, now));
    if (state->kind == VG_TASK_IDLE && state->info.polled_at != 0)
        vg_page_member(page, "idle_ns", age(state->info.polled_at, now));
    if (state->info.owed_since != 0)
        vg_page_member(page, "owed_ns", age(state->info.owed_since, now));
    if (state->kind == VG_TASK_IDLE)
        put_tree(page, &state->tree, now);
    vg_page_add(page, "}");
}
