/* SPDX-License-Identifier: MIT */
#include "model.h"

/* Notifications, cancellation tokens, the rate limiter. */

static struct signals *signals_of(struct actor *a)
{
    return &a->model->signals;
}

/* ---- notifications ------------------------------------------------------------------------------- */

static struct vg_future *begin_notified(struct actor *a)
{
    signals_of(a)->waiting++;
    return AWAITED(a, vg_notified(&a->notified, &signals_of(a)->notifier));
}

/* No wait ends without a notification of its own. */
static void end_notified(struct actor *a, int ret)
{
    struct signals *signals = signals_of(a);

    signals->waiting--;
    signals->seen += ret == 0;
    CHECK(signals->seen <= signals->told);
}

static struct vg_future *begin_notify(struct actor *a)
{
    struct signals *signals = signals_of(a);
    const bool all = draw(a, 4) == 0;

    signals->told += all ? signals->waiting : 1;
    if (all)
        vg_notify_all(&signals->notifier);
    else
        vg_notify_one(&signals->notifier);
    return NULL;
}

/* ---- tokens -------------------------------------------------------------------------------------- */

static struct vg_future *begin_token_wait(struct actor *a)
{
    return AWAITED(a, vg_token_wait(&a->token, &signals_of(a)->child));
}

static void end_token_wait(struct actor *a, int ret)
{
    if (ret == 0)
        CHECK(signals_of(a)->child_cancelled);
}

static bool token_is_cancelled(struct actor *a)
{
    return signals_of(a)->child_cancelled;
}

static struct vg_future *begin_token_cancel(struct actor *a)
{
    struct signals *signals = signals_of(a);
    const bool root = draw(a, 2) == 0;

    CHECK_EQ(vg_token_cancelled(&signals->root), signals->root_cancelled);
    CHECK_EQ(vg_token_cancelled(&signals->child), signals->child_cancelled);
    if (draw(a, 8) > 0)
        return NULL;
    signals->root_cancelled |= root;
    signals->child_cancelled = true;
    vg_token_cancel(root ? &signals->root : &signals->child);
    return NULL;
}

/* ---- the rate limiter ---------------------------------------------------------------------------- */

static void take_tokens(struct actor *a)
{
    struct signals *signals = signals_of(a);
    const uint64_t since = sim_now(&a->model->world.sim) - signals->begin;

    signals->tokens += signals->wanted[a->index];
    CHECK(signals->tokens <= BURST + since / VG_MSEC(INTERVAL_MS));
}

static struct vg_future *begin_rate(struct actor *a)
{
    struct signals *signals = signals_of(a);
    const uint32_t count = 1 + draw(a, BURST);

    signals->wanted[a->index] = count;
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_rate_acquire(&a->rate, &signals->rate, count));
    if (vg_rate_try(&signals->rate, count) == 0)
        take_tokens(a);
    return NULL;
}

static void end_rate(struct actor *a, int ret)
{
    if (ret == 0)
        take_tokens(a);
}

const struct op signal_ops[] = {
    {"notified", begin_notified, end_notified, NULL},
    {"notify", begin_notify, NULL, NULL},
    {"token_wait", begin_token_wait, end_token_wait, token_is_cancelled},
    {"token_cancel", begin_token_cancel, NULL, NULL},
    {"rate", begin_rate, end_rate, NULL},
};
const unsigned signal_ops_count = sizeof signal_ops / sizeof *signal_ops;

void signals_open(struct signals *signals, uint64_t now)
{
    *signals = (struct signals){.begin = now};
    vg_notifier_init(&signals->notifier, "notifier");
    vg_token_init(&signals->root, "root");
    vg_token_init_child(&signals->child, "child", &signals->root);
    vg_rate_init(&signals->rate, "rate", VG_MSEC(INTERVAL_MS), BURST);
}

void signals_close(struct signals *signals)
{
    vg_notifier_fini(&signals->notifier);
    vg_token_fini(&signals->child);
    vg_token_fini(&signals->root);
    vg_rate_fini(&signals->rate);
}
