/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <string.h>

/*
 * An execution is determined by its choices: which thread goes on, which store a load reads. The search
 * decides them and writes them down, so that any execution can be run again.
 */

struct search mc_search;

static uint64_t draw(void)
{
    uint64_t z = (mc_search.random += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static int draw_below(int n)
{
    return (int)(draw() % (uint64_t)n);
}

static bool sampling(void)
{
    return mc_search.mode == SEARCH_RANDOM || mc_search.mode == SEARCH_PCT;
}

/* ---- what is shared --------------------------------------------------------------------------- */

enum { PLACES = 4096, SHARED = -1 };

static struct place {
    const volatile void *address;
    int thread;
} places[PLACES];

static int place_count;

void search_model(void)
{
    memset(places, 0, sizeof places);
    place_count = 0;
}

static struct place *place(const volatile void *address)
{
    size_t i = (size_t)(((uintptr_t)address * UINT64_C(0x9E3779B97F4A7C15)) >> 52);

    while (places[i].address && places[i].address != address)
        i = (i + 1) % PLACES;
    if (!places[i].address) {
        if (++place_count == PLACES)
            mc_fail(MC_ASSERTION, "the model has more than %d atomics and locks", PLACES - 1);
        places[i] = (struct place){address, mc_run.current};
    }
    return &places[i];
}

enum { HINTS = 16 };

static const volatile void *hints[HINTS];
static int hint_count;

void mc_hint(const volatile void *p)
{
    if (hint_count == HINTS)
        mc_fail(MC_ASSERTION, "the model has more than %d hints", HINTS);
    hints[hint_count++] = p;
}

bool search_hint(const volatile void *address)
{
    int i = 0;

    while (i < hint_count && hints[i] != address)
        i++;
    return mc_search.mode == SEARCH_DFS && i < hint_count;
}

bool search_shared(const volatile void *address)
{
    struct place *p;

    if (!address)
        return true;
    if (search_hint(address))
        return false;
    p = place(address);
    if (p->thread != mc_run.current && p->thread != SHARED) {
        p->thread = SHARED;
        mc_search.restart = true;
    }
    return p->thread == SHARED;
}

/* ---- executions ------------------------------------------------------------------------------- */

void search_begin(enum search_mode mode, int bound)
{
    mc_search.mode = mode;
    mc_search.bound = bound;
    mc_search.longest = 1;
    mc_search.restart = false;
    if (mode != SEARCH_REPLAY)
        mc_search.known = 0;
}

void search_execution(long number)
{
    mc_search.depth = 0;
    mc_search.occasion = 0;
    hint_count = 0;
    if (!sampling())
        return;
    mc_search.random = mc_options.seed * 1000003u + (uint64_t)number;
    mc_search.lowest = 0;
    for (int i = 0; i < MC_THREADS; i++)
        mc_search.priority[i] = 1 + draw_below(1 << 20);
    for (int i = 0; i < 3; i++)
        mc_search.change[i] = 1 + draw_below(mc_search.longest);
}

/* Depth first: the last choice that has another alternative takes it. */
static bool backtrack(void)
{
    int n = mc_search.restart ? 0 : mc_search.depth;

    while (n > 0 && mc_search.choices[n - 1].taken + 1 >= mc_search.choices[n - 1].of)
        n--;
    mc_search.known = n;
    if (n > 0)
        mc_search.choices[n - 1].taken++;
    return n > 0;
}

bool search_next(void)
{
    bool again = mc_search.restart;

    if (mc_search.longest < mc_run.steps)
        mc_search.longest = mc_run.steps;
    if (mc_search.mode == SEARCH_DFS)
        again |= backtrack();
    mc_search.restart = false;
    return again || sampling();
}

/* ---- choices ---------------------------------------------------------------------------------- */

void search_no_choice(void)
{
    mc_search.occasion++;
}

static int replayed(int occasion)
{
    for (int i = 0; i < mc_search.known; i++)
        if (mc_search.choices[i].occasion == occasion)
            return mc_search.choices[i].taken;
    return 0;
}

static int note(int occasion, int taken, int of)
{
    struct choice *choice = &mc_search.choices[mc_search.depth];

    if (mc_search.depth == MC_CHOICES)
        mc_fail(MC_ASSERTION, "more than %d choices in one execution", MC_CHOICES);
    if (mc_search.depth++ < mc_search.known)
        taken = choice->taken;
    *choice = (struct choice){occasion, (uint8_t)taken, (uint8_t)of};
    return taken;
}

static int record(int taken, int of)
{
    int occasion = mc_search.occasion++;

    if (mc_search.mode == SEARCH_REPLAY)
        taken = replayed(occasion);
    else
        taken = note(occasion, taken, of);
    if (taken >= of)
        mc_fail(MC_ASSERTION,
                "the model does not repeat itself: it keeps state between executions, "
                "or this schedule is another model's");
    return taken;
}

int mc_choose(int n)
{
    if (n > 1)
        return record(sampling() ? draw_below(n) : 0, n);
    search_no_choice();
    return 0;
}

int search_value(int n)
{
    if (n > 255)
        n = 255;
    if (n > 1 && sampling() && draw_below(2))
        return record(0, n); /* the newest more often than not, as in life */
    return mc_choose(n);
}

static int highest(const int *threads, int n)
{
    int best = 0;

    for (int i = 1; i < n; i++)
        if (mc_search.priority[threads[i]] > mc_search.priority[threads[best]])
            best = i;
    return best;
}

int search_thread(const int *threads, int n, bool forced)
{
    if (n <= 1 || mc_search.mode != SEARCH_PCT)
        return mc_choose(n);
    for (int i = 0; !forced && i < 3; i++)
        if (mc_search.change[i] == mc_run.steps)
            search_yield();
    return record(highest(threads, n), n);
}

void search_yield(void)
{
    mc_search.priority[mc_run.current] = --mc_search.lowest;
}
