/* SPDX-License-Identifier: MIT */
#include "mpsc_setting.h"

/* ---- without waiting ----------------------------------------------------------------------- */

TEST(values_come_out_in_the_order_in_which_they_went_in)
{
    struct setting s;

    vg_mpsc_init(&s.channel, "jobs", s.slots, SLOTS);
    for (uint32_t i = 0; i < 20; i++) {
        CHECK_EQ(put(&s, i), 0);
        CHECK_EQ(put(&s, i + 100), 0);
        CHECK_EQ(vg_mpsc_length(&s.channel), 2);
        CHECK_EQ(get(&s), i);
        CHECK_EQ(get(&s), i + 100);
    }
    vg_mpsc_fini(&s.channel);
}

TEST(a_full_channel_refuses_and_an_empty_one_has_nothing)
{
    struct setting s;

    vg_mpsc_init(&s.channel, "jobs", s.slots, SLOTS);
    CHECK_EQ(get(&s), -EAGAIN);
    CHECK_EQ(put(&s, 1), 0);
    CHECK_EQ(put(&s, 2), 0);
    CHECK_EQ(put(&s, 3), -EAGAIN);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), -EAGAIN);
    CHECK_EQ(get(&s), 1);
    CHECK_EQ(put(&s, 3), 0);
    CHECK_EQ(get(&s), 2);
    CHECK_EQ(get(&s), 3);
    vg_mpsc_fini(&s.channel);
}

TEST(values_of_any_size_are_copied_whole)
{
    struct odd {
        char text[13];
    } slots[3], in = {"twelve chars"}, out;
    struct vg_mpsc channel;

    vg_mpsc_init(&channel, NULL, slots, 3);
    for (int i = 0; i < 7; i++) {
        memset(&out, 0xdd, sizeof out);
        in.text[0] = (char)('a' + i);
        CHECK_EQ(vg_mpsc_try_send(&channel, &in), 0);
        CHECK_EQ(vg_mpsc_try_recv(&channel, &out), 0);
        CHECK_STR(out.text, in.text);
    }
    vg_mpsc_fini(&channel);
}

TEST(what_was_sent_before_the_close_is_received_after_it)
{
    struct setting s;

    vg_mpsc_init(&s.channel, "jobs", s.slots, SLOTS);
    CHECK_EQ(put(&s, 1), 0);
    vg_mpsc_close(&s.channel);
    vg_mpsc_close(&s.channel);
    CHECK_EQ(put(&s, 2), -EPIPE);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), -EPIPE);
    CHECK_EQ(get(&s), 1);
    CHECK_EQ(get(&s), -EPIPE);
    vg_mpsc_fini(&s.channel);
}

TEST(a_permit_holds_a_slot_until_it_is_used_or_returned)
{
    struct setting s;
    uint32_t value = 7;

    vg_mpsc_init(&s.channel, "jobs", s.slots, SLOTS);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
    CHECK_EQ(put(&s, 1), 0);
    CHECK_EQ(put(&s, 2), -EAGAIN);
    CHECK_EQ(get(&s), 1);
    CHECK_EQ(get(&s), -EAGAIN);
    vg_mpsc_send_reserved(&s.channel, &value);
    CHECK_EQ(get(&s), 7);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
    CHECK_EQ(put(&s, 2), -EAGAIN);
    vg_mpsc_unreserve(&s.channel);
    CHECK_EQ(put(&s, 2), 0);
    vg_mpsc_unreserve(&s.channel);
    vg_mpsc_fini(&s.channel);
}

TEST(a_permit_outlives_the_close)
{
    struct setting s;
    uint32_t value = 7;

    vg_mpsc_init(&s.channel, "jobs", s.slots, SLOTS);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
    vg_mpsc_close(&s.channel);
    CHECK_EQ(get(&s), -EAGAIN);
    vg_mpsc_send_reserved(&s.channel, &value);
    CHECK_EQ(get(&s), 7);
    CHECK_EQ(get(&s), -EAGAIN);
    vg_mpsc_unreserve(&s.channel);
    CHECK_EQ(get(&s), -EPIPE);
    vg_mpsc_fini(&s.channel);
}

/* ---- misuse -------------------------------------------------------------------------------- */

TEST(a_channel_in_use_is_not_destroyed)
{
    struct setting s;
    struct vg_handle handle;

    setting_open(&s, 1);
    START(&s, &handle, getter, &s, 0);
    CHECK_PANICS("a receive waits for channel jobs", vg_mpsc_fini(&s.channel));
    CHECK_EQ(put(&s, 1), 0);
    settle(&s);
    CHECK_EQ(result(&handle), 0);
    CHECK_EQ(put(&s, 1), 0);
    CHECK_EQ(put(&s, 1), 0);
    START(&s, &handle, putter, &s, 1);
    CHECK_PANICS("1 futures wait to send to channel jobs", vg_mpsc_fini(&s.channel));
    CHECK_EQ(get(&s), 1);
    settle(&s);
    CHECK_EQ(result(&handle), 0);
    CHECK_EQ(get(&s), 1);
    CHECK_EQ(vg_mpsc_try_reserve(&s.channel), 0);
    CHECK_PANICS("1 slots of channel jobs are reserved", vg_mpsc_fini(&s.channel));
    vg_mpsc_unreserve(&s.channel);
    setting_close(&s);
}

TEST(misuse_panics)
{
    struct setting s;
    struct vg_handle handle;
    struct getter second;
    struct vg_receive recv;
    uint32_t value = 0;

    setting_open(&s, 1);
    CHECK_PANICS("a bounded channel has 1 to", vg_mpsc_init(&s.channel, "none", s.slots, 0));
    CHECK_PANICS("have 1 to", vg_mpsc_init_at(&s.channel, "none", s.slots, 0, 1, NULL));
    vg_mpsc_init(&s.channel, "jobs", s.slots, SLOTS);
    CHECK_PANICS("a permit of channel jobs", vg_mpsc_unreserve(&s.channel));
    CHECK_PANICS("a permit of channel jobs", vg_mpsc_send_reserved(&s.channel, &value));
    CHECK_PANICS("no value for channel", vg_mpsc_send(&(struct vg_mpsc_send){0}, &s.channel, NULL));
    CHECK_PANICS("nothing is to be received", vg_mpsc_recv_many(&recv, &s.channel, &value, 0));
    START(&s, &handle, getter, &s, 0);
    CHECK_PANICS("two receives wait", world_run(&s.world, &getter(&second, &s, 0)->fut));
    vg_mpsc_close(&s.channel);
    settle(&s);
    CHECK_EQ(result(&handle), -EPIPE);
    setting_close(&s);
}
