/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <vigil/async.h>
#include <vigil/base.h>

#include "worker.h"

static void describe_task(const struct vg_cx *cx)
{
    const struct vg_place *place = vg_load(&cx->task->place, relaxed);
    const struct vg_site *site = cx->self != NULL ? vg_site_of(cx->self) : NULL;

    fprintf(stderr, "vigil:   in task %s", vg_load(&cx->task->name, relaxed));
    if (place != NULL)
        fprintf(stderr, ", spawned at %s:%d", place->file, place->line);
    if (cx->self != NULL)
        fprintf(stderr, ", polling %s", cx->self->ops->name);
    if (site != NULL)
        fprintf(stderr, ", at %s:%d: %s", site->file, site->line, site->expr);
    fputc('\n', stderr);
}

void vg_panic_at(const char *file, int line, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "vigil: panic at %s:%d: ", file, line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    if (vg_worker_here != NULL && vg_worker_here->cx != NULL)
        describe_task(vg_worker_here->cx);
    abort();
}
