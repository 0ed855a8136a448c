/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_HARNESS_H
#define VIGIL_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Tests that register themselves and run in a process each.
 *
 *     #include "harness.h"
 *
 *     TEST(a_cancelled_lock_passes_the_mutex_on)
 *     {
 *         FOR_SEEDS (seed, 200) {
 *             struct world w;
 *             world_init(&w, seed);
 *             CHECK_EQ(world_run(&w), 0);
 *         }
 *     }
 *
 * The program runs all its tests, or those whose name contains one of its arguments; --list names
 * them, --seed N runs every FOR_SEEDS body once, with that seed, --seeds N chooses how many, and
 * --workers N runs every FOR_WORKERS body once, with as many. It exits with 0, with 1 when a test
 * failed, with 77 when none ran and one was skipped, and with 2 on bad usage.
 *
 * After a test returns, its process must have the descriptors that it started with and no block of
 * the counting allocator. A failed check prints the place, the expression, the seed and the number
 * of workers, and ends the test's process at once, from whichever thread.
 *
 * Environment: VIGIL_LONG=1 multiplies seeds by 20 and time limits by 10; VIGIL_TIMEOUT=N lets no test run
 * for more than N seconds. VIGIL_WORKERS=N is --workers N. VIGIL_RECORD names a file to which a line is appended for each thing that a test
 * counts: number, what, seconds, verdict, test, program, separated by tabs.
 */

typedef void test_function(void);

struct test {
    const char *name, *file;
    test_function *run;
    struct test *next;
};

void test_register(struct test *test);

#define TEST(sentence)                                                                             \
    static void test_##sentence(void);                                                             \
    __attribute__((constructor)) static void register_##sentence(void)                             \
    {                                                                                              \
        static struct test test = {#sentence, __FILE__, test_##sentence, NULL};                    \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_##sentence(void)

/* First statement of a test that may need more, or must take less, than the usual 60 seconds. */
#define TEST_TIMEOUT(seconds) test_timeout(seconds)
void test_timeout(unsigned seconds);

/* True when VIGIL_LONG is set: the nightly amount of work is wanted. */
bool test_long(void);

/* True under AddressSanitizer or ThreadSanitizer, which make everything many times slower. */
bool test_sanitized(void);

/* Ends the test as skipped, for what this machine or kernel cannot do. */
#define SKIP(why) test_skip(__FILE__, __LINE__, why)
_Noreturn void test_skip(const char *file, int line, const char *why);

/* Ends the test as failed, with a message of printf's form. */
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn __attribute__((format(printf, 3, 4))) void test_fail(const char *file, int line,
                                                               const char *format, ...);

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "CHECK(%s)", #cond);                                     \
    } while (0)

/* Compares numbers by value whatever their types (-1 differs from UINT_MAX), or two pointers. */
#define CHECK_EQ(a, b) test_check_equal(__FILE__, __LINE__, #a, TEST_VALUE_(a), #b, TEST_VALUE_(b))

/* Checks that the string hay contains needle. */
#define CHECK_STR(hay, needle) test_check_contains(__FILE__, __LINE__, #hay, hay, needle)

/*
 * Checks that the statements end the process, other than by returning, and that what they print on
 * standard error contains needle. They run in a process of their own. "..." in the needle stands for
 * anything: its parts follow each other in this order.
 */
#define CHECK_PANICS(needle, ...)                                                                  \
    do {                                                                                           \
        if (test_panic_begin()) {                                                                  \
            __VA_ARGS__;                                                                           \
            test_panic_survived();                                                                 \
        }                                                                                          \
        test_panic_end(__FILE__, __LINE__, #__VA_ARGS__, needle);                                  \
    } while (0)
bool test_panic_begin(void);
_Noreturn void test_panic_survived(void);
void test_panic_end(const char *file, int line, const char *text, const char *needle);

/* What the test is at, printed if it fails, however it ends. Any thread but two at once. */
__attribute__((format(printf, 1, 2))) void test_note(const char *format, ...);

/* How many descriptors the process has open. */
unsigned test_open_fds(void);

/* The seed of the FOR_SEEDS body that runs now, 0 outside of one. */
extern uint64_t test_seed;

/* Runs the body that follows with count seeds, or as the command line says. Not to be nested. */
#define FOR_SEEDS(seed, count)                                                                     \
    for (uint64_t seed = test_seeds_begin(count); test_seeds_more(); seed = test_seeds_next())
uint64_t test_seeds_begin(uint64_t count);
bool test_seeds_more(void);
uint64_t test_seeds_next(void);

/* Runs the body that follows with 1, 2, 4 and 8 workers, or as the command line says. For tests on real
 * threads whose scenario does not depend on how many there are. Not to be nested in itself. */
#define FOR_WORKERS(workers)                                                                       \
    for (unsigned workers = test_workers_begin(); test_workers_more();                             \
         workers = test_workers_next())
unsigned test_workers_begin(void);
bool test_workers_more(void);
unsigned test_workers_next(void);

/* Adds to what the test says that it has done: "count: 10000000 park/wake cycles". At most four different
 * `what`, literals all, from the test's own thread. */
void test_count(uint64_t n, const char *what);

/* What follows is for the macros above. */

struct test_value {
    enum { TEST_SIGNED, TEST_UNSIGNED, TEST_REAL, TEST_POINTER } kind;
    long long s;
    unsigned long long u;
    double real;
    const volatile void *pointer;
};

struct test_value test_value_signed(long long value);
struct test_value test_value_unsigned(unsigned long long value);
struct test_value test_value_real(double value);
struct test_value test_value_pointer(const volatile void *value);

#define TEST_VALUE_(x)                                                                             \
    _Generic((x), _Bool                                                                            \
             : test_value_unsigned, char                                                           \
             : test_value_signed, signed char                                                      \
             : test_value_signed, short                                                            \
             : test_value_signed, int                                                              \
             : test_value_signed, long                                                             \
             : test_value_signed, long long                                                        \
             : test_value_signed, unsigned char                                                    \
             : test_value_unsigned, unsigned short                                                 \
             : test_value_unsigned, unsigned                                                       \
             : test_value_unsigned, unsigned long                                                  \
             : test_value_unsigned, unsigned long long                                             \
             : test_value_unsigned, float                                                          \
             : test_value_real, double                                                             \
             : test_value_real, default                                                            \
             : test_value_pointer)(x)

void test_check_equal(const char *file, int line, const char *a_text, struct test_value a,
                      const char *b_text, struct test_value b);
void test_check_contains(const char *file, int line, const char *text, const char *hay,
                         const char *needle);

#endif
