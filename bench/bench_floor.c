/* SPDX-License-Identifier: MIT */
/*
 * What the machine charges for what a runtime is made of, in the same run as all the rest: floor/cas an uncontended
 * compare-and-swap, floor/clock a read of the monotonic clock, floor/tsc one of the processor's counter behind it, floor/malloc
 * 64 bytes allocated and freed, floor/line a cache line handed from one processor to another, floor/wake a sleeping thread
 * woken through an eventfd and waking the other the same way: both ways.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"
#include "vg_atomic.h"

enum { MILLION = 1000000 };

/* Keeps the compiler from knowing what the pointer leads to. */
static void escape(void *pointer)
{
    __asm__ __volatile__("" : : "g"(pointer) : "memory");
}

static void cas(struct bench_run *run, int64_t arg)
{
    const int64_t times = bench_scaled(run, 5 * MILLION);
    VG_ATOMIC(uint64_t) word = 0;

    (void)arg;
    escape(&word);
    while (bench_next(run, times)) {
        uint64_t seen = vg_load(&word, relaxed);

        for (int64_t i = 0; i < times; i++, seen++)
            if (!vg_cas(&word, &seen, seen + 1, acq_rel, relaxed))
                bench_fail(run, "the word is contended");
    }
}

static void clock_read(struct bench_run *run, int64_t arg)
{
    const int64_t times = bench_scaled(run, MILLION);
    struct timespec ts;

    (void)arg;
    while (bench_next(run, times))
        for (int64_t i = 0; i < times; i++) {
            clock_gettime(CLOCK_MONOTONIC, &ts);
            escape(&ts);
        }
}

static uint64_t read_counter(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t count;

    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#endif
}

static void tsc(struct bench_run *run, int64_t arg)
{
    const int64_t times = bench_scaled(run, MILLION);
    uint64_t count;

    (void)arg;
    while (bench_next(run, times))
        for (int64_t i = 0; i < times; i++) {
            count = read_counter();
            escape(&count);
        }
}

static void allocation(struct bench_run *run, int64_t arg)
{
    const int64_t times = bench_scaled(run, 5 * MILLION);

    (void)arg;
    while (bench_next(run, times))
        for (int64_t i = 0; i < times; i++) {
            void *memory = malloc(64);

            escape(memory);
            free(memory);
        }
}

/* Even: the caller's turn; odd: the partner's. */
struct relay {
    _Alignas(128) VG_ATOMIC(uint64_t) turn;
    _Alignas(128) VG_ATOMIC(uint32_t) stop;
    VG_ATOMIC(uint32_t) started; /* the partner has chosen its processor */
};

/* To one of the processors that this process may use. False: there are not so many. */
static bool pin(unsigned index)
{
    cpu_set_t allowed, one;

    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return false;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && index-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            return sched_setaffinity(0, sizeof one, &one) == 0;
        }
    return false;
}

static void *partner(void *arg)
{
    struct relay *relay = (struct relay *)arg;

    (void)pin(1);
    vg_store(&relay->started, 1, release); /* pairs with the acquire in line() */
    while (!vg_load(&relay->stop, relaxed)) {
        const uint64_t turn = vg_load(&relay->turn, acquire); /* pairs with the release in line() */

        if (turn % 2 == 1)
            vg_store(&relay->turn, turn + 1, release); /* pairs with the acquire in line() */
        else
            vg_pause();
    }
    return NULL;
}

/* Two hands for each round: there and back. */
static void pass(struct relay *relay, int64_t rounds)
{
    for (int64_t i = 0; i < rounds; i++) {
        const uint64_t turn = vg_load(&relay->turn, relaxed);

        vg_store(&relay->turn, turn + 1, release);         /* pairs with the acquire in partner() */
        while (vg_load(&relay->turn, acquire) == turn + 1) /* pairs with the release there */
            vg_pause();
    }
}

static void line(struct bench_run *run, int64_t arg)
{
    static struct relay relay;
    const int64_t rounds = bench_scaled(run, MILLION / 4);
    cpu_set_t before;
    pthread_t thread;

    (void)arg;
    vg_store(&relay.stop, 0, relaxed);
    vg_store(&relay.started, 0, relaxed);
    if (sched_getaffinity(0, sizeof before, &before) < 0 || CPU_COUNT(&before) < 2) {
        bench_skip(run, "needs two processors");
        return;
    }
    if (pthread_create(&thread, NULL, partner, &relay) != 0) {
        bench_fail(run, "pthread_create");
        return;
    }
    while (!vg_load(&relay.started, acquire)) /* pairs with the release in partner() */
        sched_yield();
    (void)pin(0); /* a new thread would have inherited it */
    while (bench_next(run, 2 * rounds))
        pass(&relay, rounds);
    vg_store(&relay.stop, 1, relaxed);
    pthread_join(thread, NULL);
    (void)sched_setaffinity(0, sizeof before, &before);
}

struct pair {
    int call, answer;
};

/* Until something else than 1 is written. */
static void *sleeper(void *arg)
{
    const struct pair *pair = (const struct pair *)arg;
    uint64_t value = 1;

    while (read(pair->call, &value, sizeof value) == sizeof value && value == 1)
        if (write(pair->answer, &value, sizeof value) != sizeof value)
            break;
    return NULL;
}

static bool call(const struct pair *pair, uint64_t value)
{
    return write(pair->call, &value, sizeof value) == sizeof value;
}

static void wake(struct bench_run *run, int64_t arg)
{
    const int64_t rounds = bench_scaled(run, 20000);
    const struct pair pair = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)};
    pthread_t thread;
    uint64_t value;

    (void)arg;
    if (pair.call < 0 || pair.answer < 0 ||
        pthread_create(&thread, NULL, sleeper, (void *)(uintptr_t)&pair) != 0) {
        bench_fail(run, "eventfd");
        return;
    }
    while (bench_next(run, rounds))
        for (int64_t i = 0; i < rounds; i++)
            if (!call(&pair, 1) || read(pair.answer, &value, sizeof value) != sizeof value)
                bench_fail(run, "eventfd");
    (void)call(&pair, 2);
    pthread_join(thread, NULL);
    close(pair.call);
    close(pair.answer);
}

const struct bench bench_floor[] = {
    {"floor/cas", cas, 0, 1},   {"floor/clock", clock_read, 0, 1},
    {"floor/tsc", tsc, 0, 1},   {"floor/malloc", allocation, 0, 1},
    {"floor/line", line, 0, 1}, {"floor/wake", wake, 0, 1},
    {NULL, NULL, 0, 0},
};
