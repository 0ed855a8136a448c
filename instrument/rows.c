/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include "live.h"
#include "vg_mix.h"

static unsigned slot_of(uint64_t task, const struct vg_site *site)
{
    return (unsigned)(vg_mix(task ^ (uintptr_t)site) >> 32) % VG_ROWS;
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

static bool is_row(const struct vg_round_row *row, uint64_t task, const struct vg_site *site)
{
    return vg_load(&row->task, relaxed) == task && vg_load(&row->site, relaxed) == site;
}

static void begin_rounds(struct vg_round_row *row, uint64_t task, const struct vg_site *site)
{
    vg_store(&row->posted, 0u, relaxed);
    vg_store(&row->task, task, relaxed);
    vg_store(&row->site, site, relaxed);
    row->rounds = row->ready = 0;
}

static bool is_starved(const struct vg_round_row *row, uint64_t now)
{
    return row->ready >= VG_ROUNDS_MANY ||
           (row->ready >= 2 * VG_ROUNDS_LOOK && now - row->since >= VG_MSEC(100));
}

void vg_rows_round(struct vg_liveness *live, unsigned worker, const struct vg_rounds *rounds,
                   uint64_t now)
{
    const struct vg_site *site = vg_site_of(rounds->select);
    const uint64_t task = id_of(rounds->task);
    struct vg_round_row *row = &vg_lane_of(live, worker)->rows.round[slot_of(task, site)];

    if (rounds->passed == NULL || rounds->passed->ops->is_ready == NULL) {
        if (is_row(row, task, site))
            begin_rounds(row, 0, NULL);
        return;
    }
    if (!is_row(row, task, site))
        begin_rounds(row, task, site);
    vg_store(&row->at, now, relaxed);
    if (++row->rounds % VG_ROUNDS_LOOK != 0)
        return;
    look(row, rounds->passed, now);
    if (row->ready == 0)
        vg_store(&row->posted, 0u, relaxed);
    if (vg_load(&row->posted, relaxed) != 0 || !is_starved(row, now))
        return;
    post_arm(live, worker, rounds, row, now);
    vg_store(&row->posted, 1u, relaxed);
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

static void begin_refusals(struct vg_refusal_row *row, uint64_t task)
{
    vg_store(&row->posted, 0u, relaxed);
    vg_store(&row->task, task, relaxed);
    row->refused = row->useful = row->busy = 0;
}

void vg_rows_refused(struct vg_liveness *live, unsigned worker, const struct vg_refused *refused)
{
    const uint64_t task = id_of(refused->task);
    struct vg_refusal_row *row = &vg_lane_of(live, worker)->rows.refusal[slot_of(task, NULL)];
    bool in_vain;

    if (vg_load(&row->task, relaxed) != task)
        begin_refusals(row, task);
    row->refused += refused->refused;
    row->useful += refused->got_on;
    row->busy += refused->ended - refused->began;
    vg_store(&row->at, refused->ended, relaxed);
    if (row->busy < VG_MSEC(50))
        return;
    in_vain = row->refused >= VG_REFUSED_PER_USEFUL * row->useful;
    if (in_vain && vg_load(&row->posted, relaxed) == 0)
        post_refusals(live, worker, refused, row);
    vg_store(&row->posted, (uint32_t)in_vain, relaxed);
    row->refused = row->useful = row->busy = 0;
}

/* ---- what goes on --------------------------------------------------------------------------- */

static bool goes_on(const VG_ATOMIC(uint32_t) *posted, const VG_ATOMIC(uint64_t) *at, uint64_t now,
                    uint64_t *last)
{
    if (vg_load(posted, relaxed) == 0)
        return false;
    *last = vg_load(at, relaxed);
    return now < *last + VG_ROWS_STALE;
}

static bool stands_at(const struct vg_rows *rows, const struct vg_report *report, uint64_t now,
                      uint64_t *last)
{
    const struct vg_site *site = report->parent.site;
    const struct vg_round_row *round = &rows->round[slot_of(report->task, site)];
    const struct vg_refusal_row *refusal = &rows->refusal[slot_of(report->task, NULL)];

    if (report->verdict == VG_VERDICT_ARM_STARVED)
        return is_row(round, report->task, site) && goes_on(&round->posted, &round->at, now, last);
    return vg_load(&refusal->task, relaxed) == report->task &&
           goes_on(&refusal->posted, &refusal->at, now, last);
}

bool vg_rows_stand(const struct vg_liveness *live, const struct vg_report *report, uint64_t now,
                   uint64_t *last)
{
    for (unsigned i = 0; i < live->workers; i++)
        if (stands_at(&vg_lane_of(live, i)->rows, report, now, last))
            return true;
    return false;
}
