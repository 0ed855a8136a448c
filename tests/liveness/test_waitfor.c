/* SPDX-License-Identifier: MIT */
#include "script.h"
#include "vg_sanitizer.h"

/* Tasks that wait for each other, for ever; and what looks like it, and is over after a while. */

enum { RING_SEEDS = VG_TSAN ? 5 : 40 };

#define FOR_STAGES(s, permits, slots)                                                              \
    FOR_SEEDS (seed, RING_SEEDS)                                                                   \
        for (struct stage s, *once_ = (stage_open(&s, seed, (permits), (slots)), &s); once_;       \
             stage_close(&s), once_ = NULL)

static const struct vg_report *only(const struct stage *s, enum vg_verdict verdict, uint64_t ms)
{
    const struct lab_report *seen = lab_only(&s->lab, verdict);

    CHECK(seen->ms > ms && seen->ms <= ms + 50);
    CHECK_EQ(s->lab.ends, 0);
    return &seen->report;
}

static void check_quiet(struct stage *s)
{
    CHECK_EQ(stage_run(s), 0);
    lab_silent(&s->lab);
}

TEST(two_tasks_that_lock_two_mutexes_in_opposite_order_are_reported)
{
    FOR_STAGES(s, 1, 1)
    {
        const struct vg_report *report;

        ACTOR(&s, LOCK(0), NAP(10), LOCK(1));
        ACTOR(&s, LOCK(1), NAP(20), LOCK(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        report = only(&s, VG_VERDICT_WAIT_CYCLE, 20);
        CHECK_EQ(report->confidence, VG_CONFIRMED);
        CHECK_EQ(report->ring_length, 2);
        CHECK_EQ(report->victims, 0);
        CHECK_STR(s.lab.seen[0].text, "2 tasks wait for one another, and for nothing else\n");
        CHECK_STR(s.lab.seen[0].text, "for mutex \"M0\", made at ");
        CHECK_STR(s.lab.seen[0].text, "for mutex \"M1\", made at ");
        CHECK_SITE(&s.lab.seen[0], report->blocked.site, actor, actor_lock_line);
    }
}

TEST(those_that_wait_behind_a_ring_are_counted_with_it)
{
    FOR_STAGES(s, 1, 1)
    {
        const struct vg_report *report;

        ACTOR(&s, LOCK(0), NAP(10), LOCK(1));
        ACTOR(&s, LOCK(1), NAP(10), LOCK(2));
        ACTOR(&s, LOCK(2), NAP(10), LOCK(0));
        ACTOR(&s, NAP(5), LOCK(3), LOCK(2));
        ACTOR(&s, NAP(8), LOCK(3));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        report = only(&s, VG_VERDICT_WAIT_CYCLE, 10);
        CHECK_EQ(report->ring_length, 3);
        CHECK_EQ(report->victims, 2);
    }
}

TEST(a_mutex_that_its_owner_locks_again_is_reported)
{
    FOR_STAGES(s, 1, 1)
    {
        const struct vg_report *report;

        ACTOR(&s, NAP(10), LOCK(0), LOCK(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        report = only(&s, VG_VERDICT_RECURSIVE_WAIT, 10);
        CHECK_EQ(report->confidence, VG_CONFIRMED);
        CHECK_EQ(report->ring_length, 1);
        CHECK_STR(s.lab.seen[0].text, "waits for what it has itself");
    }
}

TEST(a_task_that_had_to_wait_before_is_reported_like_any_other)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, LOCK(0), NAP(10), UNLOCK(0));
        ACTOR(&s, NAP(5), LOCK(0), LOCK(1), NAP(20), LOCK(1));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        (void)only(&s, VG_VERDICT_RECURSIVE_WAIT, 20);
    }
}

TEST(a_join_of_a_task_that_waits_for_what_the_joiner_has_is_reported)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, NAP(10), LOCK(0));
        ACTOR(&s, LOCK(0), JOIN(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        CHECK_EQ(only(&s, VG_VERDICT_WAIT_CYCLE, 10)->confidence, VG_CONFIRMED);
        CHECK_STR(s.lab.seen[0].text, "for task \"end\"");
    }
}

TEST(a_select_with_no_way_out_is_part_of_the_ring)
{
    FOR_STAGES(s, 1, 1)
    {
        const struct vg_report *report;

        ACTOR(&s, LOCK(0), NAP(10), EITHER(1, 2));
        ACTOR(&s, LOCK(1), LOCK(2), NAP(10), LOCK(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        report = only(&s, VG_VERDICT_WAIT_CYCLE, 10);
        CHECK_EQ(report->confidence, VG_CONFIRMED);
        CHECK_STR(s.lab.seen[0].text, "and for 1 more, with which it is the same");
    }
}

/* The lock that the select can get in the end is with a third task, which gives it back. */
TEST(a_select_with_a_way_out_is_silent)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, LOCK(0), NAP(10), EITHER(1, 2), UNLOCK(2), UNLOCK(0));
        ACTOR(&s, LOCK(1), NAP(10), LOCK(0), UNLOCK(0), UNLOCK(1));
        ACTOR(&s, LOCK(2), NAP(2000), UNLOCK(2));
        check_quiet(&s);
    }
}

TEST(a_ring_with_a_timeout_in_it_is_silent)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, LOCK(0), NAP(10), LOCK(1), UNLOCK(1), UNLOCK(0));
        ACTOR(&s, LOCK(1), NAP(10), LOCK_FOR(0, 3000));
        CHECK_EQ(stage_run(&s), -EDEADLK); /* whoever gave up has kept M1 */
        lab_silent(&s.lab);
    }
}

TEST(a_long_chain_behind_a_task_that_runs_is_silent)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, LOCK(0), NAP(5000), UNLOCK(0));
        for (unsigned i = 1; i < 6; i++)
            ACTOR(&s, LOCK(i), NAP(10), LOCK(i - 1), UNLOCK(i - 1), UNLOCK(i));
        check_quiet(&s);
    }
}

TEST(a_mutex_that_somebody_else_will_unlock_is_silent_if_it_says_so)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, LOCK(0), HAND_OVER(0), LOCK(0), UNLOCK(0));
        ACTOR(&s, NAP(3000), UNLOCK(0));
        check_quiet(&s);
    }
}

/* ---- semaphores ------------------------------------------------------------------------------ */

TEST(semaphores_with_one_permit_make_a_ring_that_is_suspected)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, ACQUIRE(0, 1), NAP(10), ACQUIRE(1, 1));
        ACTOR(&s, ACQUIRE(1, 1), NAP(10), ACQUIRE(0, 1));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        CHECK_EQ(only(&s, VG_VERDICT_WAIT_CYCLE, 10)->confidence, VG_SUSPECTED);
    }
}

TEST(a_semaphore_with_a_permit_left_is_silent)
{
    FOR_STAGES(s, 2, 1)
    {
        ACTOR(&s, ACQUIRE(0, 1), NAP(10), ACQUIRE(1, 2), RELEASE(1, 2), RELEASE(0, 1));
        ACTOR(&s, ACQUIRE(1, 2), NAP(10), ACQUIRE(0, 1), RELEASE(0, 1), RELEASE(1, 2));
        check_quiet(&s);
    }
}

TEST(permits_that_go_from_hand_to_hand_have_no_holder)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, OBJECT(0, 1), ACQUIRE(0, 1), RELEASE(0, 1));
        ACTOR(&s, NAP(3000), RELEASE(0, 1));
        check_quiet(&s);
    }
}

/* ---- channels -------------------------------------------------------------------------------- */

TEST(two_actors_that_send_into_each_others_full_mailbox_are_reported)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, RECV(0), NAP(10), SEND(1), SEND(1), SEND(1), RECV(0));
        ACTOR(&s, SEND(0), RECV(1), SEND(0), SEND(0), SEND(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        CHECK_EQ(only(&s, VG_VERDICT_WAIT_CYCLE, 10)->confidence, VG_SUSPECTED);
    }
}

TEST(a_task_that_sends_to_the_channel_it_alone_receives_from_is_reported)
{
    FOR_STAGES(s, 1, 2)
    {
        ACTOR(&s, SEND(0), RECV(0), NAP(10), SEND(0), SEND(0), SEND(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        (void)only(&s, VG_VERDICT_RECURSIVE_WAIT, 10);
    }
}

/* Nobody can know that the second task is going to receive: that is why it is only suspected. */
TEST(a_ring_that_a_stranger_opens_is_reported_as_over)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, SEND(0), RECV(0), SEND(0), SEND(0));
        ACTOR(&s, NAP(3000), RECV(0), RECV(0), NAP(3100));
        CHECK_EQ(stage_run(&s), 0);
        CHECK_EQ(lab_only(&s.lab, VG_VERDICT_RECURSIVE_WAIT)->report.confidence, VG_SUSPECTED);
        CHECK_EQ(s.lab.ends, 1);
        CHECK(s.lab.end[0].ms >= 3000 && s.lab.end[0].ms <= 3020);
    }
}

TEST(a_channel_from_which_others_have_received_too_is_silent)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, SEND(0), RECV(0), SEND(0), NAP(10), SEND(0), RECV(0), SEND(0), SEND(0));
        ACTOR(&s, NAP(5), RECV(0), NAP(3000), RECV(0), RECV(0));
        check_quiet(&s);
    }
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, TRY_RECV(0), SEND(0), RECV(0), SEND(0), SEND(0));
        ACTOR(&s, NAP(3000), RECV(0), RECV(0));
        check_quiet(&s);
    }
}

TEST(a_channel_from_which_nobody_has_received_yet_is_silent)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, SEND(0), SEND(0), SEND(0));
        ACTOR(&s, NAP(3000), RECV(0), RECV(0));
        check_quiet(&s);
    }
}

/* ---- read-write locks ------------------------------------------------------------------------ */

TEST(a_writer_that_reads_what_it_writes_is_reported)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, NAP(10), WRITE(0), READ(0));
        CHECK_EQ(stage_run(&s), -EDEADLK);
        (void)only(&s, VG_VERDICT_RECURSIVE_WAIT, 10);
    }
}

TEST(two_readers_with_a_writer_between_them_are_silent)
{
    FOR_STAGES(s, 1, 1)
    {
        ACTOR(&s, READ(0), NAP(2000), READ_DONE(0));
        ACTOR(&s, NAP(10), WRITE(0));
        ACTOR(&s, NAP(20), READ(0), READ_DONE(0));
        CHECK_EQ(stage_run(&s), -EDEADLK); /* the writer ends and keeps it */
        lab_silent(&s.lab);
    }
}
