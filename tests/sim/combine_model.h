/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SIM_COMBINE_MODEL_H
#define VIGIL_TESTS_SIM_COMBINE_MODEL_H

#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/set.h>

#include "world.h"

/* Trees of combinators, and a model of them, which says to the tick when each part ends and with which result. */

enum kind { NAP, RACE, JOIN, TIMEOUT, SEQUENCE, SET, KINDS };
enum { KIDS = 4, DEPTH = 4, TREES = 6, ANYTHING = 1000 };

struct part;

/* Runs its kids one after the other; when it is cancelled it goes on to its clean-up. */
struct sequence {
    VG_FRAME(int);
    struct part *part;
    unsigned i;
    VG_CHILDREN(1) one;
    struct vg_sleep cleanup;
};

/* Has its kids run in a set, and takes them as they end. */
struct crowd {
    VG_FRAME(int);
    struct part *part;
    unsigned taken;
    struct vg_set set;
    struct vg_set_next next;
    struct vg_set_item item[KIDS];
};

struct part {
    enum kind kind;
    unsigned kids;
    struct part *kid[KIDS];
    uint64_t ns; /* of the nap, the limit, the clean-up */
    /* what the model says, and what happened */
    bool will_run;
    uint64_t will_end, ended;
    int will_return;
    union {
        struct vg_sleep nap;
        VG_ARMS(KIDS) arms;
        VG_CHILDREN(KIDS) all;
        struct vg_timeout timeout;
        struct sequence sequence;
        struct crowd crowd;
    } u;
};

struct tree {
    struct part *root; /* a sequence */
    struct vg_handle task;
    uint64_t cancel_at;
    bool tie; /* two things happen in one tick: the model does not say which comes first */
};

static uint64_t tick_of(uint64_t time)
{
    return (time + VG_MSEC(1) - 1) / VG_MSEC(1) * VG_MSEC(1);
}

static uint64_t end_of(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel);

static bool before(struct tree *tree, uint64_t a, uint64_t b)
{
    tree->tie = tree->tie || a == b;
    return a < b;
}

static uint64_t last_end(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel,
                         unsigned except)
{
    uint64_t last = start;

    for (unsigned i = 0; i < part->kids; i++) {
        uint64_t end = i == except ? start : end_of(tree, part->kid[i], start, cancel);
        last = end > last ? end : last;
    }
    return last;
}

static uint64_t race_end(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel)
{
    unsigned winner = 0;
    uint64_t first = VG_NEVER;

    for (unsigned i = 0; i < part->kids; i++) {
        uint64_t end = end_of(tree, part->kid[i], start, VG_NEVER);
        if (before(tree, end, first)) {
            first = end;
            winner = i;
        }
    }
    if (!before(tree, first, cancel)) {
        part->will_return = -ECANCELED;
        return last_end(tree, part, start, cancel, KIDS);
    }
    part->will_return = (int)winner;
    uint64_t end = last_end(tree, part, start, first, winner);
    end_of(tree, part->kid[winner], start, VG_NEVER);
    return end > first ? end : first;
}

static uint64_t join_end(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel)
{
    bool natural = before(tree, last_end(tree, part, start, VG_NEVER, KIDS), cancel);

    part->will_return = natural ? 0 : -ECANCELED;
    return last_end(tree, part, start, cancel, KIDS);
}

static uint64_t timeout_end(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel)
{
    uint64_t limit = tick_of(start + part->ns);
    uint64_t natural = end_of(tree, part->kid[0], start, VG_NEVER);
    bool late = before(tree, limit, natural) && before(tree, limit, cancel);

    /* Cancelled, the limit may pass while the child cleans up, and either answer is true. */
    bool told = late || before(tree, natural, cancel);
    part->will_return = !told ? ANYTHING : late ? -ETIMEDOUT : 0;
    return end_of(tree, part->kid[0], start, late ? limit : cancel);
}

static uint64_t sequence_end(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel)
{
    uint64_t time = start;
    bool cancelled = false;

    for (unsigned i = 0; i < part->kids && !cancelled; i++) {
        uint64_t natural = end_of(tree, part->kid[i], time, VG_NEVER);
        cancelled = !before(tree, natural, cancel);
        time = end_of(tree, part->kid[i], time, cancel);
    }
    part->will_return = cancelled ? -ECANCELED : 0;
    return cancelled ? tick_of(time + part->ns) : time;
}

static void forget(struct part *part)
{
    part->will_run = false;
    for (unsigned i = 0; i < part->kids; i++)
        forget(part->kid[i]);
}

static uint64_t end_by_kind(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel)
{
    uint64_t end = tick_of(start + part->ns);

    switch (part->kind) {
    case NAP:
        part->will_return = before(tree, end, cancel) ? 0 : -ECANCELED;
        return end < cancel ? end : cancel;
    case RACE:
        return race_end(tree, part, start, cancel);
    case JOIN:
    case SET:
        return join_end(tree, part, start, cancel);
    case TIMEOUT:
        return timeout_end(tree, part, start, cancel);
    default:
        return sequence_end(tree, part, start, cancel);
    }
}

/*
 * When the part ends if it starts at `start` and is cancelled at `cancel`, should it still run then. The last
 * call for a part is the true one: those before asked what would be if nothing cancelled it.
 */
static uint64_t end_of(struct tree *tree, struct part *part, uint64_t start, uint64_t cancel)
{
    forget(part);
    part->will_run = true;
    part->will_end = end_by_kind(tree, part, start, cancel);
    return part->will_end;
}

#endif
