/* SPDX-License-Identifier: MIT */
#include "stream_scene.h"

/* Streams of futures: buffered, unordered, one by one, and for_each. */

enum { SLOTS = 3 };

struct flight {
    struct vg_stream_slot slot;
    struct event_wait wait;
    int number;
};

struct scene {
    struct reading reading;
    struct count count;
    struct vg_iter iter;
    struct gate gate;
    struct vg_sift sift;
    struct vg_buffered buffered;
    struct flight flight[SLOTS], single[1];
    struct event landing[GATES + 1];
    int begun;
};

static struct vg_future *take_off(void *arg, void *item, struct vg_stream_slot *slot)
{
    struct scene *const s = (struct scene *)arg;
    struct flight *const flight = (struct flight *)(void *)slot;

    flight->number = *(const int *)item;
    s->begun++;
    return &event_wait(&flight->wait, &s->landing[flight->number])->fut;
}

static int number_of(const void *item)
{
    const struct flight *const flight = (const struct flight *)item;

    CHECK(vg_done(&flight->wait.fut));
    return flight->wait.ret < 0 ? flight->wait.ret : flight->number;
}

static void open_scene(struct rig *rig, struct scene *s)
{
    memset(s, 0, sizeof *s);
    s->reading.value = number_of;
    s->count.end = GATES - 1;
    rig_open(rig);
}

static struct vg_stream *numbers(struct scene *s)
{
    return vg_stream_iter(&s->iter, count_next, &s->count);
}

static void run_reader(struct rig *rig, struct scene *s, struct vg_stream *stream)
{
    s->reading.stream = stream;
    rig_spawn(rig, reader, &s->reading);
}

static void land(struct rig *rig, struct scene *s, int number)
{
    event_set(&s->landing[number]);
    rig_run(rig);
}

TEST(buffered_keeps_the_order_and_as_many_in_flight_as_there_are_slots)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    run_reader(&rig, &s, vg_buffered(&s.buffered, numbers(&s), s.flight, take_off, &s));
    CHECK_EQ(s.begun, SLOTS);
    land(&rig, &s, 3);
    land(&rig, &s, 2);
    CHECK_EQ(s.reading.log.length, 0);
    CHECK_EQ(s.begun, SLOTS); /* a slot that has landed is not free until it was given */
    land(&rig, &s, 1);
    CHECK_LOG(&s.reading.log, 1, 2, 3);
    CHECK_EQ(s.begun, 5);
    land(&rig, &s, 5);
    land(&rig, &s, 4);
    CHECK_LOG(&s.reading.log, 1, 2, 3, 4, 5, 0);
    rig_close(&rig);
}

TEST(unordered_gives_them_as_they_end)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    run_reader(&rig, &s, vg_buffer_unordered(&s.buffered, numbers(&s), s.flight, take_off, &s));
    land(&rig, &s, 3);
    CHECK_EQ(s.begun, 4);
    land(&rig, &s, 4);
    land(&rig, &s, 1);
    land(&rig, &s, 5);
    land(&rig, &s, 2);
    CHECK_LOG(&s.reading.log, 3, 4, 1, 5, 2, 0);
    rig_close(&rig);
}

TEST(what_ends_at_once_takes_up_no_time)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    for (unsigned i = 0; i <= GATES; i++)
        s.landing[i].set = true;
    run_reader(&rig, &s, vg_buffered(&s.buffered, numbers(&s), s.flight, take_off, &s));
    CHECK_LOG(&s.reading.log, 1, 2, 3, 4, 5, 0);
    rig_close(&rig);
}

TEST(with_one_slot_one_begins_when_the_last_was_looked_at)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.is_busy = true;
    s.count.end = 2;
    run_reader(&rig, &s, vg_buffered(&s.buffered, numbers(&s), s.single, take_off, &s));
    CHECK_EQ(s.begun, 1);
    land(&rig, &s, 1);
    CHECK_EQ(s.begun, 1);
    event_set(&s.reading.busy[0]);
    rig_run(&rig);
    CHECK_EQ(s.begun, 2);
    event_set(&s.reading.busy[1]);
    land(&rig, &s, 2);
    CHECK_LOG(&s.reading.log, 1, 2, 0);
    rig_close(&rig);
}

static void go_on_in_flight(bool ordered)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.is_busy = true;
    run_reader(&rig, &s,
               ordered ? vg_buffered(&s.buffered, numbers(&s), s.flight, take_off, &s)
                       : vg_buffer_unordered(&s.buffered, numbers(&s), s.flight, take_off, &s));
    land(&rig, &s, 1);
    CHECK_LOG(&s.reading.log, 1);
    land(&rig, &s, 2);
    land(&rig, &s, 3);
    CHECK(vg_done(&s.flight[1].wait.fut)); /* while the body still awaits */
    CHECK(vg_done(&s.flight[2].wait.fut));
    CHECK_LOG(&s.reading.log, 1);
    for (unsigned i = 0; i < GATES; i++)
        event_set(&s.reading.busy[i]);
    land(&rig, &s, 4);
    land(&rig, &s, 5);
    CHECK_LOG(&s.reading.log, 1, 2, 3, 4, 5, 0);
    rig_close(&rig);
}

TEST(what_is_in_flight_goes_on_while_the_body_awaits)
{
    go_on_in_flight(true);
    go_on_in_flight(false);
}

TEST(a_wait_for_items_below_goes_on_while_the_body_awaits)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.is_busy = true;
    run_reader(&rig, &s,
               vg_buffered(&s.buffered, vg_stream_take(&s.sift, gate(&s.gate, 1), 2), s.flight,
                           take_off, &s));
    s.landing[2].set = true;
    let(&rig, &s.gate, 0);
    land(&rig, &s, 1);
    CHECK_LOG(&s.reading.log, 1);
    let(&rig, &s.gate, 1);
    CHECK_EQ(s.gate.passed, 2);
    CHECK_EQ(s.begun, 1); /* but nothing new is begun */
    event_set(&s.reading.busy[0]);
    event_set(&s.reading.busy[1]);
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, 1, 2, 0);
    rig_close(&rig);
}

static void fail_below(bool ordered)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.gate.fails[1] = true;
    s.reading.goes_on = true;
    s.reading.stream = vg_stream_take(&s.sift, gate(&s.gate, 1), 2);
    run_reader(&rig, &s,
               ordered
                   ? vg_buffered(&s.buffered, s.reading.stream, s.flight, take_off, &s)
                   : vg_buffer_unordered(&s.buffered, s.reading.stream, s.flight, take_off, &s));
    for (unsigned i = 0; i < 3; i++)
        let(&rig, &s.gate, i);
    land(&rig, &s, 1);
    land(&rig, &s, 3);
    if (ordered)
        CHECK_LOG(&s.reading.log, 1, -EIO, 3, 0);
    else
        CHECK_LOG(&s.reading.log, -EIO, 1, 3, 0);
    rig_close(&rig);
}

TEST(a_failure_below_is_told_in_its_place_or_at_once)
{
    fail_below(true);
    fail_below(false);
}

TEST(a_cancelled_reader_ends_all_that_is_in_flight)
{
    for (unsigned how = 0; how < 8; how++) {
        struct scene s = {0};
        struct rig rig;

        open_scene(&rig, &s);
        s.reading.is_busy = how & 1;
        run_reader(&rig, &s,
                   how & 2 ? vg_buffered(&s.buffered, numbers(&s), s.flight, take_off, &s)
                           : vg_buffer_unordered(&s.buffered, numbers(&s), s.flight, take_off, &s));
        if (how & 4)
            land(&rig, &s, 1);
        vg_task_cancel(&rig.task[0]);
        rig_run(&rig);
        CHECK_EQ(RIG_RET(&rig, 0, struct reader), 0);
        for (int i = 1; i <= s.begun; i++)
            CHECK(s.landing[i].waiter == NULL);
        rig_close(&rig);
    }
}

/* ---- for_each -------------------------------------------------------------------------------- */

struct visitor {
    VG_FRAME(int);
    struct scene *scene;
    bool covered; /* below an opaque future */
    struct vg_for_each each;
    struct around opaque;
};

VG_ASYNC(visitor)
{
    VG_BEGIN(f);
    int rc;
    vg_for_each(&f->each, f->scene->reading.stream, f->scene->flight, take_off, f->scene);
    if (f->covered)
        VG_AWAIT(rc, opaque(&f->opaque, &f->each.drain.fut, NULL));
    else
        VG_AWAIT(rc, &f->each.drain);
    VG_RETURN(rc == 0 ? f->each.drain.ret : rc);
}

static struct visitor *visitor(struct visitor *f, struct scene *scene, bool covered)
{
    VG_SETUP(f, visitor);
    f->scene = scene;
    f->covered = covered;
    return f;
}

static void visit_all(bool covered)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.stream = numbers(&s);
    rig_spawn(&rig, visitor, &s, covered);
    for (int i = 5; i > 0; i--) {
        CHECK(!rig_done(&rig, 0));
        land(&rig, &s, i);
    }
    CHECK_EQ(s.begun, 5);
    CHECK_EQ(RIG_RET(&rig, 0, struct visitor), 0);
    rig_close(&rig);
}

TEST(for_each_runs_all_of_them_with_as_many_at_a_time_as_there_are_slots)
{
    visit_all(false);
}

TEST(below_an_opaque_future_too)
{
    visit_all(true);
}

TEST(below_an_opaque_future_a_cancel_ends_all_that_is_in_flight)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.stream = numbers(&s);
    rig_spawn(&rig, visitor, &s, true);
    land(&rig, &s, 2);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(rig_done(&rig, 0));
    for (int i = 1; i <= s.begun; i++)
        CHECK(s.landing[i].waiter == NULL);
    rig_close(&rig);
}

TEST(for_each_ends_with_the_failure_of_its_stream_when_all_in_flight_has_ended)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.gate.fails[1] = true;
    s.reading.stream = gate(&s.gate, 1);
    rig_spawn(&rig, visitor, &s, false);
    let(&rig, &s.gate, 0);
    CHECK(s.landing[1].waiter != NULL);
    let(&rig, &s.gate, 1);
    CHECK_EQ(RIG_RET(&rig, 0, struct visitor), -EIO);
    CHECK(s.landing[1].waiter == NULL);
    rig_close(&rig);
}
