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

bool vg_blocked_add(struct vg_blocked *blocked, const struct vg_blocked_look *look,
                    const struct vg_blocked_limits *limits, bool first)
{
    const uint64_t length = without(look->at, blocked->last.at);

    if (length <= limits->planned + VG_BLOCKED_SLACK)
        blocked->slept += slept_between(&blocked->last, look);
    blocked->lasted +=
        length <= limits->planned + limits->took + VG_BLOCKED_STANDSTILL ? length : limits->planned;
    if (look->cpu > blocked->first_cpu)
        blocked->computed = look->cpu - blocked->first_cpu;
    if (blocked->lasted < blocked->computed)
        blocked->lasted = blocked->computed;
    if (blocked->computed >= limits->blocked || blocked->slept >= limits->blocked)
        blocked->found = true;
    blocked->last = *look;
    if (blocked->never_yields || !first || blocked->computed < VG_BLOCKED_NEVER)
        return false;
    blocked->never_yields = true;
    return true;
}
