/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_EXAMPLES_FUTURELOCK_H
#define VIGIL_EXAMPLES_FUTURELOCK_H

#include <stdio.h>

#include <vigil/combine.h>
#include <vigil/liveness.h>
#include <vigil/mutex.h>

/* Exit codes. */
enum {
    FL_FINISHED = 0,
    FL_FAILED = 1, /* could not start, or hung without a report */
    FL_USAGE = 2,
    FL_HUNG = 3, /* at the deadline it still ran, and the futurelock had been reported */
};

enum { FL_STEPS_MAX = 4, FL_REPORTS_MAX = 8 };

struct fl_options {
    enum vg_policy policy;
    bool healing;
    unsigned deadline_ms;
    const char *report; /* file for the report as JSON; NULL: none */
};

/* What a report said, kept for the end. */
struct fl_report {
    struct vg_report report; /* without its text */
    char *text;
};

/* What happened. */
struct story {
    struct fl_options options;
    const char *step[FL_STEPS_MAX]; /* who was through with the mutex, in order; guarded by it */
    unsigned steps;
    int op1, op2; /* results; 1: not awaited to the end */
    bool hung;
    uint64_t took;                           /* until everything had ended, or the deadline */
    struct fl_report report[FL_REPORTS_MAX]; /* by the thread that makes reports */
    unsigned reports;
};

/* 0, FL_USAGE after a line on stderr, or -1: help was asked for and printed. */
int fl_args(struct fl_options *options, int argc, char **argv);
const char *fl_policy_name(enum vg_policy policy);

/* For vg_liveness_config.report; arg is the story. */
void fl_keep_report(const struct vg_report *report, void *arg);

/* Reports of a futurelock that began; *healed: how many of them were over as soon as they began. */
unsigned fl_futurelocks(const struct story *story, unsigned *healed);

void fl_print(const struct story *story, FILE *out);
int fl_write(const struct story *story, const struct vg_snapshot *snapshot);
void fl_forget(struct story *story);

#endif
