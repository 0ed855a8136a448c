/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_MODEL_ROUNDS_H
#define VIGIL_TESTS_MODEL_ROUNDS_H

#include <vigil/async.h>
#include <vigil/barrier.h>
#include <vigil/once.h>
#include <vigil/scope.h>
#include <vigil/time.h>

enum { PARTIES = 2, CELLS = 2, CHILDREN = 3 };

struct model;

struct rounds {
    struct vg_barrier barrier;
    unsigned leaders, followers;
    struct vg_once_cell cell[CELLS];
    bool initialised[CELLS], initialising[CELLS];
    unsigned started, ended; /* tasks */
};

/* Initialises a cell, or fails. */
struct setup {
    VG_FRAME(int);
    struct model *model;
    unsigned cell;
    int outcome;
    struct vg_sleep nap;
};

/* The tasks that one task has started. */
struct team {
    struct setup setup;
    unsigned cell;
    struct vg_handle handle;
    struct vg_scope scope;
    bool scoped;
    unsigned live; /* children of the scope */
};

#endif
