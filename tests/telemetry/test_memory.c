/* SPDX-License-Identifier: MIT */
#include "tasks.h"

/* An allocation that fails costs one answer, whichever it is. */

TEST(whatever_allocation_fails_the_answer_is_503)
{
    static const char *const paths[] = {"/", "/metrics", "/tasks", "/tasks.json", "/verdicts"};
    enum { TASKS = 300 };
    static struct vg_handle handle[TASKS];
    struct place place;

    place_open(&place, 1);
    spawn_sleepers(&place.room, handle, TASKS);
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        unsigned failures = 0;

        for (uint64_t n = 1;; n++) {
            const uint64_t before = test_alloc_requests();
            int status;

            test_alloc_fail_at(n);
            status = get_status(place.address, paths[i]);
            test_alloc_fail_at(0);
            if (test_alloc_requests() - before < n) {
                CHECK_EQ(status, 200);
                break;
            }
            CHECK_EQ(status, 503);
            failures++;
        }
        CHECK(failures > 0);
    }
    end_tasks(handle, TASKS);
    place_close(&place);
}
