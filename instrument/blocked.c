/* SPDX-License-Identifier: MIT */
#include "blocked.h"

void vg_blocked_begin(struct vg_blocked *blocked, const struct vg_worker_info *info,
                      const struct vg_blocked_look *look)
{
    *blocked = (struct vg_blocked){
        .task = info->polling,
        .polls = info->polls,
        .thread = info->thread,
        .first_cpu = look->cpu,
        .last = *look,
    };
}

static bool is_asleep(const struct vg_blocked_look *look)
{
    return look->has_os && (look->os.state == 'S' || look->os.state == 'D');
}

static uint64_t without(uint64_t length, uint64_t part)
{
    return length > part ? length - part : 0;
}

/* A thread that is asleep has done with its waiting for a processor: the count of that is complete. */
static uint64_t slept_between(const struct vg_blocked_look *last,
                              const struct vg_blocked_look *look)
{
    uint64_t length = look->at - last->at;

    if (!is_asleep(last) || !is_asleep(look))
        return 0;
    length = without(length, look->os.ran - last->os.ran);
    return without(length, look->os.waited - last->os.waited);
}

/* Of a time in which the process may have stood still: how long the thread was certainly there, if not running. */
static uint64_t accounted_for(const struct vg_blocked_look *last,
                              const struct vg_blocked_look *look)
{
    if (!last->has_os || !look->has_os)
        return 0;
    if (is_asleep(last) && is_asleep(look) && last->os.switches == look->os.switches)
        return look->at - last->at; /* to be stopped it would have had to wake up */
    return look->os.ran - last->os.ran + look->os.waited - last->os.waited;
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t lasted_between(const struct vg_blocked_look *last,
                               const struct vg_blocked_look *look,
                               const struct vg_blocked_limits *limits)
{
    const uint64_t length = look->at - last->at;

    if (length <= limits->planned + limits->took + VG_BLOCKED_STANDSTILL)
        return length;
    return at_most(length, at_least(limits->planned, accounted_for(last, look)));
}

bool vg_blocked_add(struct vg_blocked *blocked, const struct vg_blocked_look *look,
                    const struct vg_blocked_limits *limits, bool first)
{
    const uint64_t length = look->at - blocked->last.at;

    if (length <= limits->planned + VG_BLOCKED_SLACK)
        blocked->slept += slept_between(&blocked->last, look);
    blocked->lasted += lasted_between(&blocked->last, look, limits);
    if (look->cpu > blocked->first_cpu)
        blocked->computed = look->cpu - blocked->first_cpu;
    blocked->lasted = at_least(blocked->lasted, blocked->computed);
    if (blocked->computed >= limits->blocked || blocked->slept >= limits->blocked)
        blocked->found = true;
    blocked->last = *look;
    if (blocked->never_yields || !first || blocked->computed < VG_BLOCKED_NEVER)
        return false;
    blocked->never_yields = true;
    return true;
}
