/* SPDX-License-Identifier: MIT */
#include "stream_scene.h"

/* Streams of two: chain, zip and merge. */

struct scene {
    struct reading reading;
    struct gate gate[2];
    struct vg_sift sift[2];
    struct vg_both both;
};

static int value_of_pair(const void *item)
{
    void *const *const pair = (void *const *)item;

    return 100 * *(const int *)pair[0] + *(const int *)pair[1];
}

typedef struct vg_stream *both_fn(struct vg_both *both, struct vg_stream *first,
                                  struct vg_stream *second);

/* Two streams that end after `first` and `second` items, read as one. */
static void open_scene(struct rig *rig, struct scene *s, both_fn *fn, uint64_t first,
                       uint64_t second)
{
    memset(s, 0, sizeof *s);
    s->reading.value = fn == vg_stream_zip ? value_of_pair : value_of;
    s->reading.stream = fn(&s->both, vg_stream_take(&s->sift[0], gate(&s->gate[0], 11), first),
                           vg_stream_take(&s->sift[1], gate(&s->gate[1], 21), second));
    rig_open(rig);
}

static void read_it(struct rig *rig, struct scene *s)
{
    rig_spawn(rig, reader, &s->reading);
}

TEST(a_chain_asks_the_second_when_the_first_has_ended)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_chain, 2, 1);
    read_it(&rig, &s);
    let(&rig, &s.gate[1], 0);
    CHECK(!gate_waits(&s.gate[1]));
    CHECK_EQ(s.reading.log.length, 0);
    let(&rig, &s.gate[0], 0);
    let(&rig, &s.gate[0], 1);
    CHECK_LOG(&s.reading.log, 11, 12, 21, 0);
    rig_close(&rig);
}

TEST(a_zip_asks_both_at_once_and_ends_with_the_shorter)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_zip, 2, 4);
    read_it(&rig, &s);
    CHECK(gate_waits(&s.gate[0]));
    CHECK(gate_waits(&s.gate[1]));
    let(&rig, &s.gate[1], 0);
    let(&rig, &s.gate[0], 0);
    let(&rig, &s.gate[0], 1);
    CHECK(gate_waits(&s.gate[1]));
    let(&rig, &s.gate[1], 1);
    CHECK_LOG(&s.reading.log, 1121, 1222, 0);
    CHECK(!gate_waits(&s.gate[1])); /* it was closed */
    CHECK_EQ(s.gate[1].passed, 2);
    rig_close(&rig);
}

TEST(what_one_side_of_a_zip_has_waits_for_the_other_across_a_failure)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_zip, 2, 2);
    s.gate[1].fails[0] = true;
    s.reading.goes_on = true;
    read_it(&rig, &s);
    let(&rig, &s.gate[0], 0);
    let(&rig, &s.gate[1], 0);
    let(&rig, &s.gate[1], 1);
    CHECK_LOG(&s.reading.log, -EIO, 1122);
    let(&rig, &s.gate[0], 1);
    let(&rig, &s.gate[1], 2);
    CHECK_LOG(&s.reading.log, -EIO, 1122, 1223, 0);
    rig_close(&rig);
}

TEST(a_failure_of_one_side_leaves_the_wait_of_the_other_in_flight)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_zip, 2, 2);
    s.gate[0].fails[0] = true;
    s.reading.goes_on = true;
    read_it(&rig, &s);
    let(&rig, &s.gate[0], 0);
    CHECK(gate_waits(&s.gate[1]));
    let(&rig, &s.gate[1], 0);
    let(&rig, &s.gate[0], 1);
    CHECK_LOG(&s.reading.log, -EIO, 1221);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, -EIO, 1221, -ECANCELED);
    rig_close(&rig);
}

TEST(a_merge_gives_whichever_is_there_and_ends_with_the_longer)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_merge, 3, 2);
    read_it(&rig, &s);
    let(&rig, &s.gate[1], 0);
    let(&rig, &s.gate[0], 0);
    let(&rig, &s.gate[0], 1);
    let(&rig, &s.gate[1], 1);
    let(&rig, &s.gate[0], 2);
    CHECK_LOG(&s.reading.log, 21, 11, 12, 22, 13, 0);
    rig_close(&rig);
}

TEST(a_merge_takes_turns_if_both_have_something)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_merge, 3, 3);
    for (unsigned i = 0; i < GATES; i++)
        s.gate[i % 2].event[i / 2].set = true;
    read_it(&rig, &s);
    CHECK_LOG(&s.reading.log, 11, 21, 12, 22, 13, 23, 0);
    rig_close(&rig);
}

TEST(both_sides_of_a_merge_make_progress_while_the_body_awaits)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_merge, 1, 1);
    s.reading.is_busy = true;
    read_it(&rig, &s);
    let(&rig, &s.gate[0], 0);
    CHECK_LOG(&s.reading.log, 11);
    let(&rig, &s.gate[1], 0);
    CHECK_EQ(s.gate[1].passed, 1); /* its wake was answered at once */
    CHECK_LOG(&s.reading.log, 11);
    event_set(&s.reading.busy[0]);
    event_set(&s.reading.busy[1]);
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, 11, 21, 0);
    rig_close(&rig);
}

TEST(a_failure_of_one_side_of_a_merge_is_told_and_both_go_on)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s, vg_stream_merge, 2, 1);
    s.gate[0].fails[0] = true;
    s.reading.goes_on = true;
    read_it(&rig, &s);
    let(&rig, &s.gate[0], 0);
    let(&rig, &s.gate[1], 0);
    let(&rig, &s.gate[0], 1);
    let(&rig, &s.gate[0], 2);
    CHECK_LOG(&s.reading.log, -EIO, 21, 12, 13, 0);
    rig_close(&rig);
}
