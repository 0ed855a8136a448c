/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_LAB_H
#define VIGIL_TESTS_LIVENESS_LAB_H

#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

#include "counting_alloc.h"
#include "harness.h"
#include "sim.h"

/*
 * An executor on the simulator with the instruments on, and every report they make. Times are exact:
 * milliseconds since the lab was opened. The watch looks every 10 ms.
 */

enum { LAB_REPORTS = 8 };

struct lab_report {
    struct vg_report report;
    uint64_t ms; /* when it was delivered */
    uint64_t at; /* the decisive event, ms */
    char text[8192];
};

struct lab {
    struct sim sim;
    struct vg_exec *exec;
    struct vg_liveness *live;
    uint64_t start;
    unsigned count; /* reports, endings not included */
    unsigned ends;
    struct lab_report seen[LAB_REPORTS], end[LAB_REPORTS];
    struct vg_mutex mutex, other;
};

static inline uint64_t lab_ms(const struct lab *lab)
{
    return (sim_now(&lab->sim) - lab->start) / 1000000;
}

static inline uint64_t lab_at(const struct lab *lab, uint64_t ms)
{
    return lab->start + VG_MSEC(ms);
}

static inline void lab_record(const struct vg_report *report, void *arg)
{
    struct lab *lab = (struct lab *)arg;
    struct lab_report *seen = report->ended ? &lab->end[lab->ends++] : &lab->seen[lab->count++];

    CHECK(lab->count < LAB_REPORTS && lab->ends < LAB_REPORTS);
    CHECK(strlen(report->text) < sizeof seen->text);
    seen->report = *report;
    seen->report.text = NULL;
    seen->ms = lab_ms(lab);
    seen->at = (report->at - lab->start) / 1000000;
    strcpy(seen->text, report->text);
}

static inline void lab_scan(void *arg, uint64_t now)
{
    vg_watch_scan((struct vg_liveness *)arg, now);
}

/* With reports going elsewhere; that must call lab_record(). */
static inline void lab_open_for(struct lab *lab, uint64_t seed, bool healing,
                                void (*report)(const struct vg_report *report, void *arg),
                                void *arg)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config;

    sim_open(&lab->sim, seed, 1 + (unsigned)(seed % 4));
    lab->sim.limits.drift_ns = 0;
    lab->start = sim_now(&lab->sim);
    lab->count = lab->ends = 0;
    watch.report = report;
    watch.arg = arg;
    watch.to_stderr = false;
    watch.manual = true;
    watch.hints = true;
    watch.alloc = &test_alloc;
    CHECK_EQ(vg_liveness_open(&lab->live, &watch), 0);
    config = sim_config(&lab->sim);
    config.probe = vg_liveness_probe(lab->live);
    config.no_healing = !healing;
    config.quiet = true;
    CHECK_EQ(vg_exec_open(&lab->exec, &config), 0);
    sim_set_watch(&lab->sim, lab_scan, lab->live, VG_MSEC(10));
    vg_mutex_init(&lab->mutex, "L");
    vg_mutex_init(&lab->other, "other");
}

static inline void lab_open(struct lab *lab, uint64_t seed, bool healing)
{
    lab_open_for(lab, seed, healing, lab_record, lab);
}

/* 0, or -EDEADLK if the future hangs for ever. What was found by then has been reported. */
static inline int lab_run(struct lab *lab, struct vg_future *fut)
{
    const int rc = vg_block_on(lab->exec, fut);

    vg_watch_scan(lab->live, sim_now(&lab->sim));
    return rc;
}

static inline void lab_close(struct lab *lab)
{
    CHECK_EQ(vg_exec_close(lab->exec, VG_SEC(600)), 0);
    vg_mutex_fini(&lab->mutex);
    vg_mutex_fini(&lab->other);
    vg_liveness_close(lab->live);
    sim_close(&lab->sim);
}

/* For sim_run(): no task lives. The lab is `arg`, or the first member of what is. */
static inline bool lab_is_empty(void *arg)
{
    return vg_exec_live(((const struct lab *)arg)->exec) == 0;
}

static inline void lab_silent(const struct lab *lab)
{
    if (lab->count > 0)
        FAIL("a report that is not due:\n%s", lab->seen[0].text);
    CHECK_EQ(lab->ends, 0);
}

/* Exactly one report, of this kind. */
static inline const struct lab_report *lab_only(const struct lab *lab, enum vg_verdict verdict)
{
    if (lab->count == 0)
        FAIL("no report");
    if (lab->count > 1)
        FAIL("more than one report:\n%s%s", lab->seen[0].text, lab->seen[1].text);
    if (lab->seen[0].report.verdict != verdict)
        FAIL("not a %s:\n%s", vg_verdict_name(verdict), lab->seen[0].text);
    return &lab->seen[0];
}

static inline bool lab_site_is(const struct vg_site *site, const char *func, int line)
{
    return site != NULL && strcmp(site->func, func) == 0 && site->line == line;
}

/* That the site is on this line of this async function, as the report's text says, too. */
#define CHECK_SITE(seen, site, function, at_line)                                                  \
    do {                                                                                           \
        char vg_text_[64];                                                                         \
        if (!lab_site_is((site), #function "_body", (at_line)))                                    \
            FAIL("%s is not on line %d of %s:\n%s", #site, (at_line), #function, (seen)->text);    \
        snprintf(vg_text_, sizeof vg_text_, ":%d", (at_line));                                     \
        CHECK_STR((seen)->text, vg_text_);                                                         \
    } while (0)

/* Locks a mutex when it comes, holds it, unlocks. */
struct holder {
    VG_FRAME(int);
    struct lab *lab;
    struct vg_mutex *mutex;
    uint64_t arrive, hold;
    struct vg_sleep nap;
    struct vg_lock lock;
    int rc;
};

static int holder_lock_line, holder_unlock_line;

VG_ASYNC(holder)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, lab_at(f->lab, f->arrive)));
    holder_lock_line = __LINE__ + 1;
    VG_TRY(f->rc, vg_lock(&f->lock, f->mutex));
    holder_unlock_line = f->hold > 0 ? __LINE__ + 2 : holder_lock_line; /* the site it comes from */
    if (f->hold > 0)
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->hold)));
    vg_unlock(f->mutex);
    VG_RETURN(f->rc);
}

static inline struct holder *holder(struct holder *f, struct lab *lab, struct vg_mutex *mutex,
                                    uint64_t arrive, uint64_t hold)
{
    VG_SETUP(f, holder);
    f->lab = lab;
    f->mutex = mutex;
    f->arrive = arrive;
    f->hold = hold;
    return f;
}

#endif
