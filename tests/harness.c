/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "counting_alloc.h"
#include "harness_private.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { EXIT_SKIP = 77, MAX_FDS = 1024, DEFAULT_TIMEOUT_S = 60 };

static struct test *tests, **tests_end = &tests;
static const char *program;
static const struct test *current;

struct test_shared *test_shared;
struct test_options test_options;

void test_register(struct test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

bool test_sanitized(void)
{
    return SANITIZED;
}

bool test_long(void)
{
    const char *value = getenv("VIGIL_LONG");
    return value && *value && strcmp(value, "0") != 0;
}

/* What hangs when it fails, as mutants do, need not be waited for that long. */
static unsigned cut(unsigned seconds)
{
    const char *at_most = getenv("VIGIL_TIMEOUT");
    const unsigned most = at_most != NULL ? (unsigned)atoi(at_most) : 0;

    return most > 0 && most < seconds ? most : seconds;
}

void test_timeout(unsigned seconds)
{
    test_shared->timeout_s = cut(seconds * (test_sanitized() ? 4 : 1) * (test_long() ? 10 : 1));
}

/* Verdicts of a test's process */

void test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(test_shared->note, sizeof test_shared->note, format, args);
    va_end(args);
}

/* With what it failed, as the command line that does it again. */
static void print_again(void)
{
    const struct test_shared *shared = test_shared;
    if (shared->note[0])
        fprintf(stderr, "    at: %s\n", shared->note);
    if (shared->workers)
        fprintf(stderr, "    %u workers; again: %s %s --workers %u\n", shared->workers, program,
                current->name, shared->workers);
    if (shared->seed)
        fprintf(stderr, "    seed %llu; again: %s %s --seed %llu\n",
                (unsigned long long)shared->seed, program, current->name,
                (unsigned long long)shared->seed);
}

void test_fail(const char *file, int line, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s:%d: in %s: %s\n", file, line, current->name, text);
    print_again();
    _exit(EXIT_FAILURE);
}

void test_skip(const char *file, int line, const char *why)
{
    fprintf(stderr, "%s:%d: skipped: %s\n", file, line, why);
    _exit(EXIT_SKIP);
}

static unsigned list_fds(bool *open)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(dir))
            continue;
        CHECK(fd < MAX_FDS);
        open[fd] = true;
        count++;
    }
    closedir(dir);
    return count;
}

unsigned test_open_fds(void)
{
    bool open[MAX_FDS] = {0};
    return list_fds(open);
}

static void check_fds(const bool *before)
{
    bool after[MAX_FDS] = {0};
    bool balanced = true;
    list_fds(after);
    for (int fd = 0; fd < MAX_FDS; fd++) {
        if (before[fd] == after[fd])
            continue;
        char path[32], target[256] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t len = readlink(path, target, sizeof target - 1);
        fprintf(stderr, "    descriptor %d was %s%s%s\n", fd,
                before[fd] ? "closed" : "left open: ", before[fd] ? "" : target,
                len < 0 ? "" : " ");
        balanced = false;
    }
    if (!balanced)
        FAIL("the test did not leave the descriptors as it found them");
}

static void check_allocations(void)
{
    if (test_alloc_live() == 0)
        return;
    test_alloc_dump();
    FAIL("the test left %llu blocks allocated", (unsigned long long)test_alloc_live());
}

static _Noreturn void run_in_child(const struct test *test)
{
    bool fds[MAX_FDS] = {0};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    list_fds(fds);
    test->run();
    check_fds(fds);
    check_allocations();
    exit(EXIT_SUCCESS); /* leak checking of a sanitizer happens here */
}

/* The parent's side */

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Waits until the process ends or the deadline, which the test may move, is over. */
static bool wait_until(pid_t pid, int *status, double start, const unsigned *limit_s)
{
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    const struct timespec slice = {.tv_nsec = 100 * 1000 * 1000};
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (now_s() - start > *limit_s)
            return false;
        sigtimedwait(&chld, NULL, &slice);
    }
    return true;
}

static int await_child(pid_t pid, bool *timed_out)
{
    int status = 0;
    const unsigned grace_s = 3;
    *timed_out = !wait_until(pid, &status, now_s(), &test_shared->timeout_s);
    if (*timed_out) {
        kill(-pid, SIGABRT); /* for whoever prints a stack on it */
        if (!wait_until(pid, &status, now_s(), &grace_s)) {
            kill(-pid, SIGKILL);
            waitpid(pid, &status, 0);
        }
    }
    kill(-pid, SIGKILL); /* whatever the test started and left */
    return status;
}

static int run_test(const struct test *test)
{
    current = test;
    memset(test_shared, 0, sizeof *test_shared);
    test_timeout(DEFAULT_TIMEOUT_S);
    double start = now_s();
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        return EXIT_FAILURE;
    }
    if (pid == 0)
        run_in_child(test);

    bool timed_out;
    int status = await_child(pid, &timed_out);
    int code = WIFEXITED(status) && !timed_out ? WEXITSTATUS(status) : EXIT_FAILURE;
    const char *verdict = code == 0 ? "ok" : code == EXIT_SKIP ? "skipped" : "FAILED";
    const double ms = (now_s() - start) * 1e3;
    printf("%-8s %s (%.0f ms)\n", verdict, test->name, ms);
    test_counts_print(program, test->name, ms, verdict);
    if (code == 0 || code == EXIT_SKIP)
        return code;
    if (timed_out)
        fprintf(stderr, "    no end after %u s\n", test_shared->timeout_s);
    else if (WIFSIGNALED(status))
        fprintf(stderr, "    killed by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "    exit code %d\n", code);
    print_again();
    return EXIT_FAILURE;
}

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: %s [--list] [--seed N] [--seeds N] [--workers N] [part-of-a-name...]\n",
            program);
    exit(2);
}

static uint64_t number(const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = text ? strtoull(text, &end, 10) : 0;
    if (!end || errno || *end || value == 0)
        usage();
    return value;
}

static unsigned workers(const char *text)
{
    const uint64_t value = number(text);
    if (value > TEST_WORKERS_MAX)
        usage();
    return (unsigned)value;
}

/* Moves the name filters to the front of argv and returns how many there are. */
static int parse(int argc, char **argv)
{
    int filters = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            test_options.list = true;
        } else if (strcmp(argv[i], "--seed") == 0) {
            test_options.one_seed = true;
            test_options.seed = number(argv[++i]);
        } else if (strcmp(argv[i], "--seeds") == 0) {
            test_options.seeds = number(argv[++i]);
        } else if (strcmp(argv[i], "--workers") == 0) {
            test_options.workers = workers(argv[++i]);
        } else if (argv[i][0] == '-') {
            usage();
        } else {
            argv[filters++] = argv[i];
        }
    }
    return filters;
}

static bool selected(const struct test *test, int filters, char **filter)
{
    for (int i = 0; i < filters; i++)
        if (strstr(test->name, filter[i]))
            return true;
    return filters == 0;
}

static void prepare(void)
{
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    const struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_shared =
        mmap(NULL, sizeof *test_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (test_shared == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    program = argv[0];
    const char *count = getenv("VIGIL_WORKERS");
    if (count && *count)
        test_options.workers = workers(count);
    int filters = parse(argc, argv);
    unsigned passed = 0, failed = 0, skipped = 0;

    prepare();
    for (const struct test *test = tests; test; test = test->next) {
        if (!selected(test, filters, argv))
            continue;
        if (test_options.list) {
            puts(test->name);
            continue;
        }
        int code = run_test(test);
        passed += code == 0;
        skipped += code == EXIT_SKIP;
        failed += code == EXIT_FAILURE;
    }
    if (test_options.list)
        return 0;
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    if (passed + failed + skipped == 0) {
        fprintf(stderr, "%s: no test has such a name\n", program);
        return 2;
    }
    return failed ? 1 : passed ? 0 : EXIT_SKIP;
}
