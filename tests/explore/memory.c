/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Atomic locations. Each keeps its stores in the order in which they were made; the number of a store is
 * its place in that order, 0 being the value found at the first access.
 */

struct store {
    uint64_t value;
    struct view message; /* what an acquire load that reads this store learns */
};

struct location {
    volatile void *address; /* NULL: forgotten */
    size_t size;
    int stores, capacity;
    struct store *store;
    int releaser;     /* C11: thread whose later stores continue its release sequence, or -1 */
    struct view head; /* ... and what that sequence began with */
};

static struct location locations[MC_LOCATIONS];
static int location_count;

static struct thread_views {
    struct view now;     /* what the thread has seen */
    struct view pending; /* read with relaxed loads: seen by its next acquire fence */
    struct view fenced;  /* as of its last release fence: goes with its relaxed stores */
} views[MC_THREADS];

static struct view full_fences; /* where full fences and seq_cst operations meet */

/* ---- locations -------------------------------------------------------------------------------- */

enum { BUCKETS = 1024 };
static int16_t buckets[BUCKETS]; /* 1 + index of a location; open addressing */

void memory_clear(void)
{
    for (int i = 0; i < MC_THREADS; i++) {
        view_clear(&views[i].now);
        view_clear(&views[i].pending);
        view_clear(&views[i].fenced);
    }
    view_clear(&full_fences);
    location_count = 0;
    memset(buckets, 0, sizeof buckets);
}

struct view *memory_view(void)
{
    return &views[mc_run.current].now;
}

void memory_thread_caught_up(void)
{
    for (int i = 0; i < location_count; i++)
        view_set(memory_view(), i, (uint16_t)(locations[i].stores - 1));
}

static uint64_t mask(size_t size)
{
    return size < 8 ? (UINT64_C(1) << (8 * size)) - 1 : UINT64_MAX;
}

static uint64_t peek(const volatile void *p, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, (const void *)p, size);
    return value;
}

static void poke(volatile void *p, size_t size, uint64_t value)
{
    memcpy((void *)p, &value, size);
}

static struct store *append(struct location *location, uint64_t value)
{
    if (location->stores == location->capacity) {
        location->capacity = location->capacity ? 2 * location->capacity : 8;
        location->store =
            realloc(location->store, (size_t)location->capacity * sizeof location->store[0]);
        if (!location->store)
            abort();
    }
    location->store[location->stores].value = value;
    return &location->store[location->stores++];
}

static struct location *create(const volatile void *p, size_t size, int bucket)
{
    struct location *location = &locations[location_count];

    if (location_count == MC_LOCATIONS)
        mc_fail(MC_ASSERTION, "the model has more than %d atomic locations", MC_LOCATIONS);
    buckets[bucket] = (int16_t)(++location_count);
    location->address = (volatile void *)(uintptr_t)p;
    location->size = size;
    location->stores = 0;
    location->releaser = -1;
    view_clear(&append(location, peek(p, size))->message);
    return location;
}

static struct location *find(const volatile void *p, size_t size)
{
    int bucket = (int)(((uintptr_t)p / 4 * UINT64_C(0x9E3779B97F4A7C15)) >> 54);

    while (buckets[bucket]) {
        struct location *location = &locations[buckets[bucket] - 1];
        if (location->address == p) {
            if (location->size != size)
                mc_fail(MC_ASSERTION, "an atomic is used with two sizes");
            return location;
        }
        bucket = (bucket + 1) % BUCKETS;
    }
    return create(p, size, bucket);
}

static int number(const struct location *location)
{
    return (int)(location - locations);
}

/* Whatever lies there next is another location: no view of the old one applies to it. */
void memory_forget(const volatile void *p, size_t size)
{
    for (int i = 0; i < location_count; i++)
        if ((uintptr_t)locations[i].address - (uintptr_t)p < size)
            locations[i].address = NULL;
}

/* ---- reading and writing ---------------------------------------------------------------------- */

static bool acquires(enum mc_order order)
{
    return order == mc_acquire || order == mc_acq_rel || order == mc_seq_cst;
}

static bool releases(enum mc_order order)
{
    return order == mc_release || order == mc_acq_rel || order == mc_seq_cst;
}

/* The oldest store that the thread may read. */
static int oldest(const struct location *location, enum mc_order order)
{
    int i = number(location);
    int seen = view_at(&views[mc_run.current].now, i);
    int global = order == mc_seq_cst ? view_at(&full_fences, i) : 0;

    return seen > global ? seen : global;
}

static uint64_t read_store(struct location *location, int n, enum mc_order order)
{
    struct thread_views *mine = &views[mc_run.current];

    view_set(&mine->now, number(location), (uint16_t)n);
    view_join(acquires(order) ? &mine->now : &mine->pending, &location->store[n].message);
    if (order == mc_seq_cst)
        view_set(&full_fences, number(location), (uint16_t)n);
    return location->store[n].value;
}

/* What the release sequence says that this store belongs to; `read` if it is a read-modify-write. */
static void continue_sequence(struct location *location, struct view *message, int read)
{
    if (read >= 0)
        view_join(message, &location->store[read].message);
    else if (mc_options.c11 && location->releaser == mc_run.current)
        view_join(message, &location->head);
    else
        location->releaser = -1;
}

static void write_store(struct location *location, uint64_t value, enum mc_order order, int read)
{
    struct thread_views *mine = &views[mc_run.current];
    int i = number(location), n = location->stores;
    struct view *message;

    if (n > UINT16_MAX)
        mc_fail(MC_ASSERTION, "too many stores to one location");
    view_set(&mine->now, i, (uint16_t)n);
    message = &append(location, value & mask(location->size))->message;
    view_copy(message, releases(order) ? &mine->now : &mine->fenced);
    continue_sequence(location, message, read);
    view_set(message, i, (uint16_t)n);
    if (releases(order)) {
        view_copy(&location->head, message);
        location->releaser = mc_run.current;
    }
    if (order == mc_seq_cst)
        view_set(&full_fences, i, (uint16_t)n);
    poke(location->address, location->size, value);
}

/* ---- operations ------------------------------------------------------------------------------- */

static const char *stale(const struct location *location, int n)
{
    static char text[64];

    if (!mc_run.tracing || n == location->stores - 1)
        return "";
    snprintf(text, sizeof text, "   (outdated: the newest is %" PRIu64 ")",
             location->store[location->stores - 1].value);
    return text;
}

static struct location *begin(const volatile void *p, size_t size, const struct mc_site *site)
{
    thread_step(p);
    plain_atomic(p, size, site);
    return find(p, size);
}

uint64_t mc_load(const volatile void *p, size_t size, enum mc_order order,
                 const struct mc_site *site)
{
    struct location *location;
    int newest, n;

    if (mc_run.current == MC_MAIN)
        return peek(p, size);
    location = begin(p, size, site);
    newest = location->stores - 1;
    n = newest - search_value(search_hint(p) ? 1 : newest - oldest(location, order) + 1);
    report_step(site, "= %" PRIu64 "%s", location->store[n].value, stale(location, n));
    return read_store(location, n, order);
}

void mc_store(volatile void *p, size_t size, uint64_t value, enum mc_order order,
              const struct mc_site *site)
{
    struct location *location;

    if (mc_run.current == MC_MAIN) {
        poke(p, size, value);
        return;
    }
    location = begin(p, size, site);
    report_step(site, ":= %" PRIu64, value & mask(size));
    write_store(location, value, order, -1);
}

static uint64_t apply(enum mc_op op, uint64_t old, uint64_t value)
{
    switch (op) {
    case MC_ADD:
        return old + value;
    case MC_SUB:
        return old - value;
    case MC_OR:
        return old | value;
    case MC_AND:
        return old & value;
    case MC_XCHG:
        break;
    }
    return value;
}

uint64_t mc_update(volatile void *p, size_t size, enum mc_op op, uint64_t value,
                   enum mc_order order, const struct mc_site *site)
{
    struct location *location;
    uint64_t old, new;
    int n;

    if (mc_run.current == MC_MAIN) {
        old = peek(p, size);
        poke(p, size, apply(op, old, value));
        return old;
    }
    location = begin(p, size, site);
    n = location->stores - 1;
    old = read_store(location, n, order);
    new = apply(op, old, value) & mask(size);
    report_step(site, "%" PRIu64 " -> %" PRIu64, old, new);
    write_store(location, new, order, n);
    return old;
}

/* A failing compare-and-swap may have read an outdated value, as long as it differs. */
static int cas_reads(struct location *location, uint64_t expected, enum mc_order order)
{
    int option[64], options = 0;
    int newest = location->stores - 1;

    option[options++] = newest;
    for (int n = newest - 1; n >= oldest(location, order) && options < 64; n--)
        if (location->store[n].value != expected)
            option[options++] = n;
    return option[search_value(options)];
}

bool mc_cas(volatile void *p, size_t size, void *expected, uint64_t value, enum mc_order order,
            enum mc_order order_failed, const struct mc_site *site)
{
    uint64_t wanted = peek(expected, size), old = peek(p, size);
    struct location *location = NULL;
    int n = 0;

    if (mc_run.current != MC_MAIN) {
        location = begin(p, size, site);
        n = cas_reads(location, wanted, order_failed);
        old = location->store[n].value;
    }
    if (old != wanted) {
        if (location) {
            report_step(site, "failed: %" PRIu64 ", not %" PRIu64 "%s", old, wanted,
                        stale(location, n));
            read_store(location, n, order_failed);
        }
        poke(expected, size, old);
        return false;
    }
    if (location) {
        report_step(site, "%" PRIu64 " -> %" PRIu64, old, value & mask(size));
        read_store(location, n, order);
        write_store(location, value, order, n);
    } else {
        poke(p, size, value);
    }
    return true;
}

void mc_fence(enum mc_order order, const struct mc_site *site)
{
    struct thread_views *mine;

    if (mc_run.current == MC_MAIN)
        return;
    thread_step(NULL);
    report_step(site, "%s", "");
    mine = &views[mc_run.current];
    if (acquires(order))
        view_join(&mine->now, &mine->pending);
    if (order == mc_seq_cst) {
        view_join_locations(&mine->now, &full_fences);
        view_join_locations(&full_fences, &mine->now);
    }
    if (releases(order))
        view_copy(&mine->fenced, &mine->now);
}
