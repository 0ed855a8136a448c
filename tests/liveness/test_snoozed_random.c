/* SPDX-License-Identifier: MIT */
#include "lab.h"
#include "vg_sanitizer.h"

/*
 * Random programs of tasks that race a child against a timer, do something else while the child is left in one way or another, and
 * come back to it. When everything happens follows from the lengths that were drawn: so it is known before the run which
 * wakes are left unanswered, and for how long.
 */

/* In --long twenty times as many. */
enum { PROGRAMS = VG_TSAN || VG_ASAN ? 100 : 5000, ROUNDS = 2, TASKS = 2 };
enum { LIMIT = 100, SLACK = 15 }; /* ms */

enum left { LEFT_PARKED, LEFT_KEPT, LEFT_PAUSING, LEFT_WAYS };

struct round {
    enum left left;
    unsigned child, race, body; /* ms: the child's timer, the other arm's, and what comes then */
};

struct snoozer {
    VG_FRAME(int);
    struct round round[ROUNDS];
    unsigned i;
    VG_ARMS(2) sel;
    struct vg_sleep child, race, body;
};

static struct vg_arm child_arm(struct snoozer *f)
{
    switch (f->round[f->i].left) {
    case LEFT_PARKED:
        return VG_PARK(&f->child);
    case LEFT_KEPT:
        return VG_KEEP(&f->child);
    default:
        return VG_MAY_PAUSE(&f->child);
    }
}

VG_ASYNC(snoozer)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < ROUNDS; f->i++) {
        vg_sleep(&f->child, VG_MSEC(f->round[f->i].child));
        vg_sleep(&f->race, VG_MSEC(f->round[f->i].race));
        VG_AWAIT(f->ret, VG_SELECT(f->sel, child_arm(f), VG_CANCEL(&f->race)));
        if (f->ret == 0)
            continue;
        VG_AWAIT(f->ret, vg_sleep(&f->body, VG_MSEC(f->round[f->i].body)));
        VG_AWAIT(f->ret, &f->child);
    }
    VG_RETURN(0);
}

static struct snoozer *snoozer(struct snoozer *f, const struct round *rounds)
{
    VG_SETUP(f, snoozer);
    memcpy(f->round, rounds, sizeof f->round);
    return f;
}

/* How long the child's wake is left unanswered. */
static unsigned age_of(const struct round *round)
{
    const unsigned back = round->race + round->body;

    return round->child > round->race && round->child < back ? back - round->child : 0;
}

/* Drawn again where a millisecond decides. */
static struct round draw_round(struct sim *sim)
{
    struct round round;
    unsigned age;

    do {
        round.left = (enum left)sim_below(sim, LEFT_WAYS);
        round.child = 1 + (unsigned)sim_below(sim, 500);
        round.race = 1 + (unsigned)sim_below(sim, 150);
        round.body = 1 + (unsigned)sim_below(sim, 500);
        age = age_of(&round);
    } while (round.child == round.race || (age + SLACK > LIMIT && age < LIMIT + SLACK));
    return round;
}

static bool is_due(const struct round *round)
{
    return round->left == LEFT_PARKED && age_of(round) > LIMIT;
}

/* Whether a report was made of a child that was woken then. */
static bool is_reported(const struct lab *lab, uint64_t woken)
{
    for (unsigned i = 0; i < lab->count; i++) {
        const struct vg_report *report = &lab->seen[i].report;

        if (report->verdict == VG_VERDICT_SNOOZED_CHILD && report->woken_at == lab_at(lab, woken) &&
            lab->seen[i].ms <= woken + LIMIT + SLACK)
            return true;
    }
    return false;
}

static unsigned check_task(const struct lab *lab, const struct round *rounds)
{
    uint64_t now = 0;
    unsigned due = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct round *round = &rounds[i];

        if (is_due(round)) {
            due++;
            if (!is_reported(lab, now + round->child))
                FAIL("nobody reports the child that is woken at %llu ms",
                     (unsigned long long)(now + round->child));
        }
        if (round->child < round->race)
            now += round->child;
        else
            now +=
                round->child > round->race + round->body ? round->child : round->race + round->body;
    }
    return due;
}

TEST(children_are_reported_when_they_are_left_woken_and_only_then)
{
    unsigned due = 0, programs = 0;

    FOR_SEEDS (seed, PROGRAMS) {
        struct round rounds[TASKS][ROUNDS];
        struct lab lab;
        unsigned expected = 0;

        lab_open(&lab, seed, seed % 2);
        for (unsigned t = 0; t < TASKS; t++) {
            for (unsigned i = 0; i < ROUNDS; i++)
                rounds[t][i] = draw_round(&lab.sim);
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, snoozer, rounds[t]), 0);
        }
        CHECK_EQ(sim_run(&lab.sim, lab.exec, lab_is_empty, &lab, VG_SEC(60)), 0);
        for (unsigned t = 0; t < TASKS; t++)
            expected += check_task(&lab, rounds[t]);
        CHECK_EQ(lab.count, expected);
        CHECK(lab.ends <= expected);
        due += expected;
        programs++;
        lab_close(&lab);
    }
    if (programs >= PROGRAMS)
        CHECK(due > programs / 4);
}
