/* SPDX-License-Identifier: MIT */
#include <vigil/exec.h>

#include "page_tree.h"
#include "telemetry.h"

/*
 * Every task that has not ended. An idle one is held while its tree is copied; nothing is printed, allocated or
 * waited for meanwhile. Of one that is queued or running only words are read that it publishes.
 */

enum { ROOM = 32 * 1024 }; /* for one task, and the end of the page */

struct listing {
    struct vg_telemetry *telemetry;
    struct vg_page *page;
    bool json;
    uint64_t now;
    unsigned workers;
    uint64_t polling[VG_WORKERS_MAX]; /* tasks that workers were polling when this began */
    uint64_t shown, left_out;
};

/* True: it was idle, and this is what it waits for. */
static bool copy_idle(struct listing *listing, struct vg_task *task, struct vg_task_state *state)
{
    struct vg_telemetry_figures *figures = &listing->telemetry->figures;
    const uint64_t began = vg_os_now();

    if (!vg_inspect_begin(task))
        return false;
    vg_task_info(task, &state->info); /* another task may be in the slot by now */
    vg_tree_copy(&state->tree, task, NULL, NULL);
    vg_inspect_end(task);
    figures->claims++;
    figures->slow_claims += vg_os_now() - began > VG_MSEC(1);
    return true;
}

static void describe_owned(const struct listing *listing, struct vg_task_state *state)
{
    state->kind = VG_TASK_SCHEDULED;
    for (unsigned i = 0; i < listing->workers; i++) {
        if (state->info.woken_at == 0 && listing->polling[i] == state->info.id) {
            state->kind = VG_TASK_RUNNING;
            state->worker = i;
        }
    }
}

static bool visit(struct vg_task *task, void *arg)
{
    struct listing *listing = (struct listing *)arg;
    struct vg_task_state state = {.kind = VG_TASK_IDLE};

    vg_task_info(task, &state.info);
    if (state.info.ended)
        return true;
    if (!vg_page_has_room(listing->page, ROOM)) {
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
    return true;
}

static void walk(struct listing *listing)
{
    struct vg_exec *exec = listing->telemetry->live->exec;
    struct vg_worker_info info;

    listing->now = vg_live_now(listing->telemetry->live);
    if (exec == NULL)
        return;
    listing->workers = listing->telemetry->live->workers;
    for (unsigned i = 0; i < listing->workers; i++) {
        vg_exec_worker(exec, i, &info);
        listing->polling[i] = info.polling;
    }
    vg_exec_each_task(exec, visit, listing);
}

void vg_page_tasks(struct vg_telemetry *telemetry, struct vg_page *page, bool json)
{
    struct listing listing = {.telemetry = telemetry, .page = page, .json = json};

    if (json)
        vg_page_add(page, "{\"tasks\":[");
    vg_live_hold(telemetry->live);
    walk(&listing);
    vg_live_release(telemetry->live);
    if (json)
        vg_page_add(page, "\n],\"shown\":%llu,\"left_out\":%llu}\n",
                    (unsigned long long)listing.shown, (unsigned long long)listing.left_out);
    else
        vg_page_add(page, "%llu tasks shown, %llu left out\n", (unsigned long long)listing.shown,
                    (unsigned long long)listing.left_out);
}
