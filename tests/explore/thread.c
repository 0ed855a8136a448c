/* SPDX-License-Identifier: MIT */
/* The checked longjmp refuses to change stacks, which is all that is done with it here. */
#undef _FORTIFY_SOURCE
#include "internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/*
 * Threads are fibres that switch by setjmp and longjmp, which make no system call. A fibre outlives the
 * execution: when its thread has ended it waits to run the next one's. One that was abandoned in the middle
 * is made anew.
 */

enum { STACK = 256 * 1024, LONG_TURN = 400 };

struct fibre {
    jmp_buf at;
    void *stack;
    bool alive; /* can be resumed to run the thread of another execution */
};

struct waiting {
    bool (*ready)(const void *); /* NULL: the thread can run */
    const void *arg;
    bool bell;
    const struct mc_site *site;
};

struct execution mc_run;

static struct fibre fibres[MC_THREADS];
static struct waiting waiting[MC_THREADS];
static bool done[MC_THREADS];
static int pauses[MC_THREADS];
static int turn; /* steps since the last switch */
static jmp_buf main_at;

static void **local; /* the model's thread-local pointer */
static void *local_value[MC_THREADS];

static bool enabled(int id)
{
    return !done[id] && (!waiting[id].ready || waiting[id].ready(waiting[id].arg));
}

static _Noreturn void to_main(void)
{
    longjmp(main_at, 1);
}

_Noreturn void thread_abandon(void)
{
    if (mc_run.current != MC_MAIN)
        for (int i = 0; i < mc_run.model->threads; i++)
            fibres[i].alive = false;
    to_main();
}

_Noreturn void mc_fail(enum mc_kind kind, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    mc_run.failure = kind;
    vsnprintf(mc_run.message, sizeof mc_run.message, fmt, args);
    va_end(args);
    thread_abandon();
}

/* ---- switching -------------------------------------------------------------------------------- */

static void body(void);

static void start(struct fibre *fibre)
{
    ucontext_t context;

    if (!fibre->stack)
        fibre->stack = malloc(STACK);
    if (!fibre->stack || getcontext(&context) != 0)
        abort();
    context.uc_stack.ss_sp = fibre->stack;
    context.uc_stack.ss_size = STACK;
    context.uc_link = NULL;
    makecontext(&context, body, 0);
    fibre->alive = true;
    setcontext(&context);
    abort();
}

static _Noreturn void resume(int id)
{
    if (local) {
        if (mc_run.current != MC_MAIN)
            local_value[mc_run.current] = *local;
        *local = local_value[id];
    }
    mc_run.current = id;
    turn = 0;
    if (!fibres[id].alive)
        start(&fibres[id]);
    longjmp(fibres[id].at, 1);
}

static void switch_to(int id)
{
    int self = mc_run.current;

    if (id != self && !setjmp(fibres[self].at))
        resume(id);
}

void mc_thread_local(void *pointer)
{
    local = pointer;
}

bool thread_own_memory(const volatile void *p)
{
    for (int i = 0; i < mc_run.model->threads; i++)
        if ((uintptr_t)p - (uintptr_t)fibres[i].stack < STACK)
            return true;
    return p == local;
}

/* ---- who runs next ---------------------------------------------------------------------------- */

static _Noreturn void fail_all_wait(void)
{
    enum mc_kind kind = MC_LOST_WAKE;
    char text[400] = "";

    for (int i = 0; i < mc_run.model->threads; i++) {
        size_t length = strlen(text);
        if (done[i])
            continue;
        if (!waiting[i].bell)
            kind = MC_DEADLOCK;
        snprintf(text + length, sizeof text - length, "%sthread %d waits: %s", length ? "; " : "",
                 i, report_site(waiting[i].site));
    }
    mc_fail(kind, "%s", text);
}

/* The enabled threads, the running one first if it is among them. */
static int candidates(int *list, bool self_too)
{
    int n = 0, self = mc_run.current;

    if (self_too && enabled(self))
        list[n++] = self;
    for (int i = 0; i < mc_run.model->threads; i++)
        if (i != self && enabled(i))
            list[n++] = i;
    return n;
}

static bool all_done(void)
{
    for (int i = 0; i < mc_run.model->threads; i++)
        if (!done[i])
            return false;
    return true;
}

/* The running thread waits or spins: another one, if any can. */
static void give_way(void)
{
    int list[MC_THREADS];
    int n = candidates(list, false);

    if (n > 0)
        switch_to(list[search_thread(list, n, true)]);
    else if (!enabled(mc_run.current))
        fail_all_wait();
}

/* The running thread has ended. */
static _Noreturn void leave(void)
{
    int list[MC_THREADS];
    int n = candidates(list, false);

    if (n > 0)
        resume(list[search_thread(list, n, true)]);
    if (!all_done())
        fail_all_wait();
    to_main();
}

static void count_step(void)
{
    if (++mc_run.steps > mc_options.steps) {
        mc_run.cut = true;
        thread_abandon();
    }
}

static bool may_preempt(const volatile void *address)
{
    /* Asked first, because it learns from the question. */
    bool shared = search_shared(address);

    if (mc_search.mode == SEARCH_REPLAY)
        return true;
    return shared && (mc_search.bound < 0 || mc_run.preemptions < mc_search.bound);
}

void thread_step(const volatile void *address)
{
    int list[MC_THREADS];
    int next;

    count_step();
    if (++turn > LONG_TURN) {
        /* It waits for something that it can only see others do. */
        memory_thread_caught_up();
        give_way();
    }
    if (!may_preempt(address)) {
        search_no_choice();
        return;
    }
    next = list[search_thread(list, candidates(list, true), false)];
    mc_run.preemptions += next != mc_run.current;
    switch_to(next);
}

void thread_wait(bool (*ready)(const void *), const void *arg, bool bell,
                 const struct mc_site *site)
{
    struct waiting *self = &waiting[mc_run.current];

    *self = (struct waiting){ready, arg, bell, site};
    if (!ready(arg))
        report_step(site, "waits");
    while (!ready(arg))
        give_way();
    self->ready = NULL;
}

void mc_pause(const struct mc_site *site)
{
    int self = mc_run.current;

    if (self == MC_MAIN)
        return;
    report_step(site, "%s", "");
    count_step();
    search_yield();
    /* Stores become visible in finite time, so a loop that reads old values does not go on for ever. */
    if (++pauses[self] > 2)
        memory_thread_caught_up();
    give_way();
}

/* ---- one execution ---------------------------------------------------------------------------- */

static void body(void)
{
    for (;;) {
        mc_run.model->thread(mc_run.current);
        done[mc_run.current] = true;
        if (!setjmp(fibres[mc_run.current].at))
            leave();
    }
}

static void begin(const struct mc_model *model)
{
    bool tracing = mc_run.tracing;

    memset(&mc_run, 0, sizeof mc_run);
    mc_run.model = model;
    mc_run.tracing = tracing;
    mc_run.current = MC_MAIN;
    memset(waiting, 0, sizeof waiting);
    memset(done, 0, sizeof done);
    memset(pauses, 0, sizeof pauses);
    memset(local_value, 0, sizeof local_value);
    local = NULL;
    memory_clear();
    plain_clear();
    sync_clear();
}

static void run_threads(void)
{
    int list[MC_THREADS];

    if (!setjmp(main_at))
        resume(list[search_thread(list, candidates(list, false), true)]);
    mc_run.current = MC_MAIN;
}

static void run_final(void)
{
    if (!mc_run.failure && !mc_run.cut && mc_run.model->final && !setjmp(main_at))
        mc_run.model->final();
}

void thread_execute(const struct mc_model *model)
{
    begin(model);
    if (model->init && !setjmp(main_at))
        model->init();
    if (!mc_run.failure)
        run_threads();
    run_final();
}
