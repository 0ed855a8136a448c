/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_REAL_CASE_H
#define VIGIL_TESTS_LIVENESS_REAL_CASE_H

#include "room.h"
#include "vg_os.h"

/*
 * Cases of the corpus that need threads or sockets. What is faulty goes on until it has been reported; what is right runs for
 * a while, and nothing may be said of it. How long a report took is printed, and tested nowhere.
 */

static inline void print_report(const char *id, const struct room_report *seen, uint64_t since)
{
    printf("  %-34s %-20s %4llu ms (real time)\n", id, vg_verdict_name(seen->report.verdict),
           (unsigned long long)((vg_os_now() - since) / 1000000));
}

static inline void print_case(const char *id, const struct room *room, uint64_t since)
{
    print_report(id, &room->seen[0], since);
}

static inline void check_silent(const struct room *room)
{
    if (total(room) > 0)
        FAIL("a report that is not due:\n%s", room->seen[0].text);
}

#endif
