/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_PAGE_H
#define VIGIL_INSTRUMENT_PAGE_H

#include <vigil/alloc.h>

/*
 * A text that grows up to a limit. What does not fit, or finds no memory, is dropped from there on, and the
 * page says so: nobody has to look before the end.
 */
struct vg_page {
    const struct vg_alloc *alloc;
    char *data;
    size_t length, capacity, limit;
    bool no_memory, full; /* if either, `data` is a part of the text */
};

void vg_page_init(struct vg_page *page, const struct vg_alloc *alloc, size_t limit);
void vg_page_free(struct vg_page *page);

void vg_page_put(struct vg_page *page, const char *data, size_t length);
void vg_page_add(struct vg_page *page, const char *format, ...) VG_PRINTF(2, 3);

static inline bool vg_page_ok(const struct vg_page *page)
{
    return !page->no_memory && !page->full;
}

/* Whether so many bytes more would still fit. */
static inline bool vg_page_has_room(const struct vg_page *page, size_t bytes)
{
    return vg_page_ok(page) && page->limit - page->length >= bytes;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* "value", at most 80 characters of it, with what is not ASCII as if it were Latin-1; null for NULL. */
void vg_page_string(struct vg_page *page, const char *value);

/* The same without a limit. */
void vg_page_text(struct vg_page *page, const char *value);

/* ,"key": -- without the comma after an opening bracket. */
void vg_page_key(struct vg_page *page, const char *key);

void vg_page_member(struct vg_page *page, const char *key, uint64_t value);
void vg_page_member_string(struct vg_page *page, const char *key, const char *value);
void vg_page_member_bool(struct vg_page *page, const char *key, bool value);

#endif
