/* SPDX-License-Identifier: MIT */
#include "instrument/histogram.h"

#include <stdlib.h>

#include "harness.h"

/* What the header promises: a sixteenth of the value, and one unit for rounding to units. */
static bool is_close(uint64_t estimate, uint64_t exact)
{
    const uint64_t off = estimate > exact ? estimate - exact : exact - estimate;

    return off <= exact / 16 + 2;
}

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

enum { SAMPLES = 3000 };

enum shape { UNIFORM, EXPONENTS, NARROW, BIMODAL, SHAPES };

static uint64_t draw(uint64_t *state, enum shape shape)
{
    switch (shape) {
    case UNIFORM:
        return next(state) % VG_MSEC(5);
    case EXPONENTS: /* evenly over the octaves up to 2^37 ns */
        return next(state) >> (27 + next(state) % 37);
    case NARROW:
        return VG_USEC(80) + next(state) % 100;
    default:
        return next(state) % 100 == 0 ? VG_SEC(2) + next(state) % VG_SEC(1) : next(state) % 900;
    }
}

static void record_all(struct vg_hist *hist, const uint64_t *sample, unsigned count)
{
    static struct vg_hist_counts counts;
    uint64_t max = 0;

    memset(&counts, 0, sizeof counts);
    memset(hist, 0, sizeof *hist);
    for (unsigned i = 0; i < count; i++) {
        vg_hist_record(&counts, sample[i]);
        max = sample[i] > max ? sample[i] : max;
    }
    vg_hist_merge(hist, &counts, max);
}

static void check_quantiles(const struct vg_hist *hist, const uint64_t *sorted, unsigned count)
{
    static const unsigned permille[] = {1, 10, 250, 500, 900, 990, 999, 1000};

    for (unsigned i = 0; i < sizeof permille / sizeof *permille; i++) {
        const unsigned rank = (count * permille[i] + 999) / 1000;
        const uint64_t exact = sorted[rank - 1], estimate = vg_hist_quantile(hist, permille[i]);

        if (!is_close(estimate, exact))
            FAIL("quantile %u of %u: %llu instead of %llu", permille[i], count,
                 (unsigned long long)estimate, (unsigned long long)exact);
    }
}

TEST(quantiles_are_within_a_sixteenth_of_the_sorted_samples)
{
    static uint64_t sample[SAMPLES];
    struct vg_hist hist;

    FOR_SEEDS (seed, 100) {
        uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
        const unsigned count = 1 + (unsigned)(next(&state) % SAMPLES);

        for (unsigned i = 0; i < count; i++)
            sample[i] = draw(&state, (enum shape)(seed % SHAPES));
        record_all(&hist, sample, count);
        qsort(sample, count, sizeof *sample, ascending);
        CHECK_EQ(hist.count, count);
        CHECK_EQ(hist.max, sample[count - 1]);
        check_quantiles(&hist, sample, count);
    }
}

TEST(histograms_of_several_workers_add_up_to_that_of_one)
{
    static struct vg_hist_counts part[3], whole;
    struct vg_hist merged, reference;
    uint64_t state = 7, max[3] = {0}, total = 0;

    memset(part, 0, sizeof part);
    memset(&whole, 0, sizeof whole);
    memset(&merged, 0, sizeof merged);
    memset(&reference, 0, sizeof reference);
    for (unsigned i = 0; i < 10000; i++) {
        const uint64_t ns = draw(&state, EXPONENTS);
        const unsigned to = (unsigned)(next(&state) % 3);

        vg_hist_record(&part[to], ns);
        vg_hist_record(&whole, ns);
        max[to] = ns > max[to] ? ns : max[to];
        total = ns > total ? ns : total;
    }
    for (unsigned i = 0; i < 3; i++)
        vg_hist_merge(&merged, &part[i], max[i]);
    vg_hist_merge(&reference, &whole, total);
    CHECK_EQ(merged.count, 10000);
    CHECK_EQ(merged.max, reference.max);
    CHECK_EQ(memcmp(merged.bucket, reference.bucket, sizeof merged.bucket), 0);
}

TEST(buckets_follow_one_another_without_gaps)
{
    unsigned last = vg_hist_index(32);

    for (uint64_t ns = 32; ns < VG_SEC(255); ns += 1 + ns / 64) {
        const unsigned index = vg_hist_index(ns);

        CHECK(index == last || index == last + 1);
        last = index;
    }
    CHECK_EQ(last, VG_HIST_BUCKETS - 1);
}

TEST(the_middle_of_a_bucket_lies_in_it)
{
    /* Below, buckets are as narrow as the rounding to nanoseconds. */
    for (unsigned i = 24; i < VG_HIST_BUCKETS; i++) {
        CHECK_EQ(vg_hist_index(vg_hist_middle(i)), i);
        CHECK(vg_hist_middle(i) > vg_hist_middle(i - 1));
    }
}

TEST(bounds_are_powers_of_two_of_a_second)
{
    /* 2^k s is where a new octave, and so a new bucket, begins. */
    const uint64_t bound[] = {VG_SEC(1), VG_SEC(2), VG_SEC(64), VG_MSEC(500), VG_MSEC(250), 976563};

    for (unsigned i = 0; i < sizeof bound / sizeof *bound; i++) {
        CHECK_EQ(vg_hist_index(bound[i]) % 8, 0);
        CHECK_EQ(vg_hist_index(bound[i] - 1), vg_hist_index(bound[i]) - 1);
    }
    CHECK_EQ(vg_hist_index(VG_SEC(2)), vg_hist_index(VG_SEC(1)) + 8);
}

TEST(what_is_longer_than_256_seconds_goes_to_the_last_bucket)
{
    struct vg_hist hist;
    const uint64_t sample[] = {VG_SEC(1), VG_SEC(400), UINT64_MAX};

    CHECK_EQ(vg_hist_index(VG_SEC(257)), VG_HIST_BUCKETS - 1);
    CHECK_EQ(vg_hist_index(UINT64_MAX), VG_HIST_BUCKETS - 1);
    record_all(&hist, sample, 3);
    CHECK_EQ(vg_hist_quantile(&hist, 1000), UINT64_MAX);
    CHECK(is_close(vg_hist_quantile(&hist, 1), VG_SEC(1)));
}

TEST(an_empty_histogram_has_quantile_zero)
{
    struct vg_hist hist;

    record_all(&hist, NULL, 0);
    CHECK_EQ(hist.count, 0);
    CHECK_EQ(vg_hist_quantile(&hist, 500), 0);
    vg_hist_add(&hist, 12345);
    CHECK_EQ(hist.count, 1);
    CHECK(is_close(vg_hist_quantile(&hist, 500), 12345));
}
