/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_EXPLORE_INTERNAL_H
#define VIGIL_TESTS_EXPLORE_INTERNAL_H

#include "explore.h"

/*
 * The parts of the explorer. One execution is run at a time; "the thread" is the fibre that runs.
 *
 *   main.c      the command line, one line of result for each model
 *   search.c    which execution comes next: depth first, random, priorities, replay
 *   thread.c    fibres, waiting, deadlock
 *   memory.c    atomic locations: stores, fences
 *   view.c      what a thread has seen
 *   sync.c      locks and bells
 *   plain.c     plain data: races, freed memory
 *   hooks.c     plain accesses of the library's sources, as the compiler reports them
 *   report.c    failures, traces, schedules as text
 */

enum { MC_LOCATIONS = 192, MC_MAIN = -1 };

/* How far a thread has seen: per location the oldest store that it may read, per thread a clock. */
struct view {
    int locations; /* how many of the entries below are in use; the others are 0 */
    uint16_t at[MC_LOCATIONS];
    uint32_t clock[MC_THREADS];
};

void view_clear(struct view *view);
void view_copy(struct view *to, const struct view *from);
void view_join(struct view *to, const struct view *from);

/* Without the clocks: what full fences exchange is no hand-over of plain data. */
void view_join_locations(struct view *to, const struct view *from);
void view_set(struct view *view, int location, uint16_t at);
uint16_t view_at(const struct view *view, int location);

struct options {
    int bound;       /* preemptions of the depth first search */
    long executions; /* stop the search after so many; 0: never */
    long random, pct;
    uint64_t seed;
    int steps;    /* longest execution */
    bool may_cut; /* longer ones are no failure */
    bool c11;
    const char *replay, *save;
    int expect; /* enum mc_kind; -1: as the model says */
};

extern struct options mc_options;

/* ---- search.c: choices ------------------------------------------------------------------------ */

enum search_mode { SEARCH_DFS, SEARCH_RANDOM, SEARCH_PCT, SEARCH_REPLAY };

/*
 * Every place where there could be a choice is an occasion, numbered through the execution; a choice is an
 * occasion with more than one possibility. A schedule names the occasions whose choice is not the first.
 */
struct choice {
    int occasion;
    uint8_t taken, of;
};

enum { MC_CHOICES = 1 << 16 };

struct search {
    enum search_mode mode;
    int bound;
    int occasion; /* of this execution */
    int depth;    /* choices made in this execution */
    int known;    /* choices that are prescribed, from the last execution or from a replay */
    bool restart; /* a place turned out to be shared: depth first has to begin anew */
    uint64_t random;
    int priority[MC_THREADS];
    int longest;   /* steps of the longest execution so far */
    int change[3]; /* steps at which the running thread's priority drops */
    int lowest;    /* priority */
    struct choice choices[MC_CHOICES];
};

extern struct search mc_search;

/* Forgets what was learnt of the last model. */
void search_model(void);

void search_begin(enum search_mode mode, int bound);
void search_execution(long number);
bool search_next(void);

/*
 * Whether an operation of the running thread on this address can matter to another thread. What only one
 * thread has ever touched cannot, so it is no place to switch at. When a second thread touches it after
 * all, the search begins anew, knowing that.
 */
bool search_shared(const volatile void *address);

/* Whether it was declared by mc_hint() and the search is one that heeds it. */
bool search_hint(const volatile void *address);

/* An occasion that is none. */
void search_no_choice(void);

/* One of n stores to read: 0 is the newest. */
int search_value(int n);

/* One of the threads listed; the first is the one that runs, unless `forced`. */
int search_thread(const int *threads, int n, bool forced);

/* The running thread spins: by priorities, the others come first now. */
void search_yield(void);

/* ---- thread.c --------------------------------------------------------------------------------- */

struct execution {
    const struct mc_model *model;
    int current; /* thread, or MC_MAIN before and after */
    int steps;
    int preemptions;
    bool cut; /* stopped for its length */
    bool tracing;
    enum mc_kind failure;
    char message[512];
};

extern struct execution mc_run;

/* Runs the model once as the search prescribes. */
void thread_execute(const struct mc_model *model);

/* A place at which another thread may go on, before an operation on `address`; NULL: on all of them. */
void thread_step(const volatile void *address);

/* The thread goes on only when ready(arg); `what` it waits for, at site. A bell's wait may be a lost wake. */
void thread_wait(bool (*ready)(const void *), const void *arg, bool bell,
                 const struct mc_site *site);

/* Whether this is a fibre's stack or thread-local, and so none of the memory that threads share. */
bool thread_own_memory(const volatile void *p);

/* Ends the execution. */
_Noreturn void thread_abandon(void);

/* ---- memory.c --------------------------------------------------------------------------------- */

void memory_clear(void);
struct view *memory_view(void); /* of the thread */
void memory_forget(const volatile void *p, size_t size);
void memory_thread_caught_up(void);

/* ---- plain.c ---------------------------------------------------------------------------------- */

void plain_clear(void);

/* An atomic operation, for what is known of freed memory. */
void plain_atomic(const volatile void *p, size_t size, const struct mc_site *site);

/* ---- sync.c ----------------------------------------------------------------------------------- */

void sync_clear(void);
void sync_forget(const volatile void *p, size_t size);

/* ---- report.c --------------------------------------------------------------------------------- */

const char *report_kind(enum mc_kind kind);
int report_parse_kind(const char *text); /* -1: no such kind */
__attribute__((format(printf, 2, 3))) void report_step(const struct mc_site *site, const char *fmt,
                                                       ...);
const char *report_site(const struct mc_site *site);
void report_schedule(char *text, size_t size);
bool report_read_schedule(const char *text);

#endif
