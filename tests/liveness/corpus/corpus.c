/* SPDX-License-Identifier: MIT */
#include "corpus.h"
#include "vg_sanitizer.h"

/* On one thread, where sanitizers find nothing in the twelfth seed that they did not in the second. */
enum { CORPUS_SEEDS = VG_TSAN || VG_ASAN ? 2 : 12, DRIFT_NS = 200000 };

int corpus_play_for(struct lab *lab, uint64_t ns)
{
    const int rc = sim_run(&lab->sim, lab->exec, lab_is_empty, lab, ns);

    vg_watch_scan(lab->live, sim_now(&lab->sim));
    return rc;
}

int corpus_play_all(struct lab *lab)
{
    return corpus_play_for(lab, VG_SEC(3600));
}

static void open_for(struct lab *lab, const struct corpus_case *c, uint64_t seed, bool healing)
{
    lab_open(lab, seed, healing);
    if (c->busy)
        lab->sim.limits.drift_ns = DRIFT_NS;
}

/* ":12", and not ":123" */
static bool names_place(const char *text, const char *place)
{
    const size_t length = strlen(place);

    for (; (text = strstr(text, place)) != NULL; text++)
        if (text[length] < '0' || text[length] > '9')
            return true;
    return false;
}

static void check_names(const struct corpus_case *c, const struct lab_report *seen)
{
    for (unsigned i = 0; i < CORPUS_NAMES && c->names[i] != NULL; i++)
        if (strstr(seen->text, c->names[i]) == NULL)
            FAIL("%s: the report does not name %s:\n%s", c->id, c->names[i], seen->text);
    for (unsigned i = 0; i < CORPUS_LINES && c->lines[i] != NULL; i++) {
        char place[16];

        snprintf(place, sizeof place, ":%d", *c->lines[i]);
        if (!names_place(seen->text, place))
            FAIL("%s: the report does not name line %d:\n%s", c->id, *c->lines[i], seen->text);
    }
}

/* How long after the decisive event the report came, ms. */
static uint64_t check_detected(const struct corpus_case *c, uint64_t seed)
{
    static struct lab lab;
    const struct lab_report *seen;
    uint64_t ms;
    int rc;

    open_for(&lab, c, seed, false);
    rc = c->play(&lab, 0);
    if (lab.count == 0)
        FAIL("%s: no report; it ended with %d at %llu ms", c->id, rc,
             (unsigned long long)lab_ms(&lab));
    seen = lab_only(&lab, c->verdict);
    check_names(c, seen);
    ms = seen->ms;
    if (ms < c->decisive || ms > c->decisive + c->due)
        FAIL("%s: reported at %llu ms, due from %llu to %llu", c->id, (unsigned long long)ms,
             (unsigned long long)c->decisive, (unsigned long long)(c->decisive + c->due));
    lab_close(&lab);
    return ms - c->decisive;
}

static void check_healed(const struct corpus_case *c, uint64_t seed)
{
    static struct lab lab;

    open_for(&lab, c, seed, true);
    if (c->play(&lab, 0) != 0)
        FAIL("%s: does not come to its end with healing", c->id);
    CHECK(lab.count > 0);
    CHECK(lab.seen[0].report.healed);
    lab_close(&lab);
}

static void check_silent(const struct corpus_case *c, unsigned twin, uint64_t seed, bool healing)
{
    static struct lab lab;

    open_for(&lab, c, seed, healing);
    (void)c->play(&lab, twin);
    if (lab.count > 0)
        FAIL("%s, look-alike %u: a report that is not due:\n%s", c->id, twin, lab.seen[0].text);
    lab_close(&lab);
}

static void run_case(const struct corpus_case *c)
{
    uint64_t latest = 0, ms;

    for (uint64_t seed = 1; seed <= CORPUS_SEEDS; seed++) {
        ms = check_detected(c, seed);
        latest = ms > latest ? ms : latest;
        if (c->heals)
            check_healed(c, seed);
        for (unsigned twin = 1; twin <= c->twins; twin++)
            check_silent(c, twin, seed, seed % 2);
    }
    printf("  %-34s %-20s %4llu ms  %-6s %u silent\n", c->id, vg_verdict_name(c->verdict),
           (unsigned long long)latest, c->heals ? "healed" : "-", c->twins);
}

static void run_controls(const struct corpus_case *c)
{
    for (; c->id != NULL; c++) {
        for (uint64_t seed = 1; seed <= CORPUS_SEEDS; seed++)
            check_silent(c, 0, seed, seed % 2);
        printf("  %-34s %-20s\n", c->id, "silent");
    }
}

#define PART(name)                                                                                 \
    TEST(cases_of_##name)                                                                          \
    {                                                                                              \
        for (const struct corpus_case *c = corpus_##name; c->id != NULL; c++)                      \
            run_case(c);                                                                           \
    }

PART(children)
PART(futurelocks)
PART(handed)
PART(pending)
PART(wakes)
PART(resources)
PART(rings)
PART(spins)
PART(locks)
PART(drops)
PART(waits)
PART(crowds)

TEST(no_control_is_reported)
{
    run_controls(corpus_controls);
    run_controls(corpus_controls_cancel);
    run_controls(corpus_controls_wake);
}
