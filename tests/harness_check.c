/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Comparison of values */

struct test_value test_value_signed(long long value)
{
    return value < 0 ? (struct test_value){.kind = TEST_SIGNED, .s = value}
                     : test_value_unsigned((unsigned long long)value);
}

struct test_value test_value_unsigned(unsigned long long value)
{
    return (struct test_value){.kind = TEST_UNSIGNED, .u = value};
}

struct test_value test_value_real(double value)
{
    return (struct test_value){.kind = TEST_REAL, .real = value};
}

struct test_value test_value_pointer(const volatile void *value)
{
    return (struct test_value){.kind = TEST_POINTER, .pointer = value};
}

static double as_real(struct test_value v)
{
    return v.kind == TEST_REAL ? v.real : v.kind == TEST_SIGNED ? (double)v.s : (double)v.u;
}

static bool equal(struct test_value a, struct test_value b)
{
    if (a.kind == TEST_POINTER || b.kind == TEST_POINTER)
        return a.kind == b.kind && a.pointer == b.pointer;
    if (a.kind == TEST_REAL || b.kind == TEST_REAL)
        return as_real(a) <= as_real(b) && as_real(a) >= as_real(b);
    return a.kind == b.kind && a.s == b.s && a.u == b.u;
}

static const char *show(struct test_value v, char *buf, size_t size)
{
    if (v.kind == TEST_POINTER)
        snprintf(buf, size, "%p", (const void *)(uintptr_t)v.pointer);
    else if (v.kind == TEST_REAL)
        snprintf(buf, size, "%.17g", v.real);
    else if (v.kind == TEST_SIGNED)
        snprintf(buf, size, "%lld", v.s);
    else
        snprintf(buf, size, "%llu", v.u);
    return buf;
}

void test_check_equal(const char *file, int line, const char *a_text, struct test_value a,
                      const char *b_text, struct test_value b)
{
    char a_buf[40], b_buf[40];
    if (!equal(a, b))
        test_fail(file, line, "CHECK_EQ(%s, %s): %s is not %s", a_text, b_text,
                  show(a, a_buf, sizeof a_buf), show(b, b_buf, sizeof b_buf));
}

void test_check_contains(const char *file, int line, const char *text, const char *hay,
                         const char *needle)
{
    if (!hay || !strstr(hay, needle))
        test_fail(file, line, "CHECK_STR(%s): no \"%s\" in:\n%s", text, needle,
                  hay ? hay : "(null)");
}

/* Expected panics */

static struct {
    pid_t pid;
    int out;
} panic;

enum { SURVIVED = 99 };

bool test_panic_begin(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    panic.pid = fork();
    CHECK(panic.pid >= 0);
    if (panic.pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        return true;
    }
    close(ends[1]);
    panic.out = ends[0];
    return false;
}

void test_panic_survived(void)
{
    _exit(SURVIVED);
}

/* Reads to the end, so that the process never blocks; keeps what fits. */
static void read_all(int fd, char *buf, size_t size)
{
    size_t len = 0;
    char chunk[512];
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;) {
        size_t room = size - 1 - len;
        size_t keep = (size_t)n < room ? (size_t)n : room;
        memcpy(buf + len, chunk, keep);
        len += keep;
    }
    buf[len] = 0;
}

/* Whether the parts of the needle, which "..." separates, lie in the text one after the other. */
static bool matches(const char *text, const char *needle)
{
    for (;;) {
        const char *gap = strstr(needle, "...");
        size_t len = gap ? (size_t)(gap - needle) : strlen(needle);
        text = (const char *)memmem(text, strlen(text), needle, len);
        if (!text || !gap)
            return text != NULL;
        text += len;
        needle = gap + 3;
    }
}

void test_panic_end(const char *file, int line, const char *text, const char *needle)
{
    char output[8192];
    int status = 0;
    read_all(panic.out, output, sizeof output);
    close(panic.out);
    waitpid(panic.pid, &status, 0);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == SURVIVED || WEXITSTATUS(status) == 0))
        test_fail(file, line, "CHECK_PANICS: %s did not panic", text);
    if (!matches(output, needle))
        test_fail(file, line, "CHECK_PANICS: no \"%s\" in:\n%.1500s", needle, output);
}
