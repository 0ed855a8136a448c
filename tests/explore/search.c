/* SPDX-License-Identifier: MIT */
#include "internal.h"

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

void search_begin(enum search_mode mode, int bound)
{
    mc_search.mode = mode;
    mc_search.bound = bound;
    mc_search.longest = 1;
    if (mode != SEARCH_REPLAY)
        mc_search.known = 0;
}

void search_execution(long number)
{
    mc_search.depth = 0;
    if (mc_search.mode != SEARCH_RANDOM && mc_search.mode != SEARCH_PCT)
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
    int n = mc_search.depth;

    while (n > 0 && mc_search.choices[n - 1].taken + 1 >= mc_search.choices[n - 1].of)
        n--;
    mc_search.known = n;
    if (n > 0)
        mc_search.choices[n - 1].taken++;
    return n > 0;
}

bool search_next(void)
{
    if (mc_search.longest < mc_run.steps)
        mc_search.longest = mc_run.steps;
    return mc_search.mode == SEARCH_DFS ? backtrack() : mc_search.mode != SEARCH_REPLAY;
}

static int record(int taken, int of)
{
    struct choice *choice = &mc_search.choices[mc_search.depth];

    if (mc_search.depth == MC_CHOICES)
        mc_fail(MC_ASSERTION, "more than %d choices in one execution", MC_CHOICES);
    if (mc_search.depth++ < mc_search.known)
        taken = choice->taken;
    if (taken >= of)
        mc_fail(MC_ASSERTION, "the model does not repeat itself: state is left over between executions, "
                              "or this schedule is another model's");
    *choice = (struct choice){(uint8_t)taken, (uint8_t)of};
    return taken;
}

static bool sampling(void)
{
    return mc_search.mode == SEARCH_RANDOM || mc_search.mode == SEARCH_PCT;
}

int mc_choose(int n)
{
    return n > 1 ? record(sampling() ? draw_below(n) : 0, n) : 0;
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
    if (n <= 1)
        return 0;
    if (mc_search.mode != SEARCH_PCT)
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
