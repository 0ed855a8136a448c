/* SPDX-License-Identifier: MIT */
#include "mpsc_setting.h"

/* Futures of a channel, and how they end. */

/* Reserves a slot and keeps it. */
struct reserver {
    VG_FRAME(int);
    struct setting *s;
    struct vg_mpsc_send reserve;
};

VG_ASYNC(reserver)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_mpsc_reserve(&f->reserve, &f->s->channel));
    VG_RETURN(f->ret);
}

static struct reserver *reserver(struct reserver *f, struct setting *s)
{
    VG_SETUP(f, reserver);
    f->s = s;
    return f;
}

TEST(a_receive_waits_for_the_next_value)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        struct vg_handle handle;
        setting_open(&s, seed);
        START(&s, &handle, getter, &s, 0);
        CHECK(!vg_task_done(&handle));
        CHECK_EQ(put(&s, 5), 0);
        settle(&s);
        CHECK_EQ(((struct getter *)vg_task_frame(&handle))->value[0], 5);
        CHECK_EQ(result(&handle), 0);
        setting_close(&s);
    }
}

TEST(sends_that_wait_are_moved_in_by_whoever_makes_room)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        struct vg_handle first, second;
        setting_open(&s, seed);
        CHECK_EQ(put(&s, 1), 0);
        CHECK_EQ(put(&s, 2), 0);
        START(&s, &first, putter, &s, 3);
        START(&s, &second, putter, &s, 4);
        CHECK_EQ(get(&s), 1);
        CHECK_EQ(vg_mpsc_length(&s.channel), 2); /* although no task has run yet */
        CHECK_EQ(put(&s, 5), -EAGAIN);
        CHECK_EQ(get(&s), 2);
        CHECK_EQ(get(&s), 3);
        CHECK_EQ(get(&s), 4);
        settle(&s);
        CHECK_EQ(result(&first), 0);
        CHECK_EQ(result(&second), 0);
        setting_close(&s);
    }
}

TEST(a_returned_permit_goes_to_the_send_that_waits_and_wakes_the_receive)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        struct vg_handle send, recv;
        setting_open(&s, seed);
        CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
        CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
        START(&s, &recv, getter, &s, 0);
        START(&s, &send, putter, &s, 3);
        CHECK(!vg_task_done(&send));
        vg_mpsc_unreserve(&s.channel);
        settle(&s);
        CHECK_EQ(((struct getter *)vg_task_frame(&recv))->value[0], 3);
        CHECK_EQ(result(&send), 0);
        CHECK_EQ(result(&recv), 0);
        vg_mpsc_unreserve(&s.channel);
        setting_close(&s);
    }
}

TEST(reservations_and_sends_take_turns_in_the_order_in_which_they_came)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        struct vg_handle reserve, send;
        uint32_t value = 9;
        setting_open(&s, seed);
        CHECK_EQ(put(&s, 1), 0);
        CHECK_EQ(put(&s, 2), 0);
        START(&s, &reserve, reserver, &s);
        START(&s, &send, putter, &s, 3);
        CHECK_EQ(get(&s), 1);
        settle(&s);
        CHECK_EQ(result(&reserve), 0);
        CHECK(!vg_task_done(&send));
        CHECK_EQ(get(&s), 2);
        CHECK_EQ(get(&s), 3);
        vg_mpsc_send_reserved(&s.channel, &value);
        CHECK_EQ(get(&s), 9);
        settle(&s);
        CHECK_EQ(result(&send), 0);
        setting_close(&s);
    }
}

TEST(a_reservation_that_is_cancelled_when_granted_passes_the_slot_on)
{
    FOR_SEEDS (seed, 100) {
        struct setting s;
        struct vg_handle reserve, send;
        setting_open(&s, seed);
        CHECK_EQ(put(&s, 1), 0);
        CHECK_EQ(put(&s, 2), 0);
        START(&s, &reserve, reserver, &s);
        START(&s, &send, putter, &s, 3);
        vg_task_cancel(&reserve); /* pushed before the grant, so the task sees it first */
        CHECK_EQ(get(&s), 1);
        CHECK_EQ(put(&s, 4), -EAGAIN);
        settle(&s);
        CHECK_EQ(result(&reserve), -ECANCELED);
        CHECK_EQ(result(&send), 0);
        CHECK_EQ(get(&s), 2);
        CHECK_EQ(get(&s), 3);
        setting_close(&s);
    }
}

TEST(many_values_are_received_at_once_and_all_that_wait_move_up)
{
    enum { SENDERS = 40 };

    FOR_SEEDS (seed, 20) {
        struct setting s;
        struct vg_handle recv, send[SENDERS];
        uint32_t slots[SENDERS];
        setting_open(&s, seed);
        vg_mpsc_init(&s.channel, "wide", slots, SENDERS);
        for (uint32_t i = 0; i < SENDERS; i++)
            CHECK_EQ(put(&s, i), 0);
        for (uint32_t i = 0; i < SENDERS; i++)
            START(&s, &send[i], putter, &s, SENDERS + i);
        START(&s, &recv, getter, &s, 35);
        CHECK_EQ(vg_mpsc_length(&s.channel), SENDERS);
        for (uint32_t i = 0; i < 35; i++)
            CHECK_EQ(((struct getter *)vg_task_frame(&recv))->value[i], i);
        CHECK_EQ(result(&recv), 35);
        for (int i = 35; i < 2 * SENDERS; i++)
            CHECK_EQ(get(&s), i);
        settle(&s);
        for (uint32_t i = 0; i < SENDERS; i++)
            CHECK_EQ(result(&send[i]), 0);
        setting_close(&s);
    }
}

TEST(a_close_ends_everybody_who_waits)
{
    enum { SENDERS = 40 };

    FOR_SEEDS (seed, 20) {
        struct setting s;
        struct vg_handle send[SENDERS], reserve;
        setting_open(&s, seed);
        CHECK_EQ(put(&s, 1), 0);
        CHECK_EQ(put(&s, 2), 0);
        START(&s, &reserve, reserver, &s);
        for (uint32_t i = 0; i < SENDERS; i++)
            START(&s, &send[i], putter, &s, 3);
        vg_mpsc_close(&s.channel);
        settle(&s);
        CHECK_EQ(result(&reserve), -EPIPE);
        for (uint32_t i = 0; i < SENDERS; i++)
            CHECK_EQ(result(&send[i]), -EPIPE);
        CHECK_EQ(get(&s), 1);
        CHECK_EQ(get(&s), 2);
        CHECK_EQ(get(&s), -EPIPE);
        START(&s, &send[0], putter, &s, 3);
        CHECK_EQ(result(&send[0]), -EPIPE);
        setting_close(&s);
    }
}

TEST(a_close_ends_the_receive_that_waits)
{
    FOR_SEEDS (seed, 50) {
        struct setting s;
        struct vg_handle handle;
        bool reserved = seed % 2;
        setting_open(&s, seed);
        if (reserved)
            CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
        START(&s, &handle, getter, &s, 1);
        vg_mpsc_close(&s.channel);
        settle(&s);
        if (reserved) { /* a value may still come */
            CHECK(!vg_task_done(&handle));
            vg_mpsc_unreserve(&s.channel);
            settle(&s);
        }
        CHECK_EQ(result(&handle), -EPIPE);
        setting_close(&s);
    }
}
