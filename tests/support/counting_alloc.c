/* SPDX-License-Identifier: MIT */
#include "counting_alloc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"

/* Precedes each block; the block starts at the next multiple of its alignment. */
struct header {
    struct header *prev, *next;
    void *block;
    size_t size, align;
    uint64_t number;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct header live = {.prev = &live, .next = &live};
static uint64_t live_count, requests, fail_first, fail_last, failed;

static void link_block(struct header *h)
{
    h->next = &live;
    h->prev = live.prev;
    live.prev->next = h;
    live.prev = h;
    live_count++;
}

static struct header *header_of(void *block)
{
    return (struct header *)((char *)block - sizeof(struct header));
}

void *test_alloc_get(size_t size, size_t align)
{
    CHECK(size > 0);
    CHECK((align & (align - 1)) == 0);
    CHECK(align >= _Alignof(struct header));

    /* The header is put right before the block, so the base is kept in a word below it. */
    size_t lead = sizeof(struct header) + sizeof(void *);
    pthread_mutex_lock(&lock);
    uint64_t number = ++requests;
    bool fails = number >= fail_first && number <= fail_last;
    failed += fails;
    char *base = fails ? NULL : malloc(lead + align + size);
    void *block = NULL;
    if (base) {
        block = (void *)(((uintptr_t)base + lead + align - 1) & ~(uintptr_t)(align - 1));
        memcpy((char *)block - lead, &base, sizeof base);
        struct header *h = header_of(block);
        *h = (struct header){.block = block, .size = size, .align = align, .number = number};
        link_block(h);
        memset(block, 0xa5, size);
    }
    pthread_mutex_unlock(&lock);
    return block;
}

void test_alloc_put(void *p, size_t size, size_t align)
{
    if (!p)
        return;
    struct header *h = header_of(p);
    char *base;
    memcpy(&base, (char *)p - sizeof(struct header) - sizeof(void *), sizeof base);

    pthread_mutex_lock(&lock);
    CHECK(h->block == p);
    CHECK_EQ(h->size, size);
    CHECK_EQ(h->align, align);
    h->prev->next = h->next;
    h->next->prev = h->prev;
    h->block = NULL;
    live_count--;
    pthread_mutex_unlock(&lock);
    memset(p, 0xdd, size);
    free(base);
}

static void *hook_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    return test_alloc_get(size, align);
}

static void hook_free(void *self, void *ptr, size_t size, size_t align)
{
    (void)self;
    test_alloc_put(ptr, size, align);
}

const struct vg_alloc test_alloc = {.alloc = hook_alloc, .free = hook_free};

void test_alloc_fail(uint64_t first, uint64_t count)
{
    pthread_mutex_lock(&lock);
    fail_first = requests + first;
    fail_last = first ? fail_first + count - 1 : 0;
    failed = 0;
    pthread_mutex_unlock(&lock);
}

void test_alloc_fail_at(uint64_t n)
{
    test_alloc_fail(n, 1);
}

uint64_t test_alloc_failed(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = failed;
    pthread_mutex_unlock(&lock);
    return n;
}

uint64_t test_alloc_requests(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = requests;
    pthread_mutex_unlock(&lock);
    return n;
}

uint64_t test_alloc_live(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = live_count;
    pthread_mutex_unlock(&lock);
    return n;
}

void test_alloc_dump(void)
{
    pthread_mutex_lock(&lock);
    int left = 10;
    for (struct header *h = live.next; h != &live && left > 0; h = h->next, left--)
        fprintf(stderr, "    block of %zu bytes, request %llu\n", h->size,
                (unsigned long long)h->number);
    pthread_mutex_unlock(&lock);
}
