/* SPDX-License-Identifier: MIT */
#include "model.h"

/* Channels that hand each value to one. */

static struct tubes *tubes_of(struct actor *a)
{
    return &a->model->tubes;
}

/* ---- values ------------------------------------------------------------------------------------ */

static bool has_room(const struct tube *tube)
{
    return tube->values + 1 < VALUES;
}

static uint32_t new_value(struct tube *tube, struct actor *a)
{
    const uint32_t value = ++tube->values;

    tube->fate[value] = FATE_PENDING;
    tube->sender[value] = (uint8_t)a->index;
    return value;
}

/* It may have been received by now. */
static void settle(struct tube *tube, uint32_t value, int ret)
{
    if (ret < 0)
        CHECK_EQ(tube->fate[value], FATE_PENDING);
    if (tube->fate[value] == FATE_PENDING)
        tube->fate[value] = ret < 0 ? FATE_REFUSED : FATE_SENT;
}

static void receive(struct tube *tube, uint32_t value)
{
    CHECK(value > 0 && value <= tube->values);
    CHECK(tube->fate[value] == FATE_PENDING || tube->fate[value] == FATE_SENT);
    tube->fate[value] = FATE_RECEIVED;
    CHECK(value > tube->last[tube->sender[value]]);
    tube->last[tube->sender[value]] = value;
    tube->received++;
}

/* At the end: nothing that was sent is missing. */
static void check_none_lost(const struct tube *tube)
{
    for (uint32_t i = 1; i <= tube->values; i++)
        CHECK(tube->fate[i] == FATE_RECEIVED || tube->fate[i] == FATE_REFUSED);
}

/* ---- the bounded channel: received from by the first task -------------------------------------- */

static struct vg_future *begin_mpsc_send(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);

    if (!has_room(&tubes->mpsc_tube))
        return NULL;
    a->view.value = new_value(&tubes->mpsc_tube, a);
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_mpsc_send(&a->send, &tubes->mpsc, &a->view.value));
    settle(&tubes->mpsc_tube, a->view.value, vg_mpsc_try_send(&tubes->mpsc, &a->view.value));
    return NULL;
}

static void end_mpsc_send(struct actor *a, int ret)
{
    settle(&tubes_of(a)->mpsc_tube, a->view.value, ret);
}

static void use_permit(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);

    if (draw(a, 3) == 0 || !has_room(&tubes->mpsc_tube)) {
        vg_mpsc_unreserve(&tubes->mpsc);
        return;
    }
    a->view.value = new_value(&tubes->mpsc_tube, a);
    settle(&tubes->mpsc_tube, a->view.value, 0);
    vg_mpsc_send_reserved(&tubes->mpsc, &a->view.value);
}

static struct vg_future *begin_reserve(struct actor *a)
{
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_mpsc_reserve(&a->send, &tubes_of(a)->mpsc));
    if (vg_mpsc_try_reserve(&tubes_of(a)->mpsc) == 0)
        use_permit(a);
    return NULL;
}

static void end_reserve(struct actor *a, int ret)
{
    if (ret == 0)
        use_permit(a);
}

static struct vg_future *begin_mpsc_recv(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);

    if (a->index != 0)
        return NULL;
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_mpsc_recv(&a->receive, &tubes->mpsc, &a->view.value));
    if (vg_mpsc_try_recv(&tubes->mpsc, &a->view.value) == 0)
        receive(&tubes->mpsc_tube, a->view.value);
    return NULL;
}

static void end_mpsc_recv(struct actor *a, int ret)
{
    if (ret == 0)
        receive(&tubes_of(a)->mpsc_tube, a->view.value);
}

/* ---- the unbounded channel: received from by the second task; its order is known ---------------- */

static struct vg_future *begin_unbounded_send(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);

    if (!has_room(&tubes->unbounded_tube))
        return NULL;
    a->view.value = new_value(&tubes->unbounded_tube, a);
    CHECK_EQ(vg_unbounded_send(&tubes->unbounded, &a->view.value), 0);
    settle(&tubes->unbounded_tube, a->view.value, 0);
    return NULL;
}

static void end_unbounded_recv(struct actor *a, int ret)
{
    struct tube *tube = &tubes_of(a)->unbounded_tube;

    if (ret < 0)
        return;
    receive(tube, a->view.value);
    CHECK_EQ(a->view.value, tube->received);
}

static struct vg_future *begin_unbounded_recv(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);
    const bool empty = tubes->unbounded_tube.received == tubes->unbounded_tube.values;
    int rc;

    if (a->index != 1)
        return NULL;
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_unbounded_recv(&a->receive, &tubes->unbounded, &a->view.value));
    rc = vg_unbounded_try_recv(&tubes->unbounded, &a->view.value);
    CHECK_EQ(rc, empty ? -EAGAIN : 0);
    end_unbounded_recv(a, rc);
    return NULL;
}

/* ---- the channel with many receivers ------------------------------------------------------------ */

static struct vg_future *begin_mpmc_send(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);

    if (!has_room(&tubes->mpmc_tube))
        return NULL;
    a->view.value = new_value(&tubes->mpmc_tube, a);
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_mpmc_send(&a->send, &tubes->mpmc, &a->view.value));
    settle(&tubes->mpmc_tube, a->view.value, vg_mpmc_try_send(&tubes->mpmc, &a->view.value));
    return NULL;
}

static void end_mpmc_send(struct actor *a, int ret)
{
    settle(&tubes_of(a)->mpmc_tube, a->view.value, ret);
}

static struct vg_future *begin_mpmc_recv(struct actor *a)
{
    struct tubes *tubes = tubes_of(a);

    if (draw(a, 4) > 0)
        return AWAITED(a, vg_mpmc_recv(&a->mpmc, &tubes->mpmc, &a->view.value));
    if (vg_mpmc_try_recv(&tubes->mpmc, &a->view.value) == 0)
        receive(&tubes->mpmc_tube, a->view.value);
    return NULL;
}

static void end_mpmc_recv(struct actor *a, int ret)
{
    if (ret == 0)
        receive(&tubes_of(a)->mpmc_tube, a->view.value);
}

/* ---- whether somebody waits in vain -------------------------------------------------------------- */

static bool mpsc_has_room(struct actor *a)
{
    return vg_mpsc_length(&tubes_of(a)->mpsc) < CAPACITY;
}

static bool mpsc_has_values(struct actor *a)
{
    return vg_mpsc_length(&tubes_of(a)->mpsc) > 0;
}

static bool unbounded_has_values(struct actor *a)
{
    return tubes_of(a)->unbounded_tube.values > tubes_of(a)->unbounded_tube.received;
}

static bool mpmc_has_room(struct actor *a)
{
    return vg_mpmc_length(&tubes_of(a)->mpmc) < CAPACITY;
}

static bool mpmc_has_values(struct actor *a)
{
    return vg_mpmc_length(&tubes_of(a)->mpmc) > 0;
}

const struct op tube_ops[] = {
    {"mpsc_send", begin_mpsc_send, end_mpsc_send, mpsc_has_room},
    {"mpsc_reserve", begin_reserve, end_reserve, mpsc_has_room},
    {"mpsc_recv", begin_mpsc_recv, end_mpsc_recv, mpsc_has_values},
    {"unbounded_send", begin_unbounded_send, NULL, NULL},
    {"unbounded_recv", begin_unbounded_recv, end_unbounded_recv, unbounded_has_values},
    {"mpmc_send", begin_mpmc_send, end_mpmc_send, mpmc_has_room},
    {"mpmc_recv", begin_mpmc_recv, end_mpmc_recv, mpmc_has_values},
};
const unsigned tube_ops_count = sizeof tube_ops / sizeof *tube_ops;

void tubes_open(struct tubes *tubes)
{
    memset(tubes, 0, sizeof *tubes);
    vg_mpsc_init(&tubes->mpsc, "mpsc", tubes->slots[0], CAPACITY);
    vg_unbounded_init(&tubes->unbounded, "unbounded", sizeof(uint32_t), NULL);
    vg_mpmc_init(&tubes->mpmc, "mpmc", tubes->slots[1], CAPACITY);
}

void tubes_check(struct tubes *tubes)
{
    CHECK(vg_mpsc_length(&tubes->mpsc) <= CAPACITY);
    CHECK(vg_mpmc_length(&tubes->mpmc) <= CAPACITY);
    CHECK_EQ(vg_unbounded_length(&tubes->unbounded),
             tubes->unbounded_tube.values - tubes->unbounded_tube.received);
}

static void drain(struct tubes *tubes)
{
    uint32_t value;

    while (vg_mpsc_try_recv(&tubes->mpsc, &value) == 0)
        receive(&tubes->mpsc_tube, value);
    while (vg_unbounded_try_recv(&tubes->unbounded, &value) == 0)
        receive(&tubes->unbounded_tube, value);
    while (vg_mpmc_try_recv(&tubes->mpmc, &value) == 0)
        receive(&tubes->mpmc_tube, value);
}

/* What was sent is there. */
void tubes_close(struct tubes *tubes)
{
    drain(tubes);
    check_none_lost(&tubes->mpsc_tube);
    check_none_lost(&tubes->unbounded_tube);
    check_none_lost(&tubes->mpmc_tube);
    vg_mpsc_fini(&tubes->mpsc);
    vg_unbounded_fini(&tubes->unbounded);
    vg_mpmc_fini(&tubes->mpmc);
}
