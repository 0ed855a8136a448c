/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "combine_model.h"

/*
 * Random trees of races, joins, sets, timeouts and sequences over sleeps, each with a clean-up that a cancel
 * must wait for. Virtual time is exact, so a model can say when every part ends, to the tick, and with
 * which result.
 */

/* ---- the real thing ------------------------------------------------------------------------ */

static struct vg_future *build(struct part *part);

VG_ASYNC(sequence)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < f->part->kids; f->i++) {
        VG_AWAIT(rc, vg_join(&f->one.join, f->one.child,
                             (struct vg_future *[]){build(f->part->kid[f->i])}, 1));
        CHECK_EQ(rc, vg_cancelled(&f->fut) ? -ECANCELED : 0);
        if (rc < 0)
            break;
    }
    if (vg_cancelled(&f->fut)) {
        VG_AWAIT_SHIELDED(rc, vg_sleep(&f->cleanup, f->part->ns));
        CHECK_EQ(rc, 0);
    }
    CHECK_EQ(f->part->ended, 0);
    f->part->ended = vg_now();
    VG_RETURN(vg_cancelled(&f->fut) ? -ECANCELED : 0);
}

static struct sequence *sequence(struct sequence *f, struct part *part)
{
    VG_SETUP(f, sequence);
    f->part = part;
    return f;
}

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->set);
    for (unsigned i = 0; i < f->part->kids; i++)
        vg_set_push(&f->set, &f->item[i], build(f->part->kid[i]), vg_cx);
    for (rc = 0; rc == 0; f->taken += rc == 0)
        VG_AWAIT(rc, vg_set_next(&f->next, &f->set));
    CHECK_EQ(rc, vg_cancelled(&f->fut) ? -ECANCELED : -ENOENT);
    if (rc == -ENOENT)
        CHECK_EQ(f->taken, f->part->kids);
    VG_AWAIT_CANCEL(rc, &f->set);
    for (unsigned i = 0; i < f->part->kids; i++)
        CHECK(vg_done(f->item[i].child));
    VG_RETURN(vg_cancelled(&f->fut) ? -ECANCELED : 0);
}

static struct crowd *crowd(struct crowd *f, struct part *part)
{
    VG_SETUP(f, crowd);
    f->part = part;
    f->taken = 0;
    return f;
}

static struct vg_future *build_race(struct part *part)
{
    struct vg_arm arms[KIDS];

    for (unsigned i = 0; i < part->kids; i++)
        arms[i] = (struct vg_arm){build(part->kid[i]), VG_POLICY_CANCEL, true, false};
    return &vg_select(&part->u.arms.sel, part->u.arms.arm, arms, part->kids)->fut;
}

static struct vg_future *build_join(struct part *part)
{
    struct vg_future *kids[KIDS];

    for (unsigned i = 0; i < part->kids; i++)
        kids[i] = build(part->kid[i]);
    return &vg_join(&part->u.all.join, part->u.all.child, kids, part->kids)->fut;
}

/* Bounded by the depth of the tree, as is everything here that calls itself. */
static struct vg_future *build(struct part *part)
{
    switch (part->kind) {
    case NAP:
        return &vg_sleep(&part->u.nap, part->ns)->fut;
    case RACE:
        return build_race(part);
    case JOIN:
        return build_join(part);
    case TIMEOUT:
        return &vg_timeout_fut(&part->u.timeout, part->ns, build(part->kid[0]))->fut;
    case SET:
        return &crowd(&part->u.crowd, part)->fut;
    default:
        return &sequence(&part->u.sequence, part)->fut;
    }
}

/* ---- random trees -------------------------------------------------------------------------- */

static unsigned kids_of(struct sim *sim, enum kind kind)
{
    return kind == NAP ? 0 : kind == TIMEOUT ? 1 : 1 + (unsigned)sim_below(sim, KIDS);
}

static struct part *grow(struct sim *sim, unsigned depth)
{
    struct part *part = calloc(1, sizeof *part);
    CHECK(part != NULL);

    part->kind = depth == 0 ? NAP : (enum kind)sim_below(sim, KINDS);
    part->kids = kids_of(sim, part->kind);
    /* So fine that two events seldom fall into one tick. */
    part->ns = 1 + sim_below(sim, VG_SEC(10000));
    for (unsigned i = 0; i < part->kids; i++)
        part->kid[i] = grow(sim, depth - 1);
    return part;
}

static void cut_down(struct part *part)
{
    for (unsigned i = 0; i < part->kids; i++)
        cut_down(part->kid[i]);
    free(part);
}

/* ---- model and reality --------------------------------------------------------------------- */

static int returned(const struct part *part)
{
    switch (part->kind) {
    case NAP:
        return part->u.nap.ret;
    case RACE:
        return part->u.arms.sel.ret;
    case JOIN:
        return part->u.all.join.ret;
    case TIMEOUT:
        return part->u.timeout.ret;
    case SET:
        return part->u.crowd.ret;
    default:
        return part->u.sequence.ret;
    }
}

static void check_part(const struct part *part)
{
    if (part->will_run && part->will_return != ANYTHING)
        CHECK_EQ(returned(part), part->will_return);
    if (part->kind == SEQUENCE)
        CHECK_EQ(part->ended, part->will_run ? part->will_end : 0);
    for (unsigned i = 0; i < part->kids; i++)
        check_part(part->kid[i]);
}

/* Runs one tree, whose root it is, and cancels it when it is time. */
struct runner {
    VG_FRAME(int);
    struct tree *tree;
    struct vg_future *root;
    VG_CHILDREN(1) one;
};

VG_ASYNC(runner)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_join(&f->one.join, f->one.child, &f->root, 1));
    VG_RETURN(rc);
}

static struct runner *runner(struct runner *f, struct tree *tree)
{
    VG_SETUP(f, runner);
    f->tree = tree;
    f->root = build(tree->root);
    return f;
}

struct canceller {
    VG_FRAME(int);
    struct tree *tree;
    struct vg_sleep nap;
};

VG_ASYNC(canceller)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep_until(&f->nap, f->tree->cancel_at));
    CHECK_EQ(rc, 0);
    vg_task_cancel(&f->tree->task);
    VG_RETURN(0);
}

static struct canceller *canceller(struct canceller *f, struct tree *tree)
{
    VG_SETUP(f, canceller);
    f->tree = tree;
    return f;
}

static void plant(struct world *w, struct tree *tree)
{
    uint64_t start = sim_now(&w->sim);

    tree->tie = false;
    tree->root = grow(&w->sim, DEPTH);
    tree->cancel_at = VG_NEVER;
    uint64_t end = end_of(tree, tree->root, start, VG_NEVER);
    if (end > start + VG_MSEC(1) && sim_chance(&w->sim, 500)) {
        tree->cancel_at = tick_of(start + 1 + sim_below(&w->sim, end - start));
        end_of(tree, tree->root, start, tree->cancel_at);
    }
    CHECK_EQ(VG_SPAWN(w->exec, &tree->task, runner, tree), 0);
    if (tree->cancel_at != VG_NEVER)
        CHECK_EQ(VG_SPAWN(w->exec, NULL, canceller, tree), 0);
}

TEST(races_joins_sets_timeouts_and_sequences_end_when_the_model_says_so)
{
    unsigned ties = 0, checked = 0;
    FOR_SEEDS (seed, 500) {
        struct world w;
        struct tree trees[TREES];
        world_open(&w, seed, world_workers(seed));
        for (unsigned i = 0; i < TREES; i++)
            plant(&w, &trees[i]);
        CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(10000000)), 0);
        for (unsigned i = 0; i < TREES; i++) {
            if (!trees[i].tie)
                check_part(trees[i].root);
            ties += trees[i].tie;
            checked += !trees[i].tie;
            vg_task_release(&trees[i].task);
            cut_down(trees[i].root);
        }
        world_close(&w);
    }
    CHECK(checked > 20 * ties);
}
