/* SPDX-License-Identifier: MIT */
#include "exhaust.h"

#include <errno.h>

#include "counting_alloc.h"
#include "harness.h"
#include "vg_atomic.h"
#include "vg_fault.h"

enum {
    REQUESTS_MAX = 10000, /* a scenario that has more does not end */
    FOR_GOOD = INT32_MAX,
};

const struct exhaust exhaust_memory = {NULL, -ENOMEM, 0};

/* The run that is going on. Fault points are met on any thread. */
static struct {
    const struct exhaust *resource;
    uint64_t first, last;
    VG_ATOMIC(uint64_t) asked, refused;
} run;

#if VG_FAULTS
static int refuse(const char *name)
{
    uint64_t number;

    if (strcmp(name, run.resource->what) != 0)
        return 0;
    number = vg_fetch_add(&run.asked, 1, relaxed) + 1;
    if (number < run.first || number > run.last)
        return 0;
    vg_fetch_add(&run.refused, 1, relaxed);
    return run.resource->error;
}

static void begin_at_fault_point(void)
{
    vg_fault_install(refuse);
}

static void end_at_fault_point(void)
{
    vg_fault_install(NULL);
}
#else
static void begin_at_fault_point(void)
{
    SKIP("no fault points in this build");
}

static void end_at_fault_point(void)
{
}
#endif

static void begin(const struct exhaust *resource, uint64_t first, uint64_t count)
{
    test_note("%s: %llu requests from the %llu. on fail",
              resource->what ? resource->what : "memory", (unsigned long long)count,
              (unsigned long long)first);
    run.resource = resource;
    run.first = first;
    run.last = first + count - 1;
    vg_store(&run.asked, 0, relaxed);
    vg_store(&run.refused, 0, relaxed);
    if (resource->what)
        begin_at_fault_point();
    else
        test_alloc_fail(first, count);
}

uint64_t exhaust_refused(void)
{
    return vg_load(&run.refused, relaxed) + (run.resource->what ? 0 : test_alloc_failed());
}

void exhaust_end(void)
{
    if (run.resource->what) {
        end_at_fault_point();
        return;
    }
    vg_fetch_add(&run.refused, test_alloc_failed(), relaxed);
    test_alloc_fail_at(0);
}

bool exhaust_hit_at(const char *file, int line, const char *text, long long rc)
{
    const int answer = run.resource->answer ? run.resource->answer : run.resource->error;

    if (rc >= 0)
        return false;
    if (rc != answer)
        test_fail(file, line, "%s: %lld, and not %d", text, rc, answer);
    if (exhaust_refused() == 0)
        test_fail(file, line, "%s: %lld, although nothing was refused", text, rc);
    return true;
}

uint64_t exhaust_some(const struct exhaust *resource, uint64_t first, uint64_t count,
                      exhaust_scenario *scenario, void *arg)
{
    uint64_t blocks = test_alloc_live();
    unsigned fds = test_open_fds();

    begin(resource, first, count);
    scenario(arg);
    exhaust_end();
    if (test_alloc_live() != blocks)
        test_alloc_dump();
    CHECK_EQ(test_alloc_live(), blocks);
    CHECK_EQ(test_open_fds(), fds);
    test_note("%s", "");
    return vg_load(&run.refused, relaxed);
}

uint64_t exhaust(const struct exhaust *resource, exhaust_scenario *scenario, void *arg)
{
    for (uint64_t n = 1;; n++) {
        CHECK(n < REQUESTS_MAX);
        if (exhaust_some(resource, n, 1, scenario, arg) == 0)
            return n - 1;
        exhaust_some(resource, n, FOR_GOOD, scenario, arg);
    }
}
