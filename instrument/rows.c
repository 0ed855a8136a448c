/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include "live.h"

static unsigned slot_of(uint64_t task, const struct vg_site *site)
{
    return (unsigned)((task ^ (uintptr_t)site) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % VG_ROWS;
}

static uint64_t id_of(struct vg_task *task)
{
    struct vg_task_info info;

    vg_task_info(task, &info);
    return info.id;
}

/* ---- biased selects ------------------------------------------------------------------------- */

static void look(struct vg_round_row *row, const struct vg_future *arm, uint64_t now)
{
    if (!arm->ops->is_ready(arm)) {
        row->ready = 0;
        return;
    }
    if (row->ready == 0)
        row->since = now;
    row->ready += VG_ROUNDS_LOOK;
}

static void post_arm(struct vg_liveness *live, unsigned worker, const struct vg_rounds *rounds,
                     const struct vg_round_row *row, uint64_t now)
{
    struct vg_evidence *evidence = vg_post_begin(vg_lane_of(live, worker));

    if (evidence == NULL)
        return;
    vg_evidence_arm(evidence, rounds, row, now);
    vg_post_end(live, vg_lane_of(live, worker));
}

void vg_rows_round(struct vg_liveness *live, unsigned worker, const struct vg_rounds *rounds,
                   uint64_t now)
{
    const struct vg_site *site = vg_site_of(rounds->select);
    const uint64_t task = id_of(rounds->task);
    struct vg_round_row *row = &vg_lane_of(live, worker)->rows.round[slot_of(task, site)];

    if (rounds->passed == NULL || rounds->passed->ops->is_ready == NULL) {
        if (row->task == task && row->site == site)
            row->task = 0;
        return;
    }
    if (row->task != task || row->site != site)
        *row = (struct vg_round_row){.task = task, .site = site};
    if (++row->rounds % VG_ROUNDS_LOOK != 0 || row->posted)
        return;
    look(row, rounds->passed, now);
    if (row->ready < VG_ROUNDS_MANY &&
        (row->ready < 2 * VG_ROUNDS_LOOK || now - row->since < VG_MSEC(100)))
        return;
    post_arm(live, worker, rounds, row, now);
    row->posted = true;
}

/* ---- budgets -------------------------------------------------------------------------------- */

static void post_refusals(struct vg_liveness *live, unsigned worker,
                          const struct vg_refused *refused, const struct vg_refusal_row *row)
{
    struct vg_evidence *evidence = vg_post_begin(vg_lane_of(live, worker));

    if (evidence == NULL)
        return;
    vg_evidence_refused(evidence, refused, row);
    vg_post_end(live, vg_lane_of(live, worker));
}

void vg_rows_refused(struct vg_liveness *live, unsigned worker, const struct vg_refused *refused)
{
    const uint64_t task = id_of(refused->task);
    struct vg_refusal_row *row = &vg_lane_of(live, worker)->rows.refusal[slot_of(task, NULL)];

    if (row->task != task)
        *row = (struct vg_refusal_row){.task = task};
    row->refused += refused->refused;
    row->useful += refused->got_on;
    row->busy += refused->ended - refused->began;
    if (row->busy < VG_MSEC(50))
        return;
    if (!row->posted && row->refused >= VG_REFUSED_PER_USEFUL * row->useful) {
        post_refusals(live, worker, refused, row);
        row->posted = true;
    }
    row->refused = row->useful = row->busy = 0;
}
