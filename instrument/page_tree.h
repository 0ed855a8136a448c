/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_PAGE_TREE_H
#define VIGIL_INSTRUMENT_PAGE_TREE_H

#include "page.h"
#include "tree.h"

/* A task on a page: what was copied of it. */

enum vg_task_kind { VG_TASK_IDLE, VG_TASK_SCHEDULED, VG_TASK_RUNNING };

struct vg_task_state {
    enum vg_task_kind kind;
    struct vg_task_info info;
    unsigned worker;     /* running: on which */
    struct vg_tree tree; /* idle */
};

void vg_page_task_text(struct vg_page *page, const struct vg_task_state *state, uint64_t now);
void vg_page_task_json(struct vg_page *page, const struct vg_task_state *state, uint64_t now,
                       bool first);

/* ,"key":"conn.c:224" and the like; null for NULL. */
void vg_page_member_site(struct vg_page *page, const char *key, const struct vg_site *site);
void vg_page_member_place(struct vg_page *page, const char *key, const struct vg_place *place);
void vg_page_member_task(struct vg_page *page, const char *key, uint64_t id);

#endif
