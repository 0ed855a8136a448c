/* SPDX-License-Identifier: MIT */
#include "instrument/text.h"

#include <vigil/future.h>

#include "harness.h"

static void check_duration(uint64_t ns, const char *expected)
{
    char buffer[32];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_duration(&text, ns);
    if (strcmp(buffer, expected) != 0)
        FAIL("%llu ns: %s, not %s", (unsigned long long)ns, buffer, expected);
}

TEST(durations_are_short_and_have_units)
{
    check_duration(0, "0 ns");
    check_duration(999, "999 ns");
    check_duration(1000, "1 us");
    check_duration(12345, "12.3 us");
    check_duration(VG_MSEC(800), "800 ms");
    check_duration(VG_MSEC(1500), "1.5 s");
    check_duration(VG_SEC(45) + VG_MSEC(700), "45.7 s");
    check_duration(VG_SEC(3600), "3600 s");
}

TEST(control_characters_and_foreign_bytes_are_escaped)
{
    char buffer[64];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_name(&text, "a\n\x1b[31m\xc3");
    CHECK_EQ(strcmp(buffer, "a\\x0a\\x1b[31m\\xc3"), 0);
}

TEST(a_name_that_is_too_long_is_cut)
{
    char buffer[256], name[200];
    struct vg_text text;

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_name(&text, name);
    CHECK_EQ(strlen(buffer), 83);
    CHECK_STR(buffer, "x...");
}

TEST(what_does_not_fit_is_cut_off)
{
    char buffer[17];
    struct vg_text text;

    memset(buffer, '#', sizeof buffer);
    vg_text_init(&text, buffer, 16);
    for (int i = 0; i < 10; i++) {
        vg_text_add(&text, "%d-%s", i, "abc");
        vg_text_name(&text, "\n");
    }
    CHECK_EQ(strlen(buffer), 15);
    CHECK_EQ(strcmp(buffer, "0-abc\\x0a1-abc\\"), 0);
    CHECK_EQ(buffer[16], '#');
}

TEST(places_are_shown_with_the_last_directory)
{
    static const struct vg_site site = {.file = "/very/long/path/src/conn.c", .line = 42};
    static const struct vg_place place = {.file = "conn.c", .line = 7};
    char buffer[64];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_site(&text, &site);
    vg_text_add(&text, " ");
    vg_text_place(&text, &place);
    vg_text_add(&text, " ");
    vg_text_site(&text, NULL);
    CHECK_EQ(strcmp(buffer, "src/conn.c:42 conn.c:7 ?"), 0);
}

TEST(functions_are_shown_without_what_the_compiler_sees)
{
    static const char *const names[][2] = {{"session_body", "session"},
                                           {"f_body", "f"},
                                           {"_body", "_body"},
                                           {"x", "x"},
                                           {"body", "body"}};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        const struct vg_site site = {.func = names[i][0]};
        char buffer[64];
        struct vg_text text;

        vg_text_init(&text, buffer, sizeof buffer);
        vg_text_func(&text, &site);
        if (strcmp(buffer, names[i][1]) != 0)
            FAIL("'%s'", buffer);
    }
}
