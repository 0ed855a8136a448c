/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_CORPUS_H
#define VIGIL_TESTS_LIVENESS_CORPUS_H

#include "../lab.h"

/*
 * The corpus: programs with a liveness fault that real programs have had, and the nearest correct programs. Each is run
 * on the simulator under many seeds. The faulty one must be reported once, in time, with what the table names; its
 * look-alikes must be silent.
 */

enum { CORPUS_NAMES = 5, CORPUS_LINES = 3 };

struct corpus_case {
    const char *id;
    enum vg_verdict verdict;
    uint64_t decisive; /* ms: when the fault becomes one */
    uint64_t due;      /* ms after that: 50 if the state itself proves it */
    /* Runs the program (0), or one of its look-alikes (1 to twins), for as long as anything happens. */
    int (*play)(struct lab *lab, unsigned twin);
    unsigned twins;
    bool heals;                      /* with healing on, the program comes to its end */
    bool busy;                       /* it never rests, so each step takes time */
    const char *names[CORPUS_NAMES]; /* that the report contains: the future, the resource */
    const int *lines[CORPUS_LINES];  /* and the places, in these files */
};

/* Each file's cases, up to one without an id. */
extern const struct corpus_case corpus_children[], corpus_futurelocks[], corpus_handed[],
    corpus_pending[], corpus_wakes[], corpus_resources[], corpus_rings[], corpus_spins[],
    corpus_locks[], corpus_drops[], corpus_waits[], corpus_crowds[];

/* Correct programs that look suspicious; `verdict` and what follows it are not used. */
extern const struct corpus_case corpus_controls[], corpus_controls_cancel[], corpus_controls_wake[];

/* Has a root task run to its end, or until nothing happens any more. */
#define PLAY(lab, frame) lab_run((lab), &(frame)->fut)

/* Runs while any task lives, so long. */
int corpus_play_for(struct lab *lab, uint64_t ns);
int corpus_play_all(struct lab *lab); /* an hour */

#endif
