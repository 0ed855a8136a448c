/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdio.h>
#include <string.h>

/*
 * Plain data. Memory is looked at in words of eight bytes; for each set of bytes of a word that was accessed
 * together there is a record of the last write and of each thread's last read. An access that does not know of
 * a conflicting one, that is, whose thread's clock for the other thread is behind it, is a race.
 * Atomics and locks have records too, which matter only when their memory is freed.
 */

struct record {
    uint8_t bytes; /* of the word */
    bool atomic;
    int8_t writer;
    int16_t next;                       /* of the same word; -1: none */
    uint32_t written, read[MC_THREADS]; /* clocks of the threads concerned; 0: never */
    const struct mc_site *write_site, *read_site[MC_THREADS];
};

struct word {
    uintptr_t number; /* address / 8 */
    long execution;   /* older ones are empty */
    int16_t first;    /* record, or -1 */
    int8_t freed_by;
    uint8_t freed; /* bytes */
};

enum { WORDS = 2048, RECORDS = 4096, WORDS_USED_MAX = WORDS / 2, ACCESSES_MAX = 200000 };

static struct word words[WORDS];
static struct record records[RECORDS];
static int record_count, word_count, access_count;
static long execution;

void plain_clear(void)
{
    execution++;
    record_count = word_count = access_count = 0;
}

static struct word *find_word(uintptr_t number)
{
    size_t i = (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 53);

    while (words[i].execution == execution && words[i].number != number)
        i = (i + 1) % WORDS;
    if (words[i].execution != execution) {
        if (++word_count > WORDS_USED_MAX)
            mc_fail(MC_ASSERTION, "the model uses too much memory");
        words[i] = (struct word){number, execution, -1, -1, 0};
    }
    return &words[i];
}

static struct record *find_record(struct word *word, uint8_t bytes, bool atomic)
{
    struct record *new = &records[record_count];

    for (int i = word->first; i >= 0; i = records[i].next)
        if (records[i].bytes == bytes && records[i].atomic == atomic)
            return &records[i];
    if (record_count == RECORDS)
        mc_fail(MC_ASSERTION, "the model uses too much memory");
    *new = (struct record){.bytes = bytes, .atomic = atomic, .writer = -1, .next = word->first};
    word->first = (int16_t)record_count++;
    return new;
}

/* ---- conflicts -------------------------------------------------------------------------------- */

static bool unknown(int thread, uint32_t clock)
{
    return thread >= 0 && thread != mc_run.current && memory_view()->clock[thread] < clock;
}

static void race(const char *what, const struct mc_site *site, int other,
                 const struct mc_site *other_site)
{
    char here[200];

    snprintf(here, sizeof here, "%s", report_site(site));
    mc_fail(MC_RACE, "%s by thread %d (%s) is not ordered after thread %d (%s)", what,
            mc_run.current, here, other, report_site(other_site));
}

static void check_writer(const struct record *r, const char *what, const struct mc_site *site)
{
    if (unknown(r->writer, r->written))
        race(what, site, r->writer, r->write_site);
}

static void check_readers(const struct record *r, const char *what, const struct mc_site *site)
{
    for (int i = 0; i < MC_THREADS; i++)
        if (unknown(i, r->read[i]))
            race(what, site, i, r->read_site[i]);
}

static void check_alive(const struct word *word, uint8_t bytes, const struct mc_site *site)
{
    if (word->freed & bytes)
        mc_fail(MC_FREED, "thread %d uses memory that thread %d has freed: %s", mc_run.current,
                word->freed_by, report_site(site));
}

/* ---- accesses, one word at a time ------------------------------------------------------------- */

static uint32_t tick(void)
{
    return ++memory_view()->clock[mc_run.current];
}

static void read_bytes(struct word *word, uint8_t bytes, bool atomic, const struct mc_site *site)
{
    struct record *mine;

    check_alive(word, bytes, site);
    for (int i = word->first; !atomic && i >= 0; i = records[i].next)
        if (!records[i].atomic && records[i].bytes & bytes)
            check_writer(&records[i], "read", site);
    mine = find_record(word, bytes, atomic);
    mine->read[mc_run.current] = tick();
    mine->read_site[mc_run.current] = site;
}

static void read_plain(struct word *word, uint8_t bytes, const struct mc_site *site)
{
    read_bytes(word, bytes, false, site);
}

static void read_atomic(struct word *word, uint8_t bytes, const struct mc_site *site)
{
    read_bytes(word, bytes, true, site);
}

static void write_plain(struct word *word, uint8_t bytes, const struct mc_site *site)
{
    struct record *mine;

    check_alive(word, bytes, site);
    for (int i = word->first; i >= 0; i = records[i].next)
        if (!records[i].atomic && records[i].bytes & bytes) {
            check_writer(&records[i], "write", site);
            check_readers(&records[i], "write", site);
        }
    mine = find_record(word, bytes, false);
    mine->writer = (int8_t)mc_run.current;
    mine->written = tick();
    mine->write_site = site;
}

static void not_done_with(int thread, const struct mc_site *site)
{
    mc_fail(MC_FREED, "thread %d frees memory that thread %d may still use: %s", mc_run.current,
            thread, report_site(site));
}

/* A thread that has used the memory, or the atomic or lock in it, must have told us, by releasing something
 * afterwards that we have acquired. */
static void free_bytes(struct word *word, uint8_t bytes, const struct mc_site *site)
{
    check_alive(word, bytes, site);
    for (int i = word->first; i >= 0; i = records[i].next) {
        const struct record *r = &records[i];
        if (!(r->bytes & bytes))
            continue;
        if (unknown(r->writer, r->written))
            not_done_with(r->writer, r->write_site);
        for (int t = 0; t < MC_THREADS; t++)
            if (unknown(t, r->read[t]))
                not_done_with(t, r->read_site[t]);
    }
    word->freed |= bytes;
    word->freed_by = (int8_t)mc_run.current;
}

static void forget_bytes(struct word *word, uint8_t bytes, const struct mc_site *site)
{
    (void)site;
    word->freed &= (uint8_t)~bytes;
    for (int i = word->first; i >= 0; i = records[i].next)
        records[i].bytes &= (uint8_t)~bytes;
}

typedef void access_word(struct word *word, uint8_t bytes, const struct mc_site *site);

static void access_range(const volatile void *p, size_t size, access_word *access,
                         const struct mc_site *site)
{
    uintptr_t at = (uintptr_t)p, end = at + size;

    if (++access_count > ACCESSES_MAX)
        mc_fail(MC_ASSERTION, "thread %d seems to loop for ever", mc_run.current);
    while (at < end) {
        uintptr_t next = (at | 7) + 1;
        unsigned from = at % 8, to = next <= end ? 8 : (unsigned)(end % 8);
        access(find_word(at / 8), (uint8_t)((0xffu >> (8 - (to - from))) << from), site);
        at = next;
    }
}

/* ---- for the rest ----------------------------------------------------------------------------- */

void plain_atomic(const volatile void *p, size_t size, const struct mc_site *site)
{
    access_range(p, size, read_atomic, site);
}

void mc_read(const volatile void *p, size_t size, const struct mc_site *site)
{
    if (mc_run.current == MC_MAIN)
        return;
    report_step(site, "%s", "");
    access_range(p, size, read_plain, site);
}

void mc_write(const volatile void *p, size_t size, const struct mc_site *site)
{
    if (mc_run.current == MC_MAIN)
        return;
    report_step(site, "%s", "");
    access_range(p, size, write_plain, site);
}

void mc_alloc(const volatile void *p, size_t size)
{
    access_range(p, size, forget_bytes, NULL);
    memory_forget(p, size);
    sync_forget(p, size);
}

void mc_free(const volatile void *p, size_t size)
{
    if (mc_run.current == MC_MAIN)
        return;
    report_step(MC_SITE("free"), "%zu bytes", size);
    access_range(p, size, free_bytes, MC_SITE("free"));
}
