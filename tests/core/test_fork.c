/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <vigil/fork.h>

#include "nodes.h"
#include "rig.h"
#include "worker.h"

/* Forks and joins of plain functions, and loops over ranges. */

struct part {
    int n;
    long ret;
};

static long fib(int n);

static void run_fib(void *arg)
{
    struct part *part = arg;

    part->ret = fib(part->n);
}

static long fib(int n)
{
    struct part part = {n - 2, 0};
    struct vg_fork fork;
    long other;

    if (n < 2)
        return n;
    vg_fork(&fork, run_fib, &part);
    other = fib(n - 1);
    vg_fork_join(&fork);
    return other + part.ret;
}

/* A task that calls a function. */
struct caller {
    VG_FRAME(int);
    void (*call)(void *arg);
    void *arg;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    f->call(f->arg);
    VG_RETURN(0);
}

static struct caller *caller(struct caller *f, void (*call)(void *arg), void *arg)
{
    VG_SETUP(f, caller);
    f->call = call;
    f->arg = arg;
    return f;
}

static void run_in(unsigned workers, void (*call)(void *arg), void *arg)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    struct caller root;

    config.workers = workers;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(vg_block_on(exec, &caller(&root, call, arg)->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
}

TEST(a_recursion_of_forks_computes_what_calls_would)
{
    FOR_WORKERS (workers) {
        struct part part = {25, 0};

        run_in(workers, run_fib, &part);
        CHECK_EQ(part.ret, 75025);
    }
}

/* ---- deep and wide --------------------------------------------------------------------------- */

static void count_down(void *arg)
{
    struct part *part = arg, rest = {part->n - 1, 0}, one = {1, 0};
    struct vg_fork fork;

    if (part->n == 0)
        return;
    vg_fork(&fork, run_fib, &one);
    count_down(&rest);
    vg_fork_join(&fork);
    part->ret = rest.ret + one.ret;
}

TEST(forks_may_be_nested_deeper_than_a_worker_notes_down)
{
    FOR_WORKERS (workers) {
        struct part part = {3 * VG_FORKS_MAX, 0};

        run_in(workers, count_down, &part);
        CHECK_EQ(part.ret, 3 * VG_FORKS_MAX);
    }
}

static void many_at_once(void *arg)
{
    struct part *part = arg, one[100];
    struct vg_fork fork[100];

    for (int i = 0; i < 100; i++) {
        one[i] = (struct part){10, 0};
        vg_fork(&fork[i], run_fib, &one[i]);
    }
    for (int i = 99; i >= 0; i--) {
        vg_fork_join(&fork[i]);
        part->ret += one[i].ret;
    }
}

TEST(a_function_may_fork_several_times_before_it_joins)
{
    FOR_WORKERS (workers) {
        struct part part = {0, 0};

        run_in(workers, many_at_once, &part);
        CHECK_EQ(part.ret, 5500);
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

struct marks {
    size_t length, grain;
    unsigned char *mark;
};

static void mark(void *context, size_t begin, size_t end)
{
    struct marks *marks = context;

    CHECK(begin < end && end - begin <= (marks->grain > 0 ? marks->grain : 1));
    for (size_t i = begin; i < end; i++)
        marks->mark[i]++;
}

static void mark_all(void *arg)
{
    struct marks *marks = arg;

    vg_parallel_for(1, marks->length, marks->grain, mark, marks);
}

static void check_loop(unsigned workers, size_t length, size_t grain)
{
    struct marks marks = {length, grain, calloc(length + 1, 1)};

    CHECK(marks.mark != NULL);
    run_in(workers, mark_all, &marks);
    for (size_t i = 0; i <= length; i++)
        CHECK_EQ(marks.mark[i], i >= 1 && i < length);
    free(marks.mark);
}

TEST(a_loop_covers_its_range_once)
{
    FOR_WORKERS (workers) {
        check_loop(workers, 0, 1);
        check_loop(workers, 1, 1);
        check_loop(workers, 2, 0);
        check_loop(workers, 1001, 1);
        check_loop(workers, 100000, 7);
        check_loop(workers, 100, 1000);
    }
}

/* ---- on the simulator: forks become tasks as soon as another worker has nothing to do ------------- */

/* Forks, lets the test run the other worker, and joins. */
struct stage {
    struct rig *rig;
    struct part part;
    int runs;
    unsigned ran_by;
};

static void note(void *arg)
{
    struct stage *stage = arg;

    stage->runs++;
    stage->ran_by = vg_worker_here->index;
}

static void fork_and_look(void *arg)
{
    struct stage *stage = arg;
    struct vg_worker *const here = vg_worker_here;
    struct vg_fork fork;

    vg_fork(&fork, note, stage);
    CHECK_EQ(here->forks.promoted, 1);
    vg_fork_join(&fork);
    CHECK_EQ(stage->runs, 1);
    CHECK_EQ(here->forks.promoted, 0);
    CHECK_EQ(here->forks.top, 0);
}

TEST(a_fork_that_was_given_away_and_not_taken_is_run_by_its_join)
{
    struct rig rig;
    struct stage stage = {&rig, {0, 0}, 0, 9};

    rig_open_config(&rig, 2, NULL, true);
    rig_run(&rig); /* both sleep */
    rig_spawn(&rig, caller, fork_and_look, &stage);
    CHECK_EQ(stage.runs, 1);
    CHECK_EQ(vg_exec_live(rig.exec), 0); /* its task has ended too, in vain */
    rig_close(&rig);
}

static void ignore(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    (void)probe, (void)worker, (void)visit;
}

static void fork_and_call(void *arg)
{
    struct stage *stage = arg;
    struct vg_idle *const idle = &stage->rig->exec->idle;
    const unsigned other = !vg_worker_here->index;
    struct vg_fork fork;

    CHECK(vg_idle_may_park(idle, other)); /* asleep, and not called */
    vg_fork(&fork, note, stage);
    CHECK(!vg_idle_may_park(idle, other));
    vg_fork_join(&fork);
}

/* An observer, who would have others called only when the poll has taken long. */
TEST(a_worker_that_sleeps_is_called_for_the_first_fork_that_is_given_away)
{
    struct vg_probe probe = {.visited = ignore};
    struct rig rig;
    struct stage stage = {&rig, {0, 0}, 0, 9};
    unsigned called;

    rig_open_config(&rig, 2, &probe, true);
    rig_run(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[rig.tasks++], caller, fork_and_call, &stage), 0);
    called = vg_idle_may_park(&rig.exec->idle, 0); /* for the task */
    CHECK_EQ(vg_exec_step(rig.exec, called), VG_STEP_RAN);
    rig_run(&rig);
    CHECK_EQ(stage.runs, 1);
    rig_close(&rig);
}

static void fork_and_wait(void *arg)
{
    struct stage *stage = arg;
    struct vg_worker *const here = vg_worker_here;
    struct vg_fork fork;

    vg_fork(&fork, note, stage);
    while (vg_exec_step(here->exec, !here->index) == VG_STEP_RAN)
        continue;
    CHECK_EQ(stage->runs, 1);
    CHECK_EQ(stage->ran_by, !here->index);
    vg_fork_join(&fork);
    CHECK_EQ(stage->runs, 1);
}

TEST(a_fork_that_another_worker_has_run_is_not_run_again)
{
    struct rig rig;
    struct stage stage = {&rig, {0, 0}, 0, 9};

    rig_open_config(&rig, 2, NULL, true);
    rig_run(&rig);
    rig_spawn(&rig, caller, fork_and_wait, &stage);
    CHECK_EQ(stage.runs, 1);
    rig_close(&rig);
}

static void fork_alone(void *arg)
{
    struct stage *stage = arg;
    struct vg_fork first, second;

    vg_fork(&first, note, stage);
    vg_fork(&second, note, stage);
    CHECK_EQ(vg_worker_here->forks.promoted, 0);
    vg_fork_join(&second);
    vg_fork_join(&first);
}

TEST(a_lone_worker_gives_no_forks_away)
{
    struct rig rig;
    struct stage stage = {&rig, {0, 0}, 0, 9};

    rig_open(&rig);
    rig_spawn(&rig, caller, fork_alone, &stage);
    CHECK_EQ(stage.runs, 2);
    rig_close(&rig);
}

/* ---- misuse ----------------------------------------------------------------------------------- */

static void forget(void *arg)
{
    struct vg_fork fork;

    vg_fork(&fork, note, arg);
}

static void join_out_of_order(void *arg)
{
    struct vg_fork first, second;

    vg_fork(&first, note, arg);
    vg_fork(&second, note, arg);
    vg_fork_join(&first);
}

static void panic_in_task(void (*call)(void *arg), const char *why)
{
    struct rig rig;
    struct stage stage = {&rig, {0, 0}, 0, 9};

    rig_open(&rig);
    CHECK_PANICS(why, rig_spawn(&rig, caller, call, &stage));
    rig_close(&rig);
}

TEST(a_fork_that_is_not_joined_panics)
{
    panic_in_task(forget, "a poll ends with 1 forks that were not joined");
}

TEST(a_join_out_of_order_panics)
{
    panic_in_task(join_out_of_order, "a join of another fork than the newest");
}

TEST(a_fork_outside_of_a_worker_panics)
{
    CHECK_PANICS("vg_fork() on a thread that is no worker", forget(NULL));
}
