/* SPDX-License-Identifier: MIT */
#include "listing.h"

#include <vigil/exec.h>

#include "vg_os.h"

enum { ROOM = 32 * 1024 }; /* for one task, and the end of the page */

/* True: it was idle, and this is what it waits for. */
static bool copy_idle(struct vg_listing *listing, struct vg_task *task, struct vg_task_state *state)
{
    const uint64_t began = vg_os_now();

    if (!vg_inspect_begin(task))
        return false;
    vg_task_info(task, &state->info); /* another task may be in the slot by now */
    vg_tree_copy(&state->tree, task, NULL, NULL);
    vg_inspect_end(task);
    listing->claims++;
    listing->slow_claims += vg_os_now() - began > VG_MSEC(1);
    return true;
}

static void describe_owned(const struct vg_listing *listing, struct vg_task_state *state)
{
    state->kind = VG_TASK_SCHEDULED;
    for (unsigned i = 0; i < listing->workers; i++) {
        if (state->info.woken_at == 0 && listing->polling[i] == state->info.id) {
            state->kind = VG_TASK_RUNNING;
            state->worker = i;
        }
    }
}

static void flush(struct vg_listing *listing)
{
    fwrite(listing->page->data, 1, listing->page->length, listing->out);
    listing->page->length = 0;
}

static bool visit(struct vg_task *task, void *arg)
{
    struct vg_listing *listing = (struct vg_listing *)arg;
    struct vg_task_state state = {.kind = VG_TASK_IDLE};

    vg_task_info(task, &state.info);
    if (state.info.ended || (listing->only != 0 && state.info.id != listing->only))
        return true;
    if (listing->out == NULL && !vg_page_has_room(listing->page, ROOM)) {
        listing->left_out++;
        return true;
    }
    if (state.info.running || !copy_idle(listing, task, &state)) {
        vg_task_info(task, &state.info);
        describe_owned(listing, &state);
    }
    if (listing->json)
        vg_page_task_json(listing->page, &state, listing->now, listing->shown == 0);
    else
        vg_page_task_text(listing->page, &state, listing->now);
    listing->shown++;
    if (listing->out != NULL)
        flush(listing);
    return true;
}

void vg_list_tasks(struct vg_listing *listing)
{
    struct vg_exec *exec = listing->live->exec;
    struct vg_worker_info info;

    listing->now = vg_live_now(listing->live);
    if (exec == NULL)
        return;
    listing->workers = listing->live->workers;
    for (unsigned i = 0; i < listing->workers; i++) {
        vg_exec_worker(exec, i, &info);
        listing->polling[i] = info.polling;
    }
    vg_exec_each_task(exec, visit, listing);
}
