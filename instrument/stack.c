/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "live.h"
#include "vg_stack.h"

/* What a worker that is in a poll says of itself when it is asked. */

static const uint64_t PATIENCE = VG_MSEC(100);

enum { NAME = 160 };

/* In the handler of a signal. */
static void note_where(void *arg)
{
    struct vg_asked *asked = (struct vg_asked *)arg;

    asked->polling = vg_polling_here(&asked->here);
}

static void name_frame(const struct vg_liveness *live, unsigned i, char *name)
{
    /* What returns to an address was called just before it. */
    const char *address = (const char *)live->asked.stack.frame[i] - (i > 0);

    name[0] = '\0';
    if (live->config.symbolize != NULL)
        live->config.symbolize(live->config.symbolize_arg, address, name, NAME);
    if (name[0] == '\0')
        vg_stack_name(address, name, NAME);
    name[NAME - 1] = '\0';
}

static void write_stack(struct vg_liveness *live)
{
    char name[NAME];
    struct vg_text text;

    vg_text_init(&text, live->asked.text, sizeof live->asked.text);
    for (unsigned i = 0; i < live->asked.stack.frames; i++) {
        name_frame(live, i, name);
        vg_text_add(&text, "#%-3u%s\n", i, name);
    }
}

bool vg_ask_worker(struct vg_liveness *live, int thread, uint64_t task, struct vg_report *report)
{
    struct vg_asked *asked = &live->asked;

    if (live->config.stack_signal < 0 ||
        !vg_stack_take(thread, &asked->stack, note_where, asked, PATIENCE))
        return false;
    if (!asked->polling || asked->here.task != task)
        return false; /* that poll is over */
    report->parent.type = asked->here.future;
    report->parent.frame = asked->here.frame;
    report->parent.site = asked->here.site;
    write_stack(live);
    report->stack = asked->text;
    return true;
}
