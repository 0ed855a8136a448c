/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_KIDS_H
#define VIGIL_TESTS_KIDS_H

#include <vigil/scope.h>

#include "nodes.h"
#include "rig.h"

/* A task with a scope of children, each of which ends when the test says so. */

enum { KIDS = 4 };

/* Ends when its event is set, with the result that it was given, and says so where it was told. */
struct kid {
    VG_FRAME(int);
    struct event *event;
    int result;
    int *out;
    struct event_wait wait;
};

VG_ASYNC(kid)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    *f->out = rc < 0 ? rc : f->result;
    VG_RETURN(*f->out);
}

static inline struct kid *kid(struct kid *f, struct event *event, int result, int *out)
{
    VG_SETUP(f, kid);
    f->event = event;
    f->result = result;
    f->out = out;
    return f;
}

/* Starts kids in a scope, each with an event of its own, and waits for them. */
struct parent {
    VG_FRAME(int);
    struct event *event;
    const int *result;
    unsigned kids;
    enum vg_scope_policy policy;
    struct event *before; /* awaited before the scope; NULL: nothing */
    int out[KIDS];
    int spawned[KIDS];
    unsigned i;
    struct event_wait wait;
    struct vg_scope scope;
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    int rc;
    vg_scope_open(&f->scope, "kids", f->policy);
    for (f->i = 0; f->i < f->kids; f->i++)
        f->spawned[f->i] =
            VG_SCOPE_SPAWN(&f->scope, kid, &f->event[f->i], f->result[f->i], &f->out[f->i]);
    if (f->before != NULL)
        VG_AWAIT(rc, event_wait(&f->wait, f->before));
    VG_AWAIT(rc, &f->scope);
    VG_RETURN(rc);
}

static inline struct parent *parent(struct parent *f, struct event *event, const int *result,
                                    unsigned kids, enum vg_scope_policy policy,
                                    struct event *before)
{
    VG_SETUP(f, parent);
    f->event = event;
    f->result = result;
    f->kids = kids;
    f->policy = policy;
    f->before = before;
    memset(f->out, 0, sizeof f->out);
    return f;
}

static const int well[KIDS] = {1, 2, 3, 4};

#endif
