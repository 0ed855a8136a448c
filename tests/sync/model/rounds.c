/* SPDX-License-Identifier: MIT */
#include "model.h"

/* The barrier, the once-cell, tasks and groups of tasks. */

static struct rounds *rounds_of(struct actor *a)
{
    return &a->model->rounds;
}

/* ---- the barrier --------------------------------------------------------------------------------- */

static struct vg_future *begin_barrier(struct actor *a)
{
    return AWAITED(a, vg_barrier_wait(&a->barrier, &rounds_of(a)->barrier));
}

static void end_barrier(struct actor *a, int ret)
{
    struct rounds *rounds = rounds_of(a);

    rounds->leaders += ret == VG_BARRIER_LEADER;
    rounds->followers += ret == 0;
    CHECK(rounds->followers <= rounds->leaders * (PARTIES - 1)); /* the leader does not suspend */
}

static bool all_parties_wait(struct actor *a)
{
    return waiting_in(a->model, a->op) >= PARTIES;
}

/* ---- the once-cell ------------------------------------------------------------------------------- */

VG_ASYNC(setup)
{
    VG_BEGIN(f);
    CHECK(!f->model->rounds.initialised[f->cell] && !f->model->rounds.initialising[f->cell]);
    f->model->rounds.initialising[f->cell] = true;
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    f->model->rounds.initialising[f->cell] = false;
    if (f->ret == 0)
        f->ret = f->outcome;
    if (f->ret == 0)
        f->model->rounds.initialised[f->cell] = true;
    VG_RETURN(f->ret);
}

static struct vg_future *begin_once(struct actor *a)
{
    struct setup *setup = &a->team.setup;

    a->team.cell = draw(a, CELLS);
    VG_SETUP(setup, setup);
    setup->model = a->model;
    setup->cell = a->team.cell;
    setup->outcome = draw(a, 3) == 0 ? 0 : -EIO;
    return AWAITED(a, vg_once(&a->once, &rounds_of(a)->cell[a->team.cell], setup));
}

static void end_once(struct actor *a, int ret)
{
    const bool initialised = rounds_of(a)->initialised[a->team.cell];

    CHECK_EQ(vg_once_done(&rounds_of(a)->cell[a->team.cell]), initialised);
    if (ret == 0)
        CHECK(initialised);
    else if (ret != -ECANCELED)
        CHECK_EQ(ret, a->team.setup.outcome);
}

static bool is_initialised(struct actor *a)
{
    return rounds_of(a)->initialised[a->team.cell];
}

/* ---- tasks and groups ---------------------------------------------------------------------------- */

struct helper {
    VG_FRAME(int);
    struct rounds *rounds;
    unsigned *live; /* NULL: not of a group */
    uint64_t length;
    struct vg_sleep nap;
};

VG_ASYNC(helper)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, f->length));
    f->rounds->ended++;
    if (f->live != NULL)
        (*f->live)--;
    VG_RETURN(7);
}

static struct helper *helper(struct helper *f, struct actor *a, unsigned *live)
{
    VG_SETUP(f, helper);
    f->rounds = rounds_of(a);
    f->live = live;
    f->length = VG_MSEC(draw(a, 5));
    rounds_of(a)->started++;
    return f;
}

static struct vg_future *begin_join(struct actor *a)
{
    CHECK_EQ(VG_SPAWN(a->model->world.exec, &a->team.handle, helper, a, NULL), 0);
    return AWAITED(a, vg_task_wait(&a->join, &a->team.handle));
}

static void end_join(struct actor *a, int ret)
{
    if (ret == 0)
        CHECK_EQ(VG_TASK_RET(&a->team.handle, struct helper), 7);
    vg_task_release(&a->team.handle);
}

static struct vg_future *begin_group(struct actor *a)
{
    const unsigned children = draw(a, CHILDREN + 1);

    vg_scope_open(&a->team.scope, "team", VG_SCOPE_CANCEL);
    a->team.scoped = true;
    a->team.live = 0;
    for (unsigned i = 0; i < children; i++) {
        int rc = VG_SCOPE_SPAWN(&a->team.scope, helper, a, &a->team.live);

        CHECK(rc == 0 || rc == -ECANCELED);
        a->team.live += rc == 0;
    }
    return AWAITED(a, &a->team.scope);
}

static bool all_have_ended(struct actor *a)
{
    return a->team.live == 0;
}

/* However it has ended: nobody is left. */
static void end_group(struct actor *a, int ret)
{
    CHECK(ret == 0 || ret == -ECANCELED);
    a->team.scoped = false;
    CHECK_EQ(a->team.live, 0);
}

const struct op round_ops[] = {
    {"barrier", begin_barrier, end_barrier, all_parties_wait},
    {"once", begin_once, end_once, is_initialised},
    {"join", begin_join, end_join, NULL},
    {"group", begin_group, end_group, all_have_ended},
};
const unsigned round_ops_count = sizeof round_ops / sizeof *round_ops;

void rounds_open(struct rounds *rounds)
{
    *rounds = (struct rounds){.leaders = 0};
    vg_barrier_init(&rounds->barrier, "barrier", PARTIES);
    for (unsigned i = 0; i < CELLS; i++)
        vg_once_init(&rounds->cell[i], "cell");
}

void rounds_close(struct rounds *rounds)
{
    CHECK_EQ(rounds->followers, rounds->leaders * (PARTIES - 1));
    CHECK_EQ(rounds->started, rounds->ended);
    vg_barrier_fini(&rounds->barrier);
    for (unsigned i = 0; i < CELLS; i++)
        vg_once_fini(&rounds->cell[i]);
}
