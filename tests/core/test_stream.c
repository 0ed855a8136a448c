/* SPDX-License-Identifier: MIT */
#include "stream_scene.h"

/* Streams: the protocol, VG_EACH, and the adapters of one stream. */

struct scene {
    struct reading reading;
    struct gate gate;
    struct count count;
    struct vg_iter iter;
    struct vg_sift sift[3];
    struct vg_chunks chunks;
    int chunk[3];
};

static void open_scene(struct rig *rig, struct scene *s)
{
    memset(s, 0, sizeof *s);
    s->reading.value = value_of;
    rig_open(rig);
}

static struct vg_stream *numbers(struct scene *s, int end)
{
    s->count = (struct count){.end = end};
    return vg_stream_iter(&s->iter, count_next, &s->count);
}

static void run_reader(struct rig *rig, struct scene *s, struct vg_stream *stream)
{
    s->reading.stream = stream;
    rig_spawn(rig, reader, &s->reading);
}

TEST(each_takes_all_items_and_then_the_end)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    run_reader(&rig, &s, numbers(&s, 4));
    CHECK_LOG(&s.reading.log, 1, 2, 3, 4, 0);
    CHECK_EQ(RIG_RET(&rig, 0, struct reader), 0);
    rig_close(&rig);
}

TEST(each_waits_for_items_that_are_not_there)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.gate.fails[3] = true;
    run_reader(&rig, &s, gate(&s.gate, 10));
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(s.reading.log.length, i);
        let(&rig, &s.gate, i);
    }
    CHECK_LOG(&s.reading.log, 10, 11, 12, -EIO);
    CHECK(rig_done(&rig, 0));
    rig_close(&rig);
}

TEST(a_failure_is_not_the_end_if_the_reader_asks_again)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.gate.fails[0] = s.gate.fails[2] = true;
    s.reading.goes_on = true;
    run_reader(&rig, &s, vg_stream_take(&s.sift[0], gate(&s.gate, 10), 2));
    for (unsigned i = 0; i < 4; i++)
        let(&rig, &s.gate, i);
    CHECK_LOG(&s.reading.log, -EIO, 11, -EIO, 13, 0);
    rig_close(&rig);
}

TEST(a_take_of_nothing_asks_for_nothing)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    run_reader(&rig, &s, vg_stream_take(&s.sift[0], numbers(&s, 9), 0));
    CHECK_LOG(&s.reading.log, 0);
    CHECK_EQ(s.count.at, 0);
    rig_close(&rig);
}

static bool none(void *arg, const void *item)
{
    (void)item;
    ++*(unsigned *)arg;
    return false;
}

TEST(a_filter_that_lets_nothing_through_yields_between)
{
    struct scene s = {0};
    struct rig rig;
    unsigned asked = 0;

    open_scene(&rig, &s);
    run_reader(&rig, &s, vg_stream_filter(&s.sift[0], numbers(&s, 1000), none, &asked));
    CHECK_EQ(asked, 1000);
    CHECK_LOG(&s.reading.log, 0);
    CHECK(rig_polls(&rig, 0) >= 1000 / 128);
    rig_close(&rig);
}

static void *add_hundred(void *arg, void *item)
{
    *(int *)arg = *(int *)item + 100;
    return arg;
}

static bool is_odd(void *arg, const void *item)
{
    (void)arg;
    return *(const int *)item % 2 == 1;
}

TEST(adapters_are_put_one_on_the_other)
{
    struct scene s = {0};
    struct rig rig;
    int sum;

    open_scene(&rig, &s);
    s.reading.stream = vg_stream_filter(&s.sift[0], numbers(&s, 100), is_odd, NULL);
    s.reading.stream = vg_stream_map(&s.sift[1], s.reading.stream, add_hundred, &sum);
    run_reader(&rig, &s, vg_stream_take(&s.sift[2], s.reading.stream, 3));
    CHECK_LOG(&s.reading.log, 101, 103, 105, 0);
    CHECK_EQ(s.count.at, 5);
    rig_close(&rig);
}

static int sum_of_chunk(const void *item)
{
    const struct vg_chunks *const chunks = (const struct vg_chunks *)item;
    int sum = 0;

    for (size_t i = 0; i < chunks->count; i++)
        sum = 10 * sum + ((const int *)chunks->items)[i];
    return sum;
}

TEST(chunks_are_full_but_for_the_last)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.value = sum_of_chunk;
    run_reader(&rig, &s, vg_stream_chunks(&s.chunks, numbers(&s, 8), s.chunk, sizeof(int), 3));
    CHECK_LOG(&s.reading.log, 123, 456, 78, 0);
    rig_close(&rig);
}

TEST(what_was_gathered_before_a_failure_comes_before_it)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.value = sum_of_chunk;
    s.reading.goes_on = true;
    s.gate.fails[2] = s.gate.fails[3] = true;
    run_reader(&rig, &s,
               vg_stream_chunks(&s.chunks, vg_stream_take(&s.sift[0], gate(&s.gate, 1), 3), s.chunk,
                                sizeof(int), 3));
    for (unsigned i = 0; i < 5; i++)
        let(&rig, &s.gate, i);
    CHECK_LOG(&s.reading.log, 12, -EIO, -EIO, 5, 0);
    rig_close(&rig);
}

/* ---- VG_EACH ---------------------------------------------------------------------------------- */

struct breaker {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_stream *outer, *inner;
    struct vg_iter iter;
    struct count count;
    struct vg_yield yield;
    int rc;
};

VG_ASYNC(breaker)
{
    VG_BEGIN(f);
    int rc, more;
    VG_EACH (f->rc, f->outer) {
        const int n = *(const int *)f->outer->item;
        if (n == 2)
            continue;
        if (n == 5)
            break;
        f->count = (struct count){.at = 10 * n, .end = 10 * n + 2};
        f->inner = vg_stream_iter(&f->iter, count_next, &f->count);
        VG_EACH (more, f->inner) {
            note(&f->scene->reading.log, *(const int *)f->inner->item);
            VG_AWAIT(rc, vg_yield(&f->yield));
            CHECK_EQ(rc, 0);
        }
        note(&f->scene->reading.log, more);
    }
    note(&f->scene->reading.log, f->rc);
    VG_AWAIT(more, vg_stream_next(f->outer)); /* goes on behind the item of the break */
    note(&f->scene->reading.log, *(const int *)f->outer->item);
    VG_STREAM_CLOSE(f->rc, f->outer);
    VG_AWAIT(more, vg_stream_next(f->outer));
    note(&f->scene->reading.log, more);
    VG_RETURN(f->rc);
}

static struct breaker *breaker(struct breaker *f, struct scene *scene, struct vg_stream *stream)
{
    VG_SETUP(f, breaker);
    f->scene = scene;
    f->outer = stream;
    return f;
}

TEST(each_is_a_loop_in_which_break_continue_and_other_loops_work)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    rig_spawn(&rig, breaker, &s, numbers(&s, 9));
    CHECK_LOG(&s.reading.log, 11, 12, 0, 31, 32, 0, 41, 42, 0, 1, 6, 0);
    CHECK_EQ(RIG_RET(&rig, 0, struct breaker), 0);
    rig_close(&rig);
}

/* ---- select and cancel --------------------------------------------------------------------------- */

/* Waits for the next item, but not longer than for the event; as often as asked. */
struct impatient {
    VG_FRAME(int);
    struct scene *scene;
    unsigned rounds;
    struct event_wait wait;
    VG_ARMS(2) sel;
};

VG_ASYNC(impatient)
{
    VG_BEGIN(f);
    int arm, rc;
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(arm,
                 VG_SELECT(f->sel, VG_KEEP(vg_stream_next(f->scene->reading.stream)),
                           VG_CANCEL(event_wait(&f->wait, &f->scene->reading.busy[f->rounds]))));
        note(&f->scene->reading.log, arm == 0 ? *(int *)f->scene->reading.stream->item : -arm);
    }
    VG_STREAM_CLOSE(rc, f->scene->reading.stream);
    VG_RETURN(rc);
}

static struct impatient *impatient(struct impatient *f, struct scene *scene, unsigned rounds)
{
    VG_SETUP(f, impatient);
    f->scene = scene;
    f->rounds = rounds;
    return f;
}

TEST(a_stream_that_loses_a_select_is_taken_up_again)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.stream = vg_stream_filter(&s.sift[0], gate(&s.gate, 1), is_odd, NULL);
    rig_spawn(&rig, impatient, &s, 4);
    event_set(&s.reading.busy[4]);
    rig_run(&rig);
    let(&rig, &s.gate, 0);
    let(&rig, &s.gate, 1);
    CHECK_LOG(&s.reading.log, -1, 1);
    event_set(&s.reading.busy[2]);
    rig_run(&rig);
    event_set(&s.reading.busy[1]); /* and closes while it waits for the third */
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, -1, 1, -1, -1);
    CHECK(rig_done(&rig, 0));
    CHECK(!gate_waits(&s.gate));
    rig_close(&rig);
}

TEST(a_cancelled_reader_ends_and_the_item_that_came_is_there)
{
    for (unsigned came = 0; came < 2; came++) {
        struct scene s = {0};
        struct rig rig;

        open_scene(&rig, &s);
        run_reader(&rig, &s, vg_stream_filter(&s.sift[0], gate(&s.gate, 1), is_odd, NULL));
        if (came)
            event_set(&s.gate.event[0]);
        vg_task_cancel(&rig.task[0]);
        rig_run(&rig);
        CHECK(rig_done(&rig, 0));
        if (came)
            CHECK_LOG(&s.reading.log, 1, -ECANCELED);
        else
            CHECK_LOG(&s.reading.log, -ECANCELED);
        CHECK(!gate_waits(&s.gate));
        rig_close(&rig);
    }
}

TEST(a_reader_that_is_cancelled_in_its_body_is_not_given_more)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.is_busy = true;
    run_reader(&rig, &s, vg_stream_filter(&s.sift[0], gate(&s.gate, 1), is_odd, NULL));
    let(&rig, &s.gate, 0);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, 1, -ECANCELED);
    CHECK(!gate_waits(&s.gate));
    rig_close(&rig);
}

static void *count_calls(void *arg)
{
    ++*(unsigned *)arg;
    return NULL;
}

struct insistent {
    VG_FRAME(int);
    struct vg_iter iter;
    struct vg_sift sift;
    struct vg_stream *stream;
    unsigned calls, asked;
};

VG_ASYNC(insistent)
{
    VG_BEGIN(f);
    int rc;
    f->stream =
        vg_stream_filter(&f->sift, vg_stream_iter(&f->iter, count_calls, &f->calls), is_odd, NULL);
    for (; f->asked < 3; f->asked++) {
        VG_AWAIT(rc, vg_stream_next(f->stream));
        CHECK_EQ(rc, 0);
        CHECK(f->stream->item == NULL);
    }
    VG_RETURN((int)f->calls);
}

static struct insistent *insistent(struct insistent *f)
{
    VG_SETUP(f, insistent);
    f->calls = f->asked = 0;
    return f;
}

TEST(a_stream_that_has_ended_says_so_each_time_and_asks_nobody)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, insistent);
    CHECK_EQ(RIG_RET(&rig, 0, struct insistent), 1);
    rig_close(&rig);
}
