/* SPDX-License-Identifier: MIT */
#include "instrument/page.h"

#include <stdio.h>

#include "counting_alloc.h"
#include "harness.h"
#include "instrument/json.h"

static void expect(struct vg_page *page, const char *text)
{
    vg_page_put(page, "", 1);
    CHECK(vg_page_ok(page));
    if (strcmp(page->data, text) != 0)
        FAIL("'%s' instead of '%s'", page->data, text);
    vg_page_free(page);
    vg_page_init(page, &test_alloc, 1 << 20);
}

TEST(strings_are_escaped_and_cut_off)
{
    struct vg_page page;
    char text[200];

    vg_page_init(&page, &test_alloc, 1 << 20);
    vg_page_string(&page, "a \"b\"\\\n\xff");
    expect(&page, "\"a \\\"b\\\"\\\\\\u000a\\u00ff\"");
    vg_page_string(&page, NULL);
    expect(&page, "null");
    vg_page_string(&page, "");
    expect(&page, "\"\"");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    vg_page_string(&page, text);
    CHECK_EQ(page.length, 80 + 3 + 2);
    vg_page_free(&page);
    vg_page_init(&page, &test_alloc, 1 << 20);
    vg_page_text(&page, text);
    CHECK_EQ(page.length, sizeof text - 1 + 2);
    vg_page_free(&page);
}

TEST(members_are_separated)
{
    struct vg_page page;

    vg_page_init(&page, &test_alloc, 1 << 20);
    vg_page_put(&page, "{", 1);
    vg_page_member(&page, "a", UINT64_MAX);
    vg_page_member_string(&page, "b", "{");
    vg_page_member_bool(&page, "c", false);
    vg_page_key(&page, "d");
    vg_page_put(&page, "{", 1);
    vg_page_member(&page, "e", 0);
    vg_page_put(&page, "}}", 3);
    CHECK(json_is_valid(page.data));
    CHECK_EQ(
        strcmp(page.data, "{\"a\":18446744073709551615,\"b\":\"{\",\"c\":false,\"d\":{\"e\":0}}"),
        0);
    vg_page_free(&page);
}

TEST(a_page_grows_to_its_limit_and_no_further)
{
    struct vg_page page;
    unsigned n = 0;

    vg_page_init(&page, &test_alloc, 100000);
    for (; vg_page_has_room(&page, 10); n++)
        vg_page_add(&page, "%09u\n", n);
    CHECK_EQ(n, 10000);
    CHECK(vg_page_ok(&page));
    vg_page_put(&page, "x", 1);
    CHECK(page.full && !page.no_memory);
    CHECK_EQ(page.length, 100000);
    CHECK(memcmp(page.data + 99990, "000009999\n", 10) == 0);
    vg_page_free(&page);
}

TEST(without_memory_the_rest_is_dropped)
{
    struct vg_page page;
    char text[20000];

    memset(text, 'y', sizeof text);
    vg_page_init(&page, &test_alloc, 100000);
    vg_page_add(&page, "first");
    test_alloc_fail_at(1);
    vg_page_put(&page, text, sizeof text);
    test_alloc_fail_at(0);
    vg_page_put(&page, text, sizeof text);
    CHECK(page.no_memory);
    CHECK_EQ(page.length, 5);
    vg_page_free(&page);
    vg_page_free(&page);
}
