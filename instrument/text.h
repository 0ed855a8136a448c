/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_TEXT_H
#define VIGIL_INSTRUMENT_TEXT_H

#include <vigil/base.h>

/*
 * Text of bounded length from names that the program chose. What does not fit is cut off; there is always
 * a terminating zero.
 */

struct vg_text {
    char *start, *at, *end;
};

void vg_text_init(struct vg_text *text, char *buffer, size_t size);

/* For the library's own words and numbers. */
void vg_text_add(struct vg_text *text, const char *format, ...) VG_PRINTF(2, 3);

/* For names: control characters and bytes beyond ASCII come out as \xNN; cut after 80 characters. NULL adds
 * a question mark. */
void vg_text_name(struct vg_text *text, const char *name);

/* "41.2 s", "800 ms", "12 us". */
void vg_text_duration(struct vg_text *text, uint64_t ns);

struct vg_site;

/* "conn.c:224", from the last two parts of the path. A question mark for NULL. */
void vg_text_site(struct vg_text *text, const struct vg_site *site);
void vg_text_place(struct vg_text *text, const struct vg_place *place);

/* The name of the async function that a site is in. */
void vg_text_func(struct vg_text *text, const struct vg_site *site);

/* "1.3": the third task that worker 1 spawned; "out.3": that threads outside spawned. */
void vg_text_task(struct vg_text *text, uint64_t id);

#endif
