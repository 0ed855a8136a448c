/* SPDX-License-Identifier: MIT */
#include "script.h"
#include "vg_sanitizer.h"

/*
 * Random programs of a few tasks that lock, acquire, send, receive, join, select and give up after a while. Some come to
 * their ends, some stand still. What the steps themselves have written down says, when nothing can happen any more, who stands
 * still for whom: reports must name these, all of these, and in time.
 */

/* In --long twenty times as many. */
enum { THINGS = 3, PROGRAMS = VG_TSAN ? 100 : VG_ASAN ? 1000 : 5000 };

static uint64_t draw(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

/* What an actor has when it comes to the end of its steps so far. */
struct plan {
    struct step step[SCRIPT_STEPS];
    unsigned steps;
    bool locks[THINGS], permits[THINGS];
    bool unsure; /* one of two locks, and it is not known which */
};

static void add(struct plan *plan, struct step step)
{
    if (plan->steps < SCRIPT_STEPS - 1)
        plan->step[plan->steps++] = step;
}

static void add_lock(struct plan *plan, uint64_t *state)
{
    const unsigned thing = (unsigned)draw(state, THINGS);

    if (plan->locks[thing] && draw(state, 8) > 0)
        return;
    plan->locks[thing] = true;
    add(plan, draw(state, 8) == 0 ? LOCK_FOR(thing, 1 + (unsigned)draw(state, 40)) : LOCK(thing));
}

static void add_permit(struct plan *plan, uint64_t *state)
{
    const unsigned thing = (unsigned)draw(state, THINGS);

    if (plan->permits[thing])
        return;
    plan->permits[thing] = true;
    add(plan, ACQUIRE(thing, 1));
}

static void give_back(struct plan *plan, unsigned thing)
{
    if (plan->locks[thing] && !plan->unsure)
        add(plan, UNLOCK(thing));
    if (plan->permits[thing])
        add(plan, RELEASE(thing, 1));
    plan->locks[thing] = plan->permits[thing] = false;
}

/* A channel has one slot, and one receiver: the actor of its number. */
static void add_message(struct plan *plan, uint64_t *state, unsigned index)
{
    const unsigned thing = (unsigned)draw(state, THINGS);

    if (index < THINGS && draw(state, 2) == 0) {
        add(plan, RECV(index));
    } else if (thing != index) {
        add(plan, SEND(thing));
        add(plan, SEND(thing));
        add(plan, SEND(thing));
    }
}

static void add_step(struct plan *plan, uint64_t *state, unsigned index)
{
    const unsigned thing = (unsigned)draw(state, THINGS);

    switch (draw(state, 10)) {
    case 0:
    case 1:
    case 2:
        add_lock(plan, state);
        break;
    case 3:
        add_permit(plan, state);
        break;
    case 4:
        give_back(plan, thing);
        break;
    case 5:
        if (index > 0 && draw(state, 2) == 0)
            add(plan, JOIN((unsigned)draw(state, index)));
        break;
    case 6:
        if (!plan->unsure && !plan->locks[thing] && !plan->locks[(thing + 1) % THINGS])
            add(plan, EITHER(thing, (thing + 1) % THINGS));
        plan->unsure = true;
        break;
    case 7:
    case 8:
        add_message(plan, state, index);
        break;
    default:
        add(plan, NAP((unsigned)draw(state, 60)));
    }
}

/* A handle can be joined once. */
static void drop_joins(struct plan *plan, bool joined[STAGE_ACTORS])
{
    for (unsigned i = 0; i < plan->steps; i++) {
        if (plan->step[i].op != OP_JOIN)
            continue;
        if (joined[plan->step[i].a])
            plan->step[i] = NAP(5);
        else
            joined[plan->step[i].a] = true;
    }
}

static void build(struct stage *s, uint64_t seed)
{
    uint64_t state = seed * 7919;
    const unsigned actors = 2 + (unsigned)draw(&state, 3);
    bool joined[STAGE_ACTORS] = {false};

    for (unsigned i = 0; i < actors; i++) {
        struct plan plan = {.steps = 0};
        const unsigned steps = 3 + (unsigned)draw(&state, 5);

        for (unsigned n = 0; n < steps; n++)
            add_step(&plan, &state, i);
        for (unsigned thing = 0; thing < THINGS && draw(&state, 4) > 0; thing++)
            give_back(&plan, thing);
        drop_joins(&plan, joined);
        stage_add(s, plan.step);
    }
}

/* ---- what is true ---------------------------------------------------------------------------- */

static const struct actor *actor_of(const struct stage *s, unsigned i)
{
    return vg_task_done(&s->actor[i])
               ? NULL
               : (const struct actor *)(const void *)vg_task_root(s->actor[i].task);
}

struct truth {
    bool stands[STAGE_ACTORS];
    unsigned standing;
};

/* Whether that actor has ended, or can still be expected to go on: then whoever waits for it can, too. */
static bool goes_on(const struct stage *s, const struct truth *truth, const struct actor *whom)
{
    for (unsigned i = 0; i < s->actors; i++)
        if (whom != NULL && actor_of(s, i) == whom)
            return !truth->stands[i];
    return true;
}

static bool can_go_on(const struct stage *s, const struct truth *truth, const struct actor *a)
{
    const struct step *now = &a->step[a->at];

    switch (now->op) {
    case OP_LOCK:
        return goes_on(s, truth, s->locked[now->a]);
    case OP_EITHER:
        return goes_on(s, truth, s->locked[now->a]) || goes_on(s, truth, s->locked[now->b]);
    case OP_ACQUIRE:
        return goes_on(s, truth, s->acquired[now->a]);
    case OP_JOIN:
        return goes_on(s, truth, actor_of(s, now->a));
    case OP_SEND:
        return goes_on(s, truth, s->receiver[now->a]);
    default: /* a thread outside may send what OP_RECV waits for */
        return true;
    }
}

/* Nothing can happen any more: who is left, and waits only for those that are left. */
static void find_truth(const struct stage *s, struct truth *truth)
{
    bool more = true;

    for (unsigned i = 0; i < s->actors; i++)
        truth->stands[i] = actor_of(s, i) != NULL;
    while (more) {
        more = false;
        for (unsigned i = 0; i < s->actors; i++) {
            if (!truth->stands[i] || !can_go_on(s, truth, actor_of(s, i)))
                continue;
            truth->stands[i] = false;
            more = true;
        }
    }
    truth->standing = 0;
    for (unsigned i = 0; i < s->actors; i++)
        truth->standing += truth->stands[i];
}

/* Whether somebody stands still for somebody else's receiving. */
static bool is_any_sending(const struct stage *s, const struct truth *truth)
{
    for (unsigned i = 0; i < s->actors; i++)
        if (truth->stands[i] && actor_of(s, i)->step[actor_of(s, i)->at].op == OP_SEND)
            return true;
    return false;
}

static unsigned index_of(const struct stage *s, uint64_t task)
{
    for (unsigned i = 0; i < s->actors; i++) {
        struct vg_task_info info;

        vg_task_info(s->actor[i].task, &info);
        if (info.id == task)
            return i;
    }
    FAIL("no such task");
}

/* When the last one of those that stand came to stand: a ring may rest on others than its members. */
static uint64_t all_stand_since(const struct stage *s, const struct truth *truth)
{
    uint64_t since = 0;

    for (unsigned i = 0; i < s->actors; i++)
        if (truth->stands[i] && actor_of(s, i)->since > since)
            since = actor_of(s, i)->since;
    return since;
}

/* Members of a report must stand still; it must not come before the last of them does, and within 50 ms of when all do. */
static void check_report(const struct stage *s, const struct truth *truth,
                         const struct lab_report *seen, const struct vg_report_link *ring)
{
    uint64_t since = 0;

    for (unsigned i = 0; i < seen->report.ring_length; i++) {
        const unsigned index = index_of(s, ring[i].task);

        CHECK(truth->stands[index]);
        if (actor_of(s, index)->since > since)
            since = actor_of(s, index)->since;
    }
    CHECK(seen->ms >= since && seen->ms <= all_stand_since(s, truth) + 50);
}

/* ---- reports, with their rings --------------------------------------------------------------- */

struct witness {
    struct stage stage;
    unsigned standing, sending; /* programs */
    struct vg_report_link ring[LAB_REPORTS][VG_RING_MAX];
};

static void keep_ring(const struct vg_report *report, void *arg)
{
    struct witness *w = (struct witness *)arg;

    if (!report->ended)
        memcpy(w->ring[w->stage.lab.count], report->ring,
               report->ring_length * sizeof *report->ring);
    lab_record(report, &w->stage.lab);
}

/* Of somebody who waits for what another has who waits for a message: it may come, from outside. */
static void check_hoarded(const struct stage *s, const struct lab_report *seen)
{
    const struct actor *a = actor_of(s, index_of(s, seen->report.task));

    CHECK_EQ(seen->report.verdict, VG_VERDICT_HOARDED_RESERVATION);
    CHECK_EQ(seen->report.confidence, VG_SUSPECTED);
    CHECK_STR(seen->text, "vg_mpsc_");
    CHECK(a == NULL || a->step[a->at].op != OP_RECV);
}

static void check_program(struct witness *w, uint64_t seed)
{
    struct stage *s = &w->stage;
    struct truth truth;
    unsigned accounted = 0, rings = 0;

    build(s, seed);
    (void)stage_run(s);
    find_truth(s, &truth);
    for (unsigned i = 0; i < s->lab.ends; i++)
        check_hoarded(s, &s->lab.end[i]);
    for (unsigned i = 0; i < s->lab.count; i++) {
        const struct lab_report *seen = &s->lab.seen[i];

        if (seen->report.verdict == VG_VERDICT_HOARDED_RESERVATION) {
            check_hoarded(s, seen);
            continue;
        }
        check_report(s, &truth, seen, w->ring[i]);
        accounted += seen->report.ring_length + seen->report.victims;
        rings++;
    }
    CHECK_EQ(rings > 0, truth.standing > 0);
    CHECK(accounted <= truth.standing); /* some began to wait behind it only later */
    w->standing += truth.standing > 0;
    w->sending += is_any_sending(s, &truth);
}

TEST(reports_name_those_that_stand_still_and_only_those)
{
    static struct witness w;
    unsigned programs = 0;

    TEST_TIMEOUT(600);
    w.standing = w.sending = 0;
    FOR_SEEDS (seed, PROGRAMS) {
        stage_open_for(&w.stage, seed, 1, 1, keep_ring, &w);
        check_program(&w, seed);
        programs++;
        stage_close(&w.stage);
    }
    printf("%u of %u programs stood still, %u with a channel\n", w.standing, programs, w.sending);
    if (programs < PROGRAMS)
        return;
    CHECK(w.standing > programs / 50 && w.standing < programs / 2);
    CHECK(w.sending > 0);
}
