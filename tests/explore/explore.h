/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_EXPLORE_H
#define VIGIL_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The explorer: runs a small concurrent program, a model, under every schedule and every outdated value
 * that the memory model lets a load return, or under many random ones. The program is made of the
 * library's own sources, compiled with -DVG_EXPLORE, which turns each atomic operation into a call of
 * the mc_ functions below, and of a driver like this:
 *
 *     #include "deque.h"
 *
 *     static struct vg_deque deque;
 *
 *     static void init(void) { vg_deque_init(&deque); }             (before every execution)
 *     static void thread(int id) { if (id == 0) ...; else ...; }    (each thread is a fibre)
 *     static void final(void) { MC_ASSERT(taken == 3); }            (after all threads have ended)
 *
 *     MC_MODEL(owner_and_thief, .threads = 2, .init = init, .thread = thread, .final = final);
 *
 * Found are: failed assertions and panics, data races on what VG_RD and VG_WR mark, use of freed memory, and
 * states in which every thread waits. A failure is printed with the schedule that leads to it, which
 * --replay runs again, and with a trace of it.
 *
 * Modes    Depth first search is exhaustive up to a number of preemptions (--bound); a switch at which the
 *          running thread waits or ends does not count as one. --random and --pct sample without that bound;
 *          the second gives threads priorities and changes them at a few random places, which
 *          finds most bugs of a given small depth soon.
 * Memory   Each atomic location keeps all its stores. Each thread has a view: for each location, the oldest
 *          store that it may still read. A release store carries its thread's view, an acquire load that
 *          reads it takes the view over. Read-modify-writes read the newest store and continue release sequences,
 *          by default as in C++20 (nothing else does); --c11 selects the rule of C11, in which the
 *          releasing thread's own later stores do so too. Full fences meet in one global view.
 *
 * What it cannot show, so that a clean run proves less than the language would require:
 *   - A store takes effect when it is executed: the order of the stores to a location is the order of
 *     execution. No load can return a value stored later (load buffering), and the two stores of two threads
 *     to two locations cannot cross over (2+2W). A compare-and-swap of a thief that is weaker than release,
 *     which some processors punish, is therefore not found: a rule of the source forbids it.
 *   - Sequentially consistent operations follow the order of execution, which is slightly stronger
 *     than the language's when they are mixed with weaker ones on the same location.
 *   - Plain data is always read as last written; races on it are found in the library's .c files and
 *     where VG_RD and VG_WR mark it.
 *   - Bounded: preemptions, steps of one execution, threads, and the small models themselves.
 * The other way round nothing it reports is an artefact, if the model is right.
 */

enum mc_order { mc_relaxed, mc_acquire, mc_release, mc_acq_rel, mc_seq_cst };

/* Where in the source an operation stands, for traces. */
struct mc_site {
    const char *file;
    int line;
    const char *text;
    const void *pc; /* instead of these, for what only the compiler knows */
};

#define MC_SITE(what)                                                                              \
    (__extension__({                                                                               \
        static const struct mc_site mc_site_ = {__FILE__, __LINE__, what, NULL};                   \
        &mc_site_;                                                                                 \
    }))

/* ---- operations of the code under test -------------------------------------------------------- */

enum mc_op { MC_XCHG, MC_ADD, MC_SUB, MC_OR, MC_AND };

uint64_t mc_load(const volatile void *p, size_t size, enum mc_order order,
                 const struct mc_site *site);
void mc_store(volatile void *p, size_t size, uint64_t value, enum mc_order order,
              const struct mc_site *site);
uint64_t mc_update(volatile void *p, size_t size, enum mc_op op, uint64_t value,
                   enum mc_order order, const struct mc_site *site);
bool mc_cas(volatile void *p, size_t size, void *expected, uint64_t value, enum mc_order order,
            enum mc_order order_failed, const struct mc_site *site);
void mc_fence(enum mc_order order, const struct mc_site *site);

/* The thread spins: another one must run before it goes on. */
void mc_pause(const struct mc_site *site);

/* Locks wait, so a deadlock is seen. */
void mc_lock(void *lock, const struct mc_site *site);
bool mc_trylock(void *lock, const struct mc_site *site);
void mc_unlock(void *lock, const struct mc_site *site);

/* Plain accesses: checked for races and for freed memory. */
void mc_read(const volatile void *p, size_t size, const struct mc_site *site);
void mc_write(const volatile void *p, size_t size, const struct mc_site *site);

/* vg_atomic.h in terms of these; see there. */
#define MC_VALUE_(p) __typeof__((void)0, *(p))
#define MC_UPDATE_(p, op, v, order, name)                                                          \
    (__extension__({                                                                               \
        (MC_VALUE_(p)) mc_update((p), sizeof *(p), op, (uint64_t)(v), mc_##order,                  \
                                 MC_SITE(name " " #p " " #v));                                     \
    }))

#define vg_load(p, order) ((MC_VALUE_(p))mc_load((p), sizeof *(p), mc_##order, MC_SITE("load " #p)))
#define vg_store(p, v, order)                                                                      \
    mc_store((p), sizeof *(p), (uint64_t)(v), mc_##order, MC_SITE("store " #p))
#define vg_xchg(p, v, order) MC_UPDATE_(p, MC_XCHG, v, order, "xchg")
#define vg_fetch_add(p, v, order) MC_UPDATE_(p, MC_ADD, v, order, "add")
#define vg_fetch_sub(p, v, order) MC_UPDATE_(p, MC_SUB, v, order, "sub")
#define vg_fetch_or(p, v, order) MC_UPDATE_(p, MC_OR, v, order, "or")
#define vg_fetch_and(p, v, order) MC_UPDATE_(p, MC_AND, v, order, "and")
#define vg_cas(p, expected, v, order, order_failed)                                                \
    mc_cas((p), sizeof *(p), (expected), (uint64_t)(v), mc_##order, mc_##order_failed,             \
           MC_SITE("cas " #p))
#define vg_fence() mc_fence(mc_seq_cst, MC_SITE("fence"))
#define vg_pause() mc_pause(MC_SITE("pause"))
#define VG_RD(p) mc_read((p), sizeof *(p), MC_SITE("read " #p))
#define VG_WR(p) mc_write((p), sizeof *(p), MC_SITE("write " #p))

/* ---- for models ------------------------------------------------------------------------------- */

#define MC_THREADS 6

enum mc_kind {
    MC_OK,
    MC_ASSERTION, /* a failed assertion or a panic */
    MC_RACE,
    MC_FREED,     /* memory used after it was freed, or freed while in use */
    MC_LOST_WAKE, /* all that is left waits for a bell that nobody will ring */
    MC_DEADLOCK,  /* all that is left waits, some of it for locks */
};

struct mc_model {
    const char *name;
    int threads;
    void (*init)(void); /* must bring all state back, as it runs before every execution */
    void (*thread)(int id);
    void (*final)(void); /* may be NULL */
    enum mc_kind expect; /* what must be found, for tests of the explorer itself */
    struct mc_model *next;
};

void mc_register(struct mc_model *model);

#define MC_MODEL(ident, ...)                                                                       \
    static struct mc_model mc_model_##ident = {.name = #ident, __VA_ARGS__};                       \
    __attribute__((constructor)) static void mc_register_##ident(void)                             \
    {                                                                                              \
        mc_register(&mc_model_##ident);                                                            \
    }                                                                                              \
    extern int mc_semicolon_

#define MC_ASSERT(x) ((x) ? (void)0 : mc_fail(MC_ASSERTION, "%s:%d: %s", __FILE__, __LINE__, #x))

/* Ends this execution as failed. */
_Noreturn void mc_fail(enum mc_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * In init(): the pointer variable has a value of its own in each thread, NULL at first. For what is
 * _Thread_local in the library, as all threads here are one.
 */
void mc_thread_local(void *pointer);

/*
 * In init(): what the atomic at `p` says decides only what is tried first or how long, and every value is right. A depth
 * first search has its loads return the newest one and makes them no place to switch at; --random and --pct treat it like any other.
 */
void mc_hint(const volatile void *p);

/* 0 .. n - 1, every one of them. */
int mc_choose(int n);

/* The memory is new: what was known of it is forgotten. Before, all memory counts as in use. */
void mc_alloc(const volatile void *p, size_t size);

/* The memory must not be used from now on, and must not have been used by a thread that does not know that
 * it ends, that is, without happening before this. */
void mc_free(const volatile void *p, size_t size);

/*
 * A doorbell like an eventfd: a ring is kept until somebody waits, and several are one. What the ringer did
 * before is seen after the wait. mc_bell_try() is false if it has not been rung.
 */
struct mc_bell {
    char address;
};
void mc_bell_ring(struct mc_bell *bell);
void mc_bell_wait(struct mc_bell *bell);
bool mc_bell_try(struct mc_bell *bell);

#endif
