/* SPDX-License-Identifier: MIT */
/*
 * fib_calls: a function that calls itself twice; the cost of one of its calls. fib_join/W: the same with one of the two calls forked,
 * on W workers. Both compute fib(27), in which there are 635621 calls; of these 317810 fork.
 */
#include <vigil/async.h>
#include <vigil/fork.h>

#include "runner.h"

enum { N = VG_DEBUG ? 18 : 27 };

struct part {
    int n;
    int64_t ret;
};

/* Kept from being turned into something else than calls. */
static __attribute__((noinline)) int64_t fib_of_calls(int n)
{
    return n < 2 ? n : fib_of_calls(n - 1) + fib_of_calls(n - 2);
}

static int64_t fib_of_forks(int n);

static void run(void *arg)
{
    struct part *part = (struct part *)arg;

    part->ret = fib_of_forks(part->n);
}

static __attribute__((noinline)) int64_t fib_of_forks(int n)
{
    struct part part;
    struct vg_fork fork;
    int64_t other;

    if (n < 2)
        return n;
    part.n = n - 2;
    vg_fork(&fork, run, &part);
    other = fib_of_forks(n - 1);
    vg_fork_join(&fork);
    return other + part.ret;
}

static int64_t calls_of(int n)
{
    return 2 * fib_of_calls(n + 1) - 1;
}

struct caller {
    VG_FRAME(int);
    int64_t (*fib)(int n);
    int64_t result;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    f->result = f->fib(N);
    VG_RETURN(0);
}

static struct caller *caller(struct caller *f, int64_t (*fib)(int n))
{
    VG_SETUP(f, caller);
    f->fib = fib;
    return f;
}

static void measure(struct bench_run *run, int64_t (*fib)(int n))
{
    struct vg_exec *exec = bench_open(run);
    struct caller root;

    while (exec != NULL && bench_next(run, calls_of(N))) {
        if (!bench_batch(run, exec, &caller(&root, fib)->fut))
            break;
        if (root.result != (N == 27 ? 196418 : 2584))
            bench_fail(run, "fib is wrong");
    }
    bench_close(exec);
}

static void fib_calls(struct bench_run *run, int64_t arg)
{
    (void)arg;
    measure(run, fib_of_calls);
}

static void fib_join(struct bench_run *run, int64_t arg)
{
    (void)arg;
    measure(run, fib_of_forks);
}

const struct bench bench_fork[] = {
    {"fib_calls", fib_calls, 1, 1},
    {"fib_join", fib_join, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
