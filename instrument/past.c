/* SPDX-License-Identifier: MIT */
#include "past.h"

#include <stdio.h>

#include "vg_spin.h"

void vg_past_add(struct vg_past *past, const struct vg_report *report)
{
    struct vg_past_report *entry = &past->entry[past->made % VG_PAST_MAX];

    vg_spin_lock(&past->guard);
    entry->number = ++past->made;
    entry->report = *report;
    snprintf(entry->text, sizeof entry->text, "%s", report->text);
    entry->report.text = entry->report.stack = NULL; /* the caller's; the stack is in the text */
    vg_spin_unlock(&past->guard);
}

bool vg_past_copy(struct vg_past *past, unsigned i, struct vg_past_report *out)
{
    vg_spin_lock(&past->guard);
    *out = past->entry[i];
    vg_spin_unlock(&past->guard);
    return out->number > 0;
}
