/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "stream_tree.h"

/*
 * Random trees of streams, whose events come in random order while the reader's body is sometimes busy: they give what the
 * same computation on lists gives. Or they are cancelled in the middle: then nothing is in flight afterwards, and
 * what was given is a part of it.
 */

enum { SEEDS = 500, DEPTH = 4 };

struct scene {
    struct reading reading;
    struct tree tree;
    struct list expected;
};

static void open_some(struct tree *tree, unsigned one_of)
{
    for (unsigned n = 0; n < tree->used; n++) {
        for (unsigned i = 0; i < GATES; i++)
            if (pick(tree, one_of) == 0)
                event_set(&tree->node[n].gate.event[i]);
        for (unsigned i = 0; i < LIST_MAX; i++)
            if (pick(tree, one_of) == 0)
                event_set(&tree->node[n].landing[i]);
    }
}

static void let_body_go_on(struct scene *s, unsigned one_of)
{
    for (unsigned i = 0; i < GATES; i++)
        if (pick(&s->tree, one_of) == 0)
            event_set(&s->reading.busy[i]);
}

static void check_idle(const struct tree *tree)
{
    for (unsigned n = 0; n < tree->used; n++) {
        for (unsigned i = 0; i < GATES; i++)
            CHECK(tree->node[n].gate.event[i].waiter == NULL);
        for (unsigned i = 0; i < LIST_MAX; i++)
            CHECK(tree->node[n].landing[i].waiter == NULL);
    }
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The first `length` values of the log are of the list; all of it, if that is said. */
static void check_values(struct log *log, unsigned length, struct list *list)
{
    unsigned found = 0;

    if (!list->sorted) {
        qsort(log->value, length, sizeof *log->value, by_value);
        qsort(list->value, list->length, sizeof *list->value, by_value);
    }
    for (unsigned i = 0; i < list->length && found < length; i++) {
        if (list->value[i] == log->value[found])
            found++;
        else
            CHECK(!list->sorted);
    }
    CHECK_EQ(found, length);
}

static void open_scene(struct rig *rig, struct scene *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->tree.seed = seed;
    s->reading.value = value_of;
    s->reading.stream = grow(&s->tree, DEPTH, &s->expected);
    rig_open(rig);
}

static void run_to_the_end(uint64_t seed)
{
    static struct scene s;
    struct rig rig;

    open_scene(&rig, &s, seed);
    s.reading.is_busy = s.expected.length < GATES && pick(&s.tree, 2) == 0;
    rig_spawn(&rig, reader, &s.reading);
    for (unsigned rounds = 0; !rig_done(&rig, 0); rounds++) {
        open_some(&s.tree, rounds < 100 ? 20 : 1);
        let_body_go_on(&s, rounds < 100 ? 4 : 1);
        rig_run(&rig);
        CHECK(rounds < 200);
    }
    CHECK_EQ(s.reading.log.length, s.expected.length + 1);
    CHECK_EQ(s.reading.log.value[s.expected.length], 0);
    check_values(&s.reading.log, s.expected.length, &s.expected);
    CHECK_EQ(RIG_RET(&rig, 0, struct reader), 0);
    check_idle(&s.tree);
    rig_close(&rig);
}

static void cancel_in_the_middle(uint64_t seed)
{
    static struct scene s;
    struct rig rig;
    unsigned length;

    open_scene(&rig, &s, seed);
    s.reading.is_busy = s.expected.length < GATES && pick(&s.tree, 2) == 0;
    rig_spawn(&rig, reader, &s.reading);
    for (unsigned rounds = pick(&s.tree, 12); rounds > 0; rounds--) {
        open_some(&s.tree, 30);
        let_body_go_on(&s, 6);
        rig_run(&rig);
    }
    open_some(&s.tree, 30); /* which comes together with the cancel */
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(RIG_RET(&rig, 0, struct reader), 0);
    length = s.reading.log.length - 1;
    CHECK(s.reading.log.value[length] == -ECANCELED || length == s.expected.length);
    check_values(&s.reading.log, length, &s.expected);
    check_idle(&s.tree);
    rig_close(&rig);
}

TEST(random_trees_give_what_lists_would)
{
    FOR_SEEDS (seed, SEEDS)
        run_to_the_end(seed);
}

TEST(a_cancel_at_any_time_ends_all_that_is_in_flight)
{
    FOR_SEEDS (seed, SEEDS)
        cancel_in_the_middle(seed);
}
