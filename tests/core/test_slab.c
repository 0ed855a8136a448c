/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "counting_alloc.h"
#include "harness.h"
#include "slab.h"
#include "task.h"
#include "worker.h"

/* What memory the slabs of a class ask for as it grows, and what they do without it. */

enum { SMALL = 64 * 1024, HUGE_PAGE = 2 * 1024 * 1024, FRAME = 800, SLOTS = 8192 };

static struct {
    struct vg_alloc alloc;
    unsigned small, huge, refused; /* requests */
    bool refuses_huge, refuses_all;
} memory;

static void *get(void *self, size_t size, size_t align)
{
    (void)self;
    if (memory.refuses_all || (memory.refuses_huge && size == HUGE_PAGE)) {
        memory.refused++;
        return NULL;
    }
    CHECK(size == SMALL || size == HUGE_PAGE);
    CHECK_EQ(align, size == HUGE_PAGE ? HUGE_PAGE : 64);
    if (size == SMALL)
        memory.small++;
    else
        memory.huge++;
    return test_alloc_get(size, align);
}

static void put(void *self, void *p, size_t size, size_t align)
{
    (void)self;
    test_alloc_put(p, size, align);
}

static struct vg_slabs slabs;
static struct vg_slab_cache cache[VG_SLAB_CLASSES];

static void open_slabs(void)
{
    memory.alloc = (struct vg_alloc){.alloc = get, .free = put};
    vg_slabs_init(&slabs, &memory.alloc, NULL);
}

static bool count_slot(struct vg_task *task, void *arg)
{
    unsigned *slots = arg;

    CHECK_EQ((uintptr_t)task % 64, 0);
    CHECK_EQ(vg_load(&task->word, relaxed), VG_WORD_CO);
    ++*slots;
    return true;
}

/* Each is another one, and can be written to. */
static void take_slots(unsigned count)
{
    unsigned slots = 0;

    for (unsigned i = 0; i < count; i++) {
        struct vg_task *task = vg_slab_alloc(&slabs, cache, FRAME);

        CHECK(task != NULL);
        memset(vg_task_frame_of(task), 0xff, FRAME);
    }
    vg_slab_each(&slabs, count_slot, &slots);
    CHECK_EQ(slots, count);
}

TEST(a_class_that_has_two_megabytes_grows_by_huge_pages)
{
    open_slabs();
    take_slots(SLOTS);
    CHECK_EQ(memory.small, HUGE_PAGE / SMALL);
    CHECK(memory.huge >= 3);
    vg_slabs_release(&slabs);
}

TEST(where_there_are_none_it_goes_on_with_small_slabs)
{
    open_slabs();
    memory.refuses_huge = true;
    take_slots(SLOTS);
    CHECK_EQ(memory.huge, 0);
    CHECK_EQ(memory.small, memory.refused + HUGE_PAGE / SMALL);
    vg_slabs_release(&slabs);
}

TEST(without_any_memory_there_is_no_slot_and_later_there_is_one)
{
    open_slabs();
    while (memory.small < HUGE_PAGE / SMALL ||
           vg_load(&slabs.filling[15]->bump, relaxed) < slabs.filling[15]->count)
        CHECK(vg_slab_alloc(&slabs, cache, FRAME) != NULL);
    memory.refuses_all = true;
    CHECK(vg_slab_alloc(&slabs, cache, FRAME) == NULL);
    CHECK_EQ(memory.refused, 2);
    memory.refuses_all = false;
    CHECK(vg_slab_alloc(&slabs, cache, FRAME) != NULL);
    CHECK_EQ(memory.huge, 1);
    vg_slabs_release(&slabs);
}
