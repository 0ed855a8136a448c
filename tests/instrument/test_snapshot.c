/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "liveness/lab.h"

/* ---- the checker itself ---------------------------------------------------------------------- */

TEST(the_checker_knows_json_from_what_only_looks_like_it)
{
    static const char *const good[] = {
        "{}",          "[]",       "1", "{\"a\":[1,-2,{\"b\":\"\\u00e9\\\"\"}],\"c\":null}",
        " [ 1 , 2 ] ", "[[],[{}]]"};
    static const char *const bad[] = {"",      "{",       "[1,]",      "{\"a\":1,}", "{\"a\"}",
                                      "[1 2]", "{a:1}",   "\"\x01\"",  "01",         "[1]]",
                                      "nul",   "\"\\x\"", "{\"a\":1}2"};

    for (unsigned i = 0; i < sizeof good / sizeof *good; i++)
        if (!json_is_valid(good[i]))
            FAIL("good %u", i);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        if (json_is_valid(bad[i]))
            FAIL("bad %u", i);
}

/* ---- what is asked of a snapshot --------------------------------------------------------------- */

static struct vg_snapshot *take(struct lab *lab)
{
    struct vg_snapshot *snapshot;

    CHECK_EQ(vg_snapshot(lab->live, &snapshot), 0);
    return snapshot;
}

static const struct vg_snapshot_row *row_of(const struct vg_snapshot *snapshot, const char *func,
                                            int line)
{
    for (unsigned i = 0; i < snapshot->rows; i++)
        if (lab_site_is(snapshot->row[i].site, func, line))
            return &snapshot->row[i];
    FAIL("no row for %s:%d", func, line);
}

/* What the function prints about the snapshot; to be freed. */
static char *print(const struct vg_snapshot *snapshot,
                   void (*how)(const struct vg_snapshot *, FILE *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CHECK(out != NULL);
    how(snapshot, out);
    CHECK_EQ(fclose(out), 0);
    return text;
}

struct ticker {
    VG_FRAME(int);
    int ticks;
    struct vg_sleep nap;
};

static int ticker_line;

VG_ASYNC(ticker)
{
    VG_BEGIN(f);
    for (; f->ticks > 0; f->ticks--) {
        ticker_line = __LINE__ + 1;
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(5)));
    }
    VG_RETURN(0);
}

static struct ticker *ticker(struct ticker *f, int ticks)
{
    VG_SETUP(f, ticker);
    f->ticks = ticks;
    return f;
}

static bool is_empty(void *arg)
{
    return vg_exec_live(((const struct lab *)arg)->exec) == 0;
}

static void run_tickers(struct lab *lab, int tasks, int ticks)
{
    for (int i = 0; i < tasks; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, ticker, ticks), 0);
    CHECK_EQ(sim_run(&lab->sim, lab->exec, is_empty, lab, VG_SEC(60)), 0);
}

TEST(every_wake_is_counted_under_its_await_site)
{
    FOR_SEEDS (seed, 50) {
        struct lab lab;
        struct vg_snapshot *snapshot;
        const struct vg_snapshot_row *row;
        uint64_t visits = 0, ended = 0, polls = 0;

        lab_open(&lab, seed, true);
        run_tickers(&lab, 30, 20);
        snapshot = take(&lab);
        row = row_of(snapshot, "ticker_body", ticker_line);
        CHECK_EQ(row->count, 600);
        CHECK_EQ(row->node, VG_NODE_TASK);
        CHECK_EQ(row->open, 0);
        CHECK_EQ(snapshot->row, row); /* the busiest comes first */
        CHECK_EQ(snapshot->workers, vg_exec_workers(lab.exec));
        for (unsigned i = 0; i < snapshot->workers; i++) {
            visits += snapshot->worker[i].visits;
            ended += snapshot->worker[i].ended[VG_NODE_TASK][VG_PART_RUNTIME].count;
            polls += snapshot->worker[i].info.polls;
        }
        CHECK_EQ(visits, 600);
        CHECK_EQ(ended, 600);
        CHECK(polls >= 30 + 600);
        CHECK_EQ(row->ended[VG_PART_RUNTIME].count, 600);
        CHECK_EQ(row->ended[VG_PART_RUNTIME].sum, row->runtime.sum);
        vg_snapshot_free(snapshot);
        lab_close(&lab);
    }
}

TEST(waits_are_split_and_summed_exactly)
{
    struct lab lab;
    struct vg_snapshot *snapshot;
    struct vg_visit visit = {.node = VG_NODE_CHILD};
    struct vg_probe *probe;
    const struct vg_site *begin, *end;

    lab_open(&lab, 3, true);
    probe = vg_liveness_probe(lab.live);
    vg_exec_sites(lab.exec, &begin, &end);
    CHECK(end - begin >= 2);
    for (unsigned i = 1; i <= 1000; i++) {
        visit.site = begin + 1;
        visit.runtime_ns = i * 1000;
        visit.parent_ns = i * 500000;
        probe->visited(probe, i % vg_exec_workers(lab.exec), &visit);
    }
    snapshot = take(&lab);
    CHECK_EQ(snapshot->rows, 1);
    CHECK_EQ(snapshot->row[0].site, begin + 1);
    CHECK_EQ(snapshot->row[0].node, VG_NODE_CHILD);
    CHECK_EQ(snapshot->row[0].count, 1000);
    CHECK_EQ(snapshot->row[0].runtime.sum, 500500 * UINT64_C(1000));
    CHECK_EQ(snapshot->row[0].parent.sum, 500500 * UINT64_C(500000));
    CHECK_EQ(snapshot->row[0].total.sum, 500500 * UINT64_C(501000));
    CHECK_EQ(snapshot->row[0].runtime.max, 1000000);
    CHECK_EQ(snapshot->row[0].parent.max, 500000000);
    CHECK_EQ(snapshot->row[0].total.max, 501000000);
    CHECK(snapshot->row[0].runtime.p50 > 468000 && snapshot->row[0].runtime.p50 < 532000);
    CHECK(snapshot->row[0].parent.p99 > 464000000 && snapshot->row[0].parent.p99 <= 500000000);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}

TEST(sites_the_executor_was_not_told_of_share_a_row)
{
    static const struct vg_site foreign = {.file = "elsewhere.c", .func = "f", .expr = "g()"};
    struct lab lab;
    struct vg_snapshot *snapshot;
    struct vg_visit visit = {.runtime_ns = 5, .node = VG_NODE_TASK};
    struct vg_probe *probe;

    lab_open(&lab, 1, true);
    probe = vg_liveness_probe(lab.live);
    probe->visited(probe, 0, &visit);
    visit.site = &foreign;
    probe->visited(probe, 0, &visit);
    snapshot = take(&lab);
    CHECK_EQ(snapshot->rows, 1);
    CHECK(snapshot->row[0].site == NULL);
    CHECK_EQ(snapshot->row[0].count, 2);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}

TEST(levels_switch_the_instruments_at_run_time)
{
    struct lab lab;
    struct vg_snapshot *snapshot;

    lab_open(&lab, 1, true);
    vg_liveness_set_level(lab.live, VG_LEVEL_VERDICTS);
    run_tickers(&lab, 3, 3);
    snapshot = take(&lab);
    CHECK_EQ(snapshot->rows, 0);
    CHECK_EQ(snapshot->level, VG_LEVEL_VERDICTS);
    vg_snapshot_free(snapshot);
    vg_liveness_set_level(lab.live, VG_LEVEL_FULL);
    run_tickers(&lab, 3, 3);
    snapshot = take(&lab);
    CHECK_EQ(row_of(snapshot, "ticker_body", ticker_line)->count, 9);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}

/* ---- waits that have not ended ----------------------------------------------------------------- */

struct sleeper {
    VG_FRAME(int);
    int rc;
    uint64_t length;
    VG_ARMS(2) sel;
    struct ticker child;
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(&f->child), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(2)))));
    VG_AWAIT(f->rc, vg_sleep(&f->nap, f->length));
    VG_AWAIT(f->rc, &f->child);
    VG_RETURN(0);
}

/* After 2 ms it leaves the ticker for so long. */
static struct sleeper *sleeper(struct sleeper *f, uint64_t length)
{
    VG_SETUP(f, sleeper);
    f->length = length;
    ticker(&f->child, 1);
    return f;
}

/* Neither what a task's parents nor what its worker took is so long that it is told of one by one. */
TEST(a_short_wait_below_a_parked_future_is_its_parents_share)
{
    FOR_SEEDS (seed, 30) {
        struct lab lab;
        struct vg_snapshot *snapshot;
        const struct vg_snapshot_row *row;

        lab_open(&lab, seed, true);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, sleeper, VG_MSEC(50)), 0);
        CHECK_EQ(sim_run(&lab.sim, lab.exec, is_empty, &lab, VG_SEC(60)), 0);
        snapshot = take(&lab);
        row = row_of(snapshot, "ticker_body", ticker_line);
        CHECK_EQ(row->count, 1);
        CHECK_EQ(row->parent.max, VG_MSEC(47));
        CHECK_EQ(row->runtime.max, 0);
        vg_snapshot_free(snapshot);
        lab_close(&lab);
    }
}

/* The parked child is woken at 5 ms, and not polled before 3002. */
TEST(a_wait_that_has_not_ended_is_in_the_numbers_with_its_age)
{
    FOR_SEEDS (seed, 30) {
        struct lab lab;
        struct vg_snapshot *snapshot;
        const struct vg_snapshot_row *row;
        struct vg_sleep nap;

        lab_open(&lab, seed, true);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, sleeper, VG_SEC(3)), 0);
        CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_MSEC(505))->fut), 0);
        snapshot = take(&lab);
        CHECK_EQ(snapshot->open.count, 1);
        CHECK_EQ(snapshot->open.over_10ms, 1);
        CHECK_EQ(snapshot->open.over_100ms, 1);
        CHECK_EQ(snapshot->open.over_1s, 0);
        CHECK_EQ(snapshot->open.oldest, VG_MSEC(500));
        CHECK_EQ(snapshot->open.oldest_of[VG_NODE_CHILD], VG_MSEC(500));
        CHECK_EQ(snapshot->open.oldest_of[VG_NODE_TASK], 0);
        CHECK_EQ(snapshot->idle, 1);
        CHECK_EQ(snapshot->running + snapshot->queued, 0);
        CHECK_EQ(snapshot->children, 2); /* the ticker, and its sleep, which nobody has polled */
        CHECK_EQ(snapshot->open.node, VG_NODE_CHILD);
        CHECK(lab_site_is(snapshot->open.site, "ticker_body", ticker_line));
        row = row_of(snapshot, "ticker_body", ticker_line);
        CHECK_EQ(row->count, 0);
        CHECK_EQ(row->open, 1);
        CHECK_EQ(row->parent.max, VG_MSEC(500));
        CHECK_EQ(row->ended[VG_PART_PARENT].count, 0); /* it would shrink again */
        CHECK_EQ(row->total.max, VG_MSEC(500));
        CHECK_EQ(row->runtime.max, 0);
        CHECK_EQ(snapshot->verdict[VG_VERDICT_SNOOZED_CHILD].active, 1);
        vg_snapshot_free(snapshot);

        CHECK_EQ(sim_run(&lab.sim, lab.exec, is_empty, &lab, VG_SEC(60)), 0);
        snapshot = take(&lab);
        CHECK_EQ(snapshot->open.count, 0);
        row = row_of(snapshot, "ticker_body", ticker_line);
        CHECK_EQ(row->count, 1);
        CHECK_EQ(row->total.max, VG_MSEC(2997));
        vg_snapshot_free(snapshot);
        lab_close(&lab);
    }
}

/* ---- what is printed ------------------------------------------------------------------------- */

TEST(the_json_form_is_valid_and_complete)
{
    struct lab lab;
    struct vg_snapshot *snapshot;
    struct vg_sleep nap;
    char *text;

    lab_open(&lab, 2, true);
    CHECK_EQ(VG_SPAWN(lab.exec, NULL, sleeper, VG_SEC(3)), 0);
    CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_MSEC(505))->fut), 0);
    snapshot = take(&lab);
    snprintf(snapshot->name, sizeof snapshot->name, "a \"b\"\\\n\xff");
    text = print(snapshot, vg_snapshot_json);
    if (!json_is_valid(text))
        FAIL("invalid: %s", text);
    CHECK_STR(text, "\"func\":\"ticker\"");
    CHECK_STR(text, "\"snoozed-child\":{\"reported\":1");
    CHECK_STR(text, "\"oldest_ns\":500000000");
    CHECK_STR(text, "\"executor\":\"a \\\"b\\\"\\\\\\u000a\\u00ff\"");
    free(text);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}

TEST(the_text_form_names_sites_and_verdicts)
{
    struct lab lab;
    struct vg_snapshot *snapshot;
    char *text, place[64];

    lab_open(&lab, 2, true);
    run_tickers(&lab, 2, 2);
    snapshot = take(&lab);
    text = print(snapshot, vg_snapshot_text);
    snprintf(place, sizeof place, "test_snapshot.c:%d ticker ", ticker_line);
    CHECK_STR(text, place);
    CHECK_STR(text, "futurelock");
    CHECK_STR(text, "p99.9");
    free(text);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}

TEST(the_numbers_stay_when_the_executor_has_gone)
{
    struct lab lab;
    struct vg_snapshot *snapshot;

    lab_open(&lab, 2, true);
    run_tickers(&lab, 2, 2);
    CHECK_EQ(vg_exec_close(lab.exec, VG_SEC(5)), 0);
    snapshot = take(&lab);
    CHECK_EQ(row_of(snapshot, "ticker_body", ticker_line)->count, 4);
    CHECK_EQ(strcmp(snapshot->name, "sim"), 0);
    CHECK_EQ(snapshot->tasks, 0);
    vg_snapshot_free(snapshot);
    vg_liveness_close(lab.live);
    vg_mutex_fini(&lab.mutex);
    vg_mutex_fini(&lab.other);
    sim_close(&lab.sim);
}

TEST(without_memory_there_is_no_snapshot_and_no_leak)
{
    struct lab lab;
    struct vg_snapshot *snapshot;

    lab_open(&lab, 2, true);
    run_tickers(&lab, 2, 2);
    for (uint64_t n = 1; n <= 2; n++) {
        test_alloc_fail_at(n);
        CHECK_EQ(vg_snapshot(lab.live, &snapshot), -ENOMEM);
    }
    test_alloc_fail_at(0);
    CHECK_EQ(vg_snapshot(lab.live, &snapshot), 0);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}

TEST(without_memory_there_is_no_liveness)
{
    struct vg_liveness_config config = VG_LIVENESS_INIT;
    struct vg_liveness *live;

    config.alloc = &test_alloc;
    test_alloc_fail_at(1);
    CHECK_EQ(vg_liveness_open(&live, &config), -ENOMEM);
    vg_liveness_close(NULL);
}
