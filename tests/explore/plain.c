/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdio.h>
#include <string.h>

/*
 * Plain data. Every marked range has a record of its last write and of each thread's last read; an
 * access that does not know of a conflicting one, that is, whose thread's clock for the other thread is
 * behind it, is a race. Atomic locations have records too, for the sake of mc_free().
 */

struct record {
    uintptr_t begin;
    size_t size;
    bool atomic;
    uint32_t written, read[MC_THREADS]; /* clocks of the threads concerned; 0: never */
    int writer;
    const struct mc_site *write_site, *read_site[MC_THREADS];
};

struct freed {
    uintptr_t begin;
    size_t size;
    int thread;
};

enum { RECORDS = 512, FREED = 64 };

static struct record records[RECORDS];
static struct freed freed[FREED];
static int record_count, freed_count;

void plain_clear(void)
{
    record_count = 0;
    freed_count = 0;
}

static bool overlap(uintptr_t a, size_t a_size, uintptr_t b, size_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static void check_alive(uintptr_t begin, size_t size, const struct mc_site *site)
{
    for (int i = 0; i < freed_count; i++)
        if (overlap(begin, size, freed[i].begin, freed[i].size))
            mc_fail(MC_FREED, "thread %d uses memory that thread %d has freed: %s", mc_run.current,
                    freed[i].thread, report_site(site));
}

static struct record *record(uintptr_t begin, size_t size, bool atomic)
{
    struct record *new;

    for (int i = 0; i < record_count; i++)
        if (records[i].begin == begin && records[i].size == size && records[i].atomic == atomic)
            return &records[i];
    if (record_count == RECORDS)
        mc_fail(MC_ASSERTION, "the model has more than %d places of data", RECORDS);
    new = &records[record_count++];
    *new = (struct record){.begin = begin, .size = size, .atomic = atomic, .writer = -1};
    return new;
}

static bool unknown(int thread, uint32_t clock)
{
    return thread >= 0 && thread != mc_run.current && memory_view()->clock[thread] < clock;
}

static void race(const char *what, const struct mc_site *site, int other,
                 const struct mc_site *other_site)
{
    char here[256];

    snprintf(here, sizeof here, "%s", report_site(site));
    mc_fail(MC_RACE, "%s by thread %d (%s) is not ordered after thread %d (%s)", what,
            mc_run.current, here, other, report_site(other_site));
}

static void check_writer(const struct record *r, const char *what, const struct mc_site *site)
{
    if (!r->atomic && unknown(r->writer, r->written))
        race(what, site, r->writer, r->write_site);
}

static void check_readers(const struct record *r, const char *what, const struct mc_site *site)
{
    for (int i = 0; i < MC_THREADS; i++)
        if (!r->atomic && unknown(i, r->read[i]))
            race(what, site, i, r->read_site[i]);
}

static uint32_t tick(void)
{
    return ++memory_view()->clock[mc_run.current];
}

static void note_read(struct record *r, const struct mc_site *site)
{
    r->read[mc_run.current] = tick();
    r->read_site[mc_run.current] = site;
}

void plain_atomic(const volatile void *p, size_t size, const struct mc_site *site)
{
    check_alive((uintptr_t)p, size, site);
    note_read(record((uintptr_t)p, size, true), site);
}

void mc_read(const volatile void *p, size_t size, const struct mc_site *site)
{
    if (mc_run.current == MC_MAIN)
        return;
    report_step(site, "%s", "");
    check_alive((uintptr_t)p, size, site);
    for (int i = 0; i < record_count; i++)
        if (overlap((uintptr_t)p, size, records[i].begin, records[i].size))
            check_writer(&records[i], "read", site);
    note_read(record((uintptr_t)p, size, false), site);
}

static void check_write(uintptr_t begin, size_t size, const char *what, const struct mc_site *site)
{
    for (int i = 0; i < record_count; i++)
        if (overlap(begin, size, records[i].begin, records[i].size)) {
            check_writer(&records[i], what, site);
            check_readers(&records[i], what, site);
        }
}

void mc_write(const volatile void *p, size_t size, const struct mc_site *site)
{
    struct record *r;

    if (mc_run.current == MC_MAIN)
        return;
    report_step(site, "%s", "");
    check_alive((uintptr_t)p, size, site);
    check_write((uintptr_t)p, size, "write", site);
    r = record((uintptr_t)p, size, false);
    r->writer = mc_run.current;
    r->written = tick();
    r->write_site = site;
}

void mc_alloc(const volatile void *p, size_t size)
{
    int kept = 0;

    for (int i = 0; i < freed_count; i++)
        if (!overlap((uintptr_t)p, size, freed[i].begin, freed[i].size))
            freed[kept++] = freed[i];
    freed_count = kept;
    kept = 0;
    for (int i = 0; i < record_count; i++)
        if (!overlap((uintptr_t)p, size, records[i].begin, records[i].size))
            records[kept++] = records[i];
    record_count = kept;
    memory_forget(p, size);
    sync_forget(p, size);
}

/* A thread that has used the memory, or the lock or atomic in it, must have told us, by releasing
 * something afterwards that we have acquired. */
static void check_unused(const struct record *r)
{
    if (unknown(r->writer, r->written))
        mc_fail(MC_FREED, "thread %d frees memory that thread %d may still use: %s", mc_run.current,
                r->writer, report_site(r->write_site));
    for (int i = 0; i < MC_THREADS; i++)
        if (unknown(i, r->read[i]))
            mc_fail(MC_FREED, "thread %d frees memory that thread %d may still use: %s",
                    mc_run.current, i, report_site(r->read_site[i]));
}

void mc_free(const volatile void *p, size_t size)
{
    if (mc_run.current == MC_MAIN)
        return;
    report_step(MC_SITE("free"), "%zu bytes", size);
    for (int i = 0; i < record_count; i++)
        if (overlap((uintptr_t)p, size, records[i].begin, records[i].size))
            check_unused(&records[i]);
    check_alive((uintptr_t)p, size, MC_SITE("free"));
    if (freed_count == FREED)
        mc_fail(MC_ASSERTION, "the model frees more than %d times", FREED);
    freed[freed_count++] = (struct freed){(uintptr_t)p, size, mc_run.current};
}
