/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_ROOM_H
#define VIGIL_TESTS_LIVENESS_ROOM_H

#include <unistd.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

#include "counting_alloc.h"
#include "harness.h"
#include "vg_atomic.h"

/* An executor with real threads, the watchdog's included, and counts of what was reported. Nothing here
 * measures time: what takes too long ends with the test's own limit. */

enum { ROOM_REPORTS = 16 };

struct room_report {
    struct vg_report report;
    char text[8192];
};

struct room {
    struct vg_exec *exec;
    struct vg_liveness *live;
    struct vg_mutex mutex;
    /* Counted with a release each, which pairs with the acquire in wait_for(). */
    VG_ATOMIC(uint32_t) reports[VG_VERDICT_COUNT];
    VG_ATOMIC(uint32_t) ends;
    VG_ATOMIC(uint32_t) healed, confirmed;
    VG_ATOMIC(uint32_t) count; /* of those below, as the counts above */
    struct room_report seen[ROOM_REPORTS];
};

/* Reports are made by one thread at a time. */
static inline void keep(struct room *room, const struct vg_report *report)
{
    const uint32_t n = vg_load(&room->count, relaxed);

    if (n == ROOM_REPORTS)
        return;
    room->seen[n].report = *report;
    snprintf(room->seen[n].text, sizeof room->seen[n].text, "%s", report->text);
    vg_store(&room->count, n + 1, release);
}

static inline void record(const struct vg_report *report, void *arg)
{
    struct room *room = (struct room *)arg;

    CHECK(report->text[0] != '\0');
    keep(room, report);
    if (report->ended) {
        vg_fetch_add(&room->ends, 1, acq_rel);
        return;
    }
    vg_fetch_add(&room->healed, report->healed, acq_rel);
    vg_fetch_add(&room->confirmed, report->confidence == VG_CONFIRMED, acq_rel);
    vg_fetch_add(&room->reports[report->verdict], 1, acq_rel);
}

static inline void room_open(struct room *room, unsigned workers, bool healing)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;

    memset(room, 0, sizeof *room);
    watch.report = record;
    watch.arg = room;
    watch.to_stderr = false;
    watch.alloc = &test_alloc;
    CHECK_EQ(vg_liveness_open(&room->live, &watch), 0);
    config.workers = workers;
    config.alloc = &test_alloc;
    config.probe = vg_liveness_probe(room->live);
    config.no_healing = !healing;
    CHECK_EQ(vg_exec_open(&room->exec, &config), 0);
    vg_mutex_init(&room->mutex, "room");
}

static inline void room_close(struct room *room)
{
    CHECK_EQ(vg_exec_close(room->exec, VG_SEC(60)), 0);
    vg_mutex_fini(&room->mutex);
    vg_liveness_close(room->live);
}

static inline unsigned total(const struct room *room)
{
    unsigned n = 0;

    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++)
        n += vg_load(&room->reports[i], acquire);
    return n;
}

static inline void wait_for(VG_ATOMIC(uint32_t) *word, uint32_t value)
{
    while (vg_load(word, acquire) < value)
        usleep(1000);
}

static inline void wait_until_empty(const struct room *room)
{
    while (vg_exec_live(room->exec) > 0)
        usleep(1000);
}

#endif
