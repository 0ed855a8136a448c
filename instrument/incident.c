/* SPDX-License-Identifier: MIT */
#include "incident.h"

#include "sweep.h"
#include "vg_spin.h"
#include "walk.h"

static void count(VG_ATOMIC(uint64_t) *counter, uint64_t n)
{
    vg_store(counter, vg_load(counter, relaxed) + n, relaxed);
}

static bool is_same(const struct vg_incident *incident, const struct vg_evidence *evidence)
{
    return incident->open && incident->report.task == evidence->report.task &&
           incident->starved == evidence->starved;
}

static void remove_entry(struct vg_incidents *incidents, struct vg_incident *incident)
{
    vg_spin_lock(&incidents->guard);
    incident->open = false;
    vg_spin_unlock(&incidents->guard);
    vg_store(&incidents->open, vg_incidents_open(incidents) - 1, relaxed);
    count(&incidents->count[incident->report.verdict].active, UINT64_MAX);
}

/* What is worse about the same future is news: a child that was only snoozed now locks its task up; a future that
 * nothing can wake now hangs it. */
static bool is_news(const struct vg_report *known, const struct vg_report *report)
{
    if (report->verdict == VG_VERDICT_UNARMED_PENDING)
        return report->hangs && !known->hangs;
    return report->verdict == VG_VERDICT_FUTURELOCK && known->verdict != VG_VERDICT_FUTURELOCK;
}

/* A task that is locked up polls none of what its frame left behind: that is one finding. */
static bool explains(const struct vg_incident *incident, const struct vg_evidence *evidence)
{
    return incident->open && incident->report.verdict == VG_VERDICT_FUTURELOCK &&
           incident->report.task == evidence->report.task &&
           evidence->report.verdict == VG_VERDICT_SNOOZED_CHILD &&
           incident->report.parent.site == evidence->report.parent.site;
}

bool vg_incident_known(struct vg_incidents *incidents, const struct vg_evidence *evidence)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *incident = &incidents->incident[i];

        if (explains(incident, evidence))
            return true;
        if (!is_same(incident, evidence))
            continue;
        incident->polls = evidence->polls;
        return !is_news(&incident->report, &evidence->report);
    }
    return false;
}

static struct vg_incident *place_for(struct vg_incidents *incidents,
                                     const struct vg_evidence *evidence)
{
    struct vg_incident *unused = NULL;

    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        if (is_same(&incidents->incident[i], evidence))
            return &incidents->incident[i];
        if (!incidents->incident[i].open && unused == NULL)
            unused = &incidents->incident[i];
    }
    return unused != NULL ? unused : &incidents->incident[incidents->next++ % VG_INCIDENTS_MAX];
}

struct vg_incident *vg_incident_open(struct vg_incidents *incidents,
                                     const struct vg_evidence *evidence, bool muted)
{
    struct vg_incident *incident = place_for(incidents, evidence);

    if (incident->open)
        remove_entry(incidents, incident);
    vg_spin_lock(&incidents->guard);
    *incident = (struct vg_incident){
        .open = true,
        .muted = muted,
        .alive = true,
        .starved = evidence->starved,
        .resource = evidence->resource,
        .polls = evidence->polls,
        .last = evidence->report.at,
        .report = evidence->report,
    };
    incident->report.ring = NULL; /* the next one's */
    vg_spin_unlock(&incidents->guard);
    vg_store(&incidents->open, vg_incidents_open(incidents) + 1, relaxed);
    count(&incidents->count[evidence->report.verdict].active, 1);
    return incident;
}

/* Reports of the same kind. Polls are told apart before anybody knows where in its task they are. */
static void set_kind(struct vg_rate *rate, const struct vg_report *report)
{
    const bool poll =
        report->verdict == VG_VERDICT_BLOCKED_WORKER || report->verdict == VG_VERDICT_NEVER_YIELDED;

    rate->verdict = report->verdict;
    rate->parent = poll ? NULL : report->parent.site;
    rate->child = poll                           ? (const void *)report->task_name
                  : report->starved.site != NULL ? (const void *)report->starved.site
                                                 : (const void *)report->starved.type;
    rate->place = poll ? report->task_spawned : report->resource_place;
}

static bool is_kind(const struct vg_rate *rate, const struct vg_rate *kind)
{
    return rate->since != 0 && rate->verdict == kind->verdict && rate->parent == kind->parent &&
           rate->child == kind->child && rate->place == kind->place;
}

static struct vg_rate *rate_of(struct vg_incidents *incidents, const struct vg_report *report)
{
    struct vg_rate *oldest = &incidents->rate[0];
    struct vg_rate kind = {.since = report->at > 0 ? report->at : 1};

    set_kind(&kind, report);
    for (unsigned i = 0; i < VG_RATES_MAX; i++) {
        if (is_kind(&incidents->rate[i], &kind))
            return &incidents->rate[i];
        if (incidents->rate[i].since < oldest->since)
            oldest = &incidents->rate[i];
    }
    *oldest = kind;
    return oldest;
}

bool vg_incident_allowed(struct vg_incidents *incidents, const struct vg_report *report,
                         unsigned *suppressed)
{
    struct vg_rate *rate = rate_of(incidents, report);
    struct vg_incident_counts *counts = &incidents->count[report->verdict];

    if (report->at >= rate->since + VG_SEC(60)) {
        rate->since = report->at;
        rate->made = 0;
    }
    count(&counts->healed, report->healed);
    count(&counts->found[report->confidence], 1);
    if (rate->made == VG_REPORTS_PER_MINUTE) {
        rate->suppressed++;
        count(&counts->suppressed, 1);
        return false;
    }
    rate->made++;
    count(&counts->reported, 1);
    *suppressed = rate->suppressed;
    rate->suppressed = 0;
    return true;
}

void vg_incident_lasted(struct vg_incidents *incidents, enum vg_verdict verdict, uint64_t lasted)
{
    vg_hist_record(&incidents->count[verdict].lasted, lasted);
    count(&incidents->count[verdict].lasted_sum, lasted);
}

unsigned vg_incidents_copy(struct vg_incidents *incidents, struct vg_report out[VG_ACTIVE_MAX])
{
    unsigned copied = 0;

    vg_spin_lock(&incidents->guard);
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++)
        if (incidents->incident[i].open)
            out[copied++] = incidents->incident[i].report;
    for (unsigned i = 0; i < VG_WORKERS_MAX; i++)
        if (incidents->poll[i].open)
            out[copied++] = incidents->poll[i].report;
    vg_spin_unlock(&incidents->guard);
    return copied;
}

static void count_active(struct vg_incidents *incidents, const struct vg_report *report, int more)
{
    count(&incidents->count[report->verdict].active, (uint64_t)more);
}

void vg_incident_set_poll(struct vg_incidents *incidents, unsigned worker,
                          const struct vg_report *report)
{
    struct vg_incident_poll *const poll = &incidents->poll[worker];

    if (poll->open)
        count_active(incidents, &poll->report, -1);
    if (report != NULL)
        count_active(incidents, report, 1);
    vg_spin_lock(&incidents->guard);
    poll->open = report != NULL;
    if (report != NULL)
        poll->report = *report;
    vg_spin_unlock(&incidents->guard);
}

bool vg_incident_watches(const struct vg_incidents *incidents, uint64_t task)
{
    if (vg_incidents_open(incidents) == 0)
        return false;
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++)
        if (incidents->incident[i].open && incidents->incident[i].report.task == task)
            return true;
    return false;
}

void vg_incidents_begin(struct vg_incidents *incidents)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++)
        incidents->incident[i].alive = false;
}

static bool is_owed(const struct vg_incident *incident, struct vg_task *task)
{
    for (unsigned i = 0; i < VG_OWED_MAX; i++) {
        const struct vg_waiter *waiter = vg_task_owed(task, i);

        if (waiter == NULL)
            return false;
        if (waiter->fut == incident->starved && waiter->woken_at == incident->report.woken_at)
            return true;
    }
    return true; /* so many that it may be among the rest */
}

/* Once its task has been polled again, a future that hung it would have told so anew. */
static bool is_unarmed(const struct vg_incident *incident, struct vg_task *task,
                       const struct vg_task_info *info)
{
    struct vg_walk walk;
    struct vg_walk_item item;

    if (incident->report.hangs && info->polls != incident->polls)
        return false;
    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item))
        if (item.fut == incident->starved)
            return true;
    return walk.truncated;
}

static bool is_lost(const struct vg_incident *incident, struct vg_task *task)
{
    const struct vg_future *leaf = (const struct vg_future *)incident->starved;
    struct vg_find find;

    return vg_walk_finds(task, leaf) && vg_sweep_leaf(leaf, &find);
}

/* Nothing has come of its visits since. */
static bool still_spins(struct vg_incidents *incidents, struct vg_incident *incident,
                        const struct vg_task_info *task)
{
    if (task->fruitless < incident->report.visits)
        return false;
    vg_spin_lock(&incidents->guard);
    incident->report.visits = task->fruitless;
    vg_spin_unlock(&incidents->guard);
    return true;
}

static bool still_stands(struct vg_incidents *incidents, struct vg_incident *incident,
                         struct vg_task *task)
{
    struct vg_lockup lockup;
    struct vg_task_info info;

    vg_task_info(task, &info);
    if (incident->report.verdict == VG_VERDICT_UNARMED_PENDING)
        return is_unarmed(incident, task, &info);
    if (vg_is_spin(incident->report.verdict))
        return still_spins(incidents, incident, &info);
    if (vg_is_still(incident->report.verdict))
        return info.polls == incident->polls;
    if (vg_is_loss(incident->report.verdict))
        return is_lost(incident, task);
    if (vg_is_row(incident->report.verdict))
        return true; /* watch.c asks the row */
    if (incident->report.verdict == VG_VERDICT_CANCEL_STALLED)
        return vg_walk_finds(task, (const struct vg_future *)incident->starved);
    if (incident->report.verdict != VG_VERDICT_FUTURELOCK)
        return is_owed(incident, task);
    return vg_lockup_find(task, NULL, VG_LOCKUP_STANDING, &lockup) &&
           lockup.resource == incident->resource;
}

void vg_incidents_recheck(struct vg_incidents *incidents, struct vg_task *task, uint64_t id)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *incident = &incidents->incident[i];

        if (incident->open && incident->report.task == id)
            incident->alive = still_stands(incidents, incident, task);
    }
}

static bool may_stand(struct vg_incidents *incidents, struct vg_incident *incident,
                      const struct vg_task_info *task)
{
    switch (incident->report.verdict) {
    case VG_VERDICT_FUTURELOCK:
    case VG_VERDICT_UNARMED_PENDING:
    case VG_VERDICT_LOST_WAKEUP:
    case VG_VERDICT_CANCEL_LOSS:
    case VG_VERDICT_CANCEL_STALLED:
    case VG_VERDICT_ARM_STARVED:
    case VG_VERDICT_BUDGET_STARVED:
        return true;
    case VG_VERDICT_SELF_WAKE_SPIN:
    case VG_VERDICT_SPURIOUS_SPIN:
        return still_spins(incidents, incident, task);
    case VG_VERDICT_WAIT_CYCLE:
    case VG_VERDICT_RECURSIVE_WAIT:
    case VG_VERDICT_HOARDED_RESERVATION:
    case VG_VERDICT_UNFAIR_LOCK:
    case VG_VERDICT_NEVER_POLLED:
        return false; /* it goes on */
    default:
        return task->owed_since != 0;
    }
}

void vg_incidents_keep(struct vg_incidents *incidents, const struct vg_task_info *task)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *incident = &incidents->incident[i];

        if (incident->open && incident->report.task == task->id)
            incident->alive = may_stand(incidents, incident, task);
    }
}

const struct vg_incident *vg_incidents_close_next(struct vg_incidents *incidents)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *incident = &incidents->incident[i];

        if (!incident->open || incident->alive)
            continue;
        remove_entry(incidents, incident);
        return incident;
    }
    return NULL;
}
