/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "listing.h"

enum { PAGE_MAX = 64 * 1024 }; /* one task, at most */

int vg_dump(struct vg_liveness *live, uint64_t task, FILE *out)
{
    struct vg_page page;
    struct vg_listing listing = {.live = live, .page = &page, .out = out, .only = task};
    int rc = 0;

    vg_page_init(&page, &live->alloc, PAGE_MAX);
    vg_live_hold(live);
    vg_list_tasks(&listing);
    vg_live_release(live);
    if (page.no_memory)
        rc = -ENOMEM;
    else if (task != 0 && listing.shown == 0)
        rc = -ESRCH;
    if (task == 0)
        fprintf(out, "%llu tasks\n", (unsigned long long)listing.shown);
    vg_page_free(&page);
    return rc;
}

void vg_dump_if_asked(struct vg_liveness *live)
{
    /* Acquire: nothing is published; the exchange takes the request, once. */
    if (vg_load(&live->dump_asked, relaxed) == 0 || vg_xchg(&live->dump_asked, 0u, acq_rel) == 0)
        return;
    (void)vg_dump(live, 0, stderr);
    fflush(stderr);
}

/* In the handler: no more than a store and a system call. */
static void ask(void *arg)
{
    struct vg_liveness *live = (struct vg_liveness *)arg;

    vg_store(&live->dump_asked, 1u, relaxed);
    vg_watchdog_kick(&live->watchdog);
}

int vg_dump_open(struct vg_liveness *live)
{
    return live->config.dump_signal == 0 ? 0 : vg_os_signal(live->config.dump_signal, ask, live);
}

void vg_dump_close(struct vg_liveness *live)
{
    if (live->config.dump_signal != 0)
        vg_os_signal_end(live->config.dump_signal);
}
