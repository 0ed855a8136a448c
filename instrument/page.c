/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = 16 * 1024, ALIGN = 16, STRING_MAX = 80 };

void vg_page_init(struct vg_page *page, const struct vg_alloc *alloc, size_t limit)
{
    *page = (struct vg_page){.alloc = alloc, .limit = limit};
}

void vg_page_free(struct vg_page *page)
{
    if (page->data != NULL)
        page->alloc->free(page->alloc->self, page->data, page->capacity, ALIGN);
    page->data = NULL;
    page->length = page->capacity = 0;
}

static bool grow(struct vg_page *page, size_t needed)
{
    size_t capacity = page->capacity > 0 ? page->capacity : FIRST;
    char *data;

    while (capacity < needed)
        capacity *= 2;
    data = (char *)page->alloc->alloc(page->alloc->self, capacity, ALIGN);
    if (data == NULL)
        return false;
    if (page->data != NULL) {
        memcpy(data, page->data, page->length);
        page->alloc->free(page->alloc->self, page->data, page->capacity, ALIGN);
    }
    page->data = data;
    page->capacity = capacity;
    return true;
}

void vg_page_put(struct vg_page *page, const char *data, size_t length)
{
    if (!vg_page_ok(page))
        return;
    if (page->limit - page->length < length) {
        page->full = true;
        return;
    }
    if (page->capacity - page->length < length && !grow(page, page->length + length)) {
        page->no_memory = true;
        return;
    }
    memcpy(page->data + page->length, data, length);
    page->length += length;
}

/* For pieces of bounded length: every longer text goes through vg_page_put(). */
void vg_page_add(struct vg_page *page, const char *format, ...)
{
    char piece[1024];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    VG_ASSERT(length >= 0 && (size_t)length < sizeof piece);
    vg_page_put(page, piece, (size_t)length);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

static void put_escaped(struct vg_page *page, unsigned char c)
{
    if (c == '"' || c == '\\')
        vg_page_add(page, "\\%c", c);
    else
        vg_page_add(page, "\\u%04x", c);
}

static void put_string(struct vg_page *page, const char *value, size_t limit)
{
    size_t at = 0, plain;

    if (value == NULL) {
        vg_page_put(page, "null", 4);
        return;
    }
    vg_page_put(page, "\"", 1);
    while (value[at] != '\0' && at < limit) {
        for (plain = 0; at + plain < limit && is_plain((unsigned char)value[at + plain]);)
            plain++;
        vg_page_put(page, value + at, plain);
        at += plain;
        if (plain == 0)
            put_escaped(page, (unsigned char)value[at++]);
    }
    vg_page_add(page, "%s\"", value[at] != '\0' ? "..." : "");
}

void vg_page_string(struct vg_page *page, const char *value)
{
    put_string(page, value, STRING_MAX);
}

void vg_page_text(struct vg_page *page, const char *value)
{
    put_string(page, value, SIZE_MAX);
}

void vg_page_key(struct vg_page *page, const char *key)
{
    const bool is_first = page->length == 0 || page->data[page->length - 1] == '{';

    vg_page_add(page, "%s\"%s\":", is_first ? "" : ",", key);
}

void vg_page_member(struct vg_page *page, const char *key, uint64_t value)
{
    vg_page_key(page, key);
    vg_page_add(page, "%llu", (unsigned long long)value);
}

void vg_page_member_string(struct vg_page *page, const char *key, const char *value)
{
    vg_page_key(page, key);
    vg_page_string(page, value);
}

void vg_page_member_bool(struct vg_page *page, const char *key, bool value)
{
    vg_page_key(page, key);
    vg_page_add(page, "%s", value ? "true" : "false");
}
