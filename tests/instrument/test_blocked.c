/* SPDX-License-Identifier: MIT */
#include "harness.h"
#include "instrument/blocked.h"

/* What looks at a thread prove, as a calculation: no thread, no clock. */

static const struct vg_blocked_limits LIMITS = {VG_MSEC(20), VG_MSEC(10), 0};

/* A thread as the scheduler knows it, in milliseconds. */
struct subject {
    struct vg_blocked blocked;
    uint64_t at, ran, waited, switches;
    char state;
    bool first; /* poll of its task */
};

static struct vg_blocked_look look_at(const struct subject *subject)
{
    return (struct vg_blocked_look){
        .at = VG_MSEC(subject->at),
        .cpu = VG_MSEC(subject->ran),
        .has_os = true,
        .os = {VG_MSEC(subject->ran), VG_MSEC(subject->waited), subject->switches, subject->state},
    };
}

static void begin(struct subject *subject)
{
    const struct vg_worker_info info = {.polls = 7, .polling = 3};
    struct vg_blocked_look look;

    *subject = (struct subject){.at = 1000, .ran = 500, .waited = 300, .state = 'R'};
    look = look_at(subject);
    look.has_os = false; /* as the first one is */
    vg_blocked_begin(&subject->blocked, &info, &look);
}

/* The next look, `after` ms, of which it ran and waited so many. */
static void pass(struct subject *subject, uint64_t after, uint64_t ran, uint64_t waited, char state)
{
    struct vg_blocked_look look;

    subject->at += after;
    subject->ran += ran;
    subject->waited += waited;
    subject->state = state;
    look = look_at(subject);
    (void)vg_blocked_add(&subject->blocked, &look, &LIMITS, subject->first);
}

TEST(a_thread_that_sleeps_is_found_when_two_intervals_have_proved_it)
{
    struct subject subject;

    begin(&subject);
    pass(&subject, 10, 0, 0, 'S');
    pass(&subject, 10, 0, 0, 'S');
    CHECK(!subject.blocked.found);
    pass(&subject, 10, 0, 0, 'D');
    CHECK(subject.blocked.found);
    CHECK_EQ(subject.blocked.slept, VG_MSEC(20));
    CHECK_EQ(subject.blocked.lasted, VG_MSEC(30));
}

TEST(a_thread_that_computes_is_found_by_its_cpu_time)
{
    struct subject subject;

    begin(&subject);
    pass(&subject, 10, 10, 0, 'R');
    CHECK(!subject.blocked.found);
    pass(&subject, 10, 9, 0, 'R');
    CHECK(!subject.blocked.found);
    pass(&subject, 10, 1, 0, 'R');
    CHECK(subject.blocked.found);
    CHECK_EQ(subject.blocked.computed, VG_MSEC(20));
}

TEST(a_thread_that_is_runnable_and_does_not_run_is_not_blocked)
{
    struct subject subject;

    begin(&subject);
    for (int i = 0; i < 1000; i++)
        pass(&subject, 10, 0, 0, 'R');
    CHECK(!subject.blocked.found);
    pass(&subject, 10, 1, 10009, 'S'); /* now the wait is counted */
    pass(&subject, 10, 1, 9, 'S');
    CHECK(!subject.blocked.found);
    CHECK_EQ(subject.blocked.slept, 0);
}

/* A poll of many short sleeps on a busy machine: nine tenths of it is waiting for the processor. */
TEST(time_in_the_run_queue_is_not_taken_for_sleep)
{
    struct subject subject;

    begin(&subject);
    for (int i = 0; i < 20; i++)
        pass(&subject, 10, 0, 9, 'S');
    CHECK(!subject.blocked.found);
    CHECK_EQ(subject.blocked.slept, VG_MSEC(19));
    pass(&subject, 10, 0, 9, 'S');
    CHECK(subject.blocked.found);
}

TEST(a_stopped_thread_is_not_blocked)
{
    struct subject subject;

    begin(&subject);
    for (int i = 0; i < 100; i++)
        pass(&subject, 10, 0, 0, i % 2 ? 'T' : 't');
    CHECK(!subject.blocked.found);
    pass(&subject, 10, 0, 0, 'S');
    pass(&subject, 10, 0, 0, 'S');
    CHECK(!subject.blocked.found);
}

/* The process was stopped, or its quota used up: the watchdog came late, too. */
TEST(intervals_that_were_too_long_prove_no_sleep)
{
    struct subject subject;

    begin(&subject);
    pass(&subject, 10, 0, 0, 'S');
    for (int i = 0; i < 100; i++)
        pass(&subject, 16, 0, 0, 'S');
    CHECK(!subject.blocked.found);
    subject.switches++; /* it was stopped, and has gone on with its sleep */
    pass(&subject, 5000, 0, 0, 'S');
    CHECK(!subject.blocked.found);
    CHECK_EQ(subject.blocked.lasted, VG_MSEC(10 + 100 * 16 + 10));
    pass(&subject, 500, 0, 0, 'S'); /* it has slept, but that is only for people */
    CHECK(!subject.blocked.found);
    CHECK_EQ(subject.blocked.lasted, VG_MSEC(10 + 100 * 16 + 10 + 500));
    pass(&subject, 500, 100, 300, 'R');
    CHECK_EQ(subject.blocked.lasted, VG_MSEC(10 + 100 * 16 + 10 + 500 + 400));
    pass(&subject, 10, 0, 0, 'S');
    pass(&subject, 15, 0, 0, 'S');
    pass(&subject, 15, 0, 0, 'S');
    CHECK(subject.blocked.found);
}

/* A quota of a fifth: what was used was used in this poll, however long that took. */
TEST(cpu_time_counts_also_when_it_came_in_small_pieces)
{
    struct subject subject;

    begin(&subject);
    pass(&subject, 90, 10, 80, 'R');
    CHECK(!subject.blocked.found);
    pass(&subject, 90, 10, 80, 'R');
    CHECK(subject.blocked.found);
    CHECK_EQ(subject.blocked.lasted, VG_MSEC(10 + 90)); /* as far as is known */
}

TEST(without_proc_only_computing_is_found)
{
    struct subject subject;
    struct vg_blocked_look look;

    begin(&subject);
    for (int i = 0; i < 10; i++) {
        subject.at += 10;
        subject.state = 'S';
        look = look_at(&subject);
        look.has_os = false;
        (void)vg_blocked_add(&subject.blocked, &look, &LIMITS, false);
    }
    CHECK(!subject.blocked.found);
}

TEST(a_poll_is_told_from_the_next_one_of_the_same_task)
{
    struct vg_worker_info info = {.polls = 7, .polling = 3};
    struct subject subject;

    begin(&subject);
    CHECK(vg_blocked_goes_on(&subject.blocked, &info));
    info.polls = 8;
    CHECK(!vg_blocked_goes_on(&subject.blocked, &info));
    info = (struct vg_worker_info){.polls = 7};
    CHECK(!vg_blocked_goes_on(&subject.blocked, &info));
}

TEST(reports_come_when_the_length_has_doubled)
{
    struct subject subject;
    unsigned reports = 0;

    begin(&subject);
    for (int i = 0; i < 150; i++) { /* 1.5 s */
        pass(&subject, 10, 0, 0, 'S');
        if (!vg_blocked_is_due(&subject.blocked))
            continue;
        reports++;
        subject.blocked.reported = subject.blocked.lasted;
    }
    CHECK_EQ(reports, 6); /* 30, 60, 120, ... 960 ms */
}

TEST(a_first_poll_that_has_computed_for_a_second_never_yields)
{
    struct subject subject;

    begin(&subject);
    subject.first = true;
    for (int i = 0; i < 99; i++)
        pass(&subject, 10, 10, 0, 'R');
    CHECK(subject.blocked.found);
    CHECK(!subject.blocked.never_yields);
    pass(&subject, 10, 10, 0, 'R');
    CHECK(subject.blocked.never_yields);
}

TEST(who_sleeps_in_its_first_poll_or_computes_in_a_later_one_is_only_blocked)
{
    struct subject subject;

    begin(&subject);
    subject.first = true;
    for (int i = 0; i < 500; i++)
        pass(&subject, 10, 0, 0, 'S');
    CHECK(subject.blocked.found);
    CHECK(!subject.blocked.never_yields);
    begin(&subject);
    for (int i = 0; i < 500; i++)
        pass(&subject, 10, 10, 0, 'R');
    CHECK(subject.blocked.found);
    CHECK(!subject.blocked.never_yields);
}
