/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include "vg_os.h"

TEST(a_thread_knows_how_long_its_processor_ran_others)
{
    uint64_t first, second;

    if (!vg_os_thread_waited(vg_os_thread_id(), &first))
        SKIP("this kernel does not tell");
    for (int i = 0; i < 100; i++)
        vg_os_yield();
    CHECK(vg_os_thread_waited(vg_os_thread_id(), &second));
    CHECK(second >= first);
}

TEST(a_thread_that_is_not_there_is_not_known)
{
    uint64_t ns;

    CHECK(!vg_os_thread_waited(0, &ns));
    CHECK(!vg_os_thread_waited(1, &ns)); /* of another process */
    CHECK(!vg_os_thread_waited(-1, &ns));
}
