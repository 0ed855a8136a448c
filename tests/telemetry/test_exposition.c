/* SPDX-License-Identifier: MIT */
#include "instrument/metrics.h"
#include "instrument/octaves.h"

#include <stdio.h>
#include <stdlib.h>

#include "counting_alloc.h"
#include "harness.h"

/* How a snapshot becomes text: buckets, labels, and how many series there may be. */

/* ---- octaves --------------------------------------------------------------------------------- */

static uint64_t ns_of_units(uint64_t units)
{
    return (uint64_t)(((unsigned __int128)units * 1000000000u + (1u << 30) - 1) >> 30);
}

TEST(octaves_hold_what_is_shorter_than_each_power_of_two)
{
    for (unsigned exponent = 0; exponent < VG_OCTAVES - 1; exponent++) {
        struct vg_hist hist = {.count = 0};
        struct vg_octaves octaves = {.count = 0};

        vg_hist_add(&hist, ns_of_units(UINT64_C(1) << exponent)); /* not shorter */
        vg_hist_add(&hist, ns_of_units((UINT64_C(1) << exponent) - 1) -
                               (exponent > 4)); /* by a nanosecond, which are coarser at first */
        vg_hist_add(&hist, 0);
        vg_octaves_add(&octaves, &hist, 5);
        CHECK_EQ(octaves.count, 3);
        CHECK_EQ(octaves.sum, 5);
        if (vg_octaves_below(&octaves, exponent) != 2)
            FAIL("2^%u: %llu", exponent, (unsigned long long)vg_octaves_below(&octaves, exponent));
    }
}

TEST(the_longest_wait_is_in_the_last_octave)
{
    struct vg_hist hist = {.count = 0};
    struct vg_octaves octaves = {.count = 0};

    vg_hist_add(&hist, UINT64_MAX);
    vg_octaves_add(&octaves, &hist, 0);
    CHECK_EQ(octaves.octave[VG_OCTAVES - 1], 1);
}

/* ---- labels ---------------------------------------------------------------------------------- */

TEST(labels_are_escaped_and_cut_off)
{
    struct vg_labels labels;
    char long_name[500];

    vg_label_none(&labels);
    vg_label(&labels, "a", "say \"hi\" \\ \n \xff");
    vg_label_number(&labels, "b", 7);
    CHECK(strcmp(labels.buffer, "a=\"say \\\"hi\\\" \\\\ \\\\x0a \\\\xff\",b=\"7\"") == 0);

    memset(long_name, '\x80', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    vg_label_none(&labels);
    vg_label(&labels, "a", long_name);
    CHECK(strlen(labels.buffer) < 500);
    CHECK_STR(labels.buffer, "...\"");
}

/* ---- a snapshot by hand ---------------------------------------------------------------------- */

enum { SITES = 200, WORKERS = 2 };

struct made {
    struct vg_snapshot snapshot;
    struct vg_snapshot_worker worker[WORKERS];
    struct vg_snapshot_row row[SITES];
    struct vg_site site[SITES];
    struct vg_sites_shown shown;
    struct vg_page page;
};

static struct made *make(void)
{
    struct made *made = calloc(1, sizeof *made);

    CHECK(made != NULL);
    made->snapshot.workers = WORKERS;
    made->snapshot.worker = made->worker;
    made->snapshot.row = made->row;
    made->snapshot.rows = SITES;
    snprintf(made->snapshot.name, sizeof made->snapshot.name, "a\"b");
    for (int i = 0; i < SITES; i++) {
        made->site[i].file = "some/where.c";
        made->site[i].func = "f_body";
        made->site[i].line = i;
        made->row[i].site = &made->site[i];
        made->row[i].node = i % 2 ? VG_NODE_CHILD : VG_NODE_TASK;
        made->row[i].ended[VG_PART_PARENT].count = 1;
        made->row[i].ended[VG_PART_PARENT].octave[20] = 1;
    }
    return made;
}

static const char *render(struct made *made, bool openmetrics)
{
    static const struct vg_telemetry_figures figures = {.cpu = 1500000000};
    struct vg_exposition out = {&made->page, openmetrics};

    vg_page_free(&made->page);
    vg_page_init(&made->page, &test_alloc, (size_t)8 << 20);
    vg_metrics_render(&out, &made->snapshot, &made->shown, &figures);
    vg_page_put(&made->page, "", 1);
    CHECK(vg_page_ok(&made->page));
    return made->page.data;
}

static void unmake(struct made *made)
{
    vg_page_free(&made->page);
    free(made);
}

static unsigned occurrences(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/* The value of a series; -1 if there is none. */
static long value(const char *text, const char *series)
{
    char line[256];
    const char *at;

    snprintf(line, sizeof line, "\n%s ", series);
    at = strstr(text, line);
    return at != NULL ? strtol(at + strlen(line), NULL, 10) : -1;
}

static const char OTHER[] = "vigil_site_schedule_duration_seconds_count"
                            "{site=\"other\",node=\"child\",segment=\"parent\"}";

TEST(only_so_many_sites_have_series_and_the_rest_is_summed)
{
    struct made *made = make();
    const char *text = render(made, false);

    CHECK_EQ(occurrences(text, "vigil_site_schedule_duration_seconds_count{site=\"some/where.c:"),
             VG_SITES_SHOWN * VG_PARTS);
    CHECK_EQ(value(text, OTHER), (SITES - VG_SITES_SHOWN) / 2);
    unmake(made);
}

/* Otherwise the rest would shrink when a site gets a series, and Prometheus would take that for a restart. */
TEST(a_site_keeps_its_series_whatever_others_do)
{
    struct made *made = make();
    const struct vg_snapshot_row first = made->row[0], last = made->row[SITES - 1];
    const char *text;

    (void)render(made, false);
    made->row[0] = last; /* which is the busiest now */
    made->row[SITES - 1] = first;
    text = render(made, false);
    CHECK_STR(text, "site=\"some/where.c:0 f\"");
    CHECK(strstr(text, "site=\"some/where.c:199 f\"") == NULL);
    CHECK_EQ(value(text, OTHER), (SITES - VG_SITES_SHOWN) / 2);
    unmake(made);
}

TEST(awaits_on_one_line_have_series_of_their_own)
{
    struct made *made = make();
    const char *text;

    made->snapshot.rows = 6;
    for (int i = 0; i < 6; i++)
        made->site[i].line = i < 5 ? 1 : 11;
    text = render(made, true);
    for (unsigned i = 0; i < 2; i++) {
        static const char *const labels[] = {"site=\"some/where.c:1 f\",node=\"task\"",
                                             "site=\"some/where.c:1 f#3\",node=\"task\""};

        CHECK_EQ(occurrences(text, labels[i]), VG_PARTS * (14 + 1 + 2));
    }
    CHECK_EQ(occurrences(text, "site=\"some/where.c:11 f\",node=\"child\""), VG_PARTS * 17);
    unmake(made);
}

TEST(buckets_are_cumulative_and_end_with_the_count)
{
    struct made *made = make();
    const char *text;

    made->snapshot.rows = 1;
    made->row[0].ended[VG_PART_PARENT] = (struct vg_octaves){
        .count = 10, .sum = 2500000001, .octave = {[0] = 1, [10] = 2, [11] = 3, [38] = 4}};
    text = render(made, false);
#define SERIES(suffix, le)                                                                         \
    "vigil_site_schedule_duration_seconds" suffix                                                  \
    "{site=\"some/where.c:0 f\",node=\"task\",segment=\"parent\"" le "}"
    CHECK_EQ(value(text, SERIES("_bucket", ",le=\"9.5367431640625e-07\"")), 3);
    CHECK_EQ(value(text, SERIES("_bucket", ",le=\"3.814697265625e-06\"")), 6);
    CHECK_EQ(value(text, SERIES("_bucket", ",le=\"64.0\"")), 6);
    CHECK_EQ(value(text, SERIES("_bucket", ",le=\"+Inf\"")), 10);
    CHECK_EQ(value(text, SERIES("_count", "")), 10);
    CHECK_STR(text, SERIES("_sum", "") " 2.500000001\n");
    unmake(made);
}

TEST(the_two_formats_differ_where_they_must)
{
    struct made *made = make();
    const char *text = render(made, false);

    CHECK_STR(text, "# TYPE vigil_instrument_time_seconds_total counter\n");
    CHECK_STR(text, "# TYPE vigil_build_info gauge\n");
    CHECK_STR(text, "vigil_executor_info{name=\"a\\\"b\",level=\"0\"} 1\n");
    CHECK_STR(text, "vigil_instrument_time_seconds_total{thread=\"telemetry\"} 1.500000000\n");
    CHECK(strstr(text, "# EOF") == NULL && strstr(text, "# UNIT") == NULL);
    text = render(made, true);
    CHECK_STR(text, "# TYPE vigil_instrument_time_seconds counter\n");
    CHECK_STR(text, "# UNIT vigil_instrument_time_seconds seconds\n");
    CHECK_STR(text, "# TYPE vigil_build info\n");
    CHECK_STR(text, "vigil_instrument_time_seconds_total{thread=\"telemetry\"} 1.500000000\n");
    CHECK_EQ(strcmp(text + strlen(text) - 6, "# EOF\n"), 0);
    unmake(made);
}

TEST(an_unknown_kernel_wait_has_no_sample)
{
    struct made *made = make();
    const char *text;

    made->worker[1].kernel_wait_known = true;
    made->worker[1].kernel_wait = 2000000003;
    text = render(made, false);
    CHECK_STR(text, "vigil_worker_sched_wait_time_seconds_total{worker=\"1\"} 2.000000003\n");
    CHECK_EQ(occurrences(text, "vigil_worker_sched_wait_time_seconds_total{"), 1);
    unmake(made);
}
