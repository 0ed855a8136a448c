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

/* What the test's process tells its parent. */
struct shared {
    uint64_t seed;
    unsigned timeout_s;
    char note[128];
};

static struct test *tests, **tests_end = &tests;
static struct shared *shared;
static const char *program;
static const struct test *current;
static struct {
    bool list, one_seed;
    uint64_t seed, seeds;
} options;

uint64_t test_seed;
static uint64_t seeds_end;

void test_register(struct test *test)
{
    *tests_end = test;
    tests_end = &test->next;
}

bool test_long(void)
{
    const char *value = getenv("VIGIL_LONG");
    return value && *value && strcmp(value, "0") != 0;
}

void test_timeout(unsigned seconds)
{
    shared->timeout_s = seconds * (SANITIZED ? 4 : 1) * (test_long() ? 10 : 1);
}

/* Seeds */

static void set_seed(uint64_t seed)
{
    test_seed = seed;
    shared->seed = seed;
}

uint64_t test_seeds_begin(uint64_t count)
{
    if (options.seeds)
        count = options.seeds;
    else if (test_long())
        count *= 20;
    set_seed(options.one_seed ? options.seed : 1);
    seeds_end = options.one_seed ? test_seed + 1 : count + 1;
    return test_seed;
}

bool test_seeds_more(void)
{
    if (test_seed != seeds_end)
        return true;
    set_seed(0);
    return false;
}

uint64_t test_seeds_next(void)
{
    set_seed(test_seed + 1);
    return test_seed;
}

/* Verdicts of a test's process */

void test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(shared->note, sizeof shared->note, format, args);
    va_end(args);
}

static void print_seed(uint64_t seed)
{
    if (shared->note[0])
        fprintf(stderr, "    at: %s\n", shared->note);
    if (seed)
        fprintf(stderr, "    seed %llu; again: %s %s --seed %llu\n", (unsigned long long)seed,
                program, current->name, (unsigned long long)seed);
}

void test_fail(const char *file, int line, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "%s:%d: in %s: %s\n", file, line, current->name, text);
    print_seed(test_seed);
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
    *timed_out = !wait_until(pid, &status, now_s(), &shared->timeout_s);
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
    shared->seed = 0;
    shared->note[0] = 0;
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
    printf("%-8s %s (%.0f ms)\n", verdict, test->name, (now_s() - start) * 1e3);
    if (code == 0 || code == EXIT_SKIP)
        return code;
    if (timed_out)
        fprintf(stderr, "    no end after %u s\n", shared->timeout_s);
    else if (WIFSIGNALED(status))
        fprintf(stderr, "    killed by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "    exit code %d\n", code);
    print_seed(shared->seed);
    return EXIT_FAILURE;
}

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: %s [--list] [--seed N] [--seeds N] [part-of-a-name...]\n", program);
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

/* Moves the name filters to the front of argv and returns how many there are. */
static int parse(int argc, char **argv)
{
    int filters = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            options.list = true;
        } else if (strcmp(argv[i], "--seed") == 0) {
            options.one_seed = true;
            options.seed = number(argv[++i]);
        } else if (strcmp(argv[i], "--seeds") == 0) {
            options.seeds = number(argv[++i]);
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
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    program = argv[0];
    int filters = parse(argc, argv);
    unsigned passed = 0, failed = 0, skipped = 0;

    prepare();
    for (const struct test *test = tests; test; test = test->next) {
        if (!selected(test, filters, argv))
            continue;
        if (options.list) {
            puts(test->name);
            continue;
        }
        int code = run_test(test);
        passed += code == 0;
        skipped += code == EXIT_SKIP;
        failed += code == EXIT_FAILURE;
    }
    if (options.list)
        return 0;
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    if (passed + failed + skipped == 0) {
        fprintf(stderr, "%s: no test has such a name\n", program);
        return 2;
    }
    return failed ? 1 : passed ? 0 : EXIT_SKIP;
}
