/* SPDX-License-Identifier: MIT */
#include "waitlist.h"

#include "vg_spin.h"

void vg_waitlist_entry_init(struct vg_wait_entry *entry)
{
    entry->state = VG_WAITER_IDLE; /* what is not set here is set when it is armed or added */
    entry->waiter.flags = 0;
    entry->waiter.queued = 0;
}

static void append(struct vg_waitlist *list, struct vg_wait_entry *entry)
{
    entry->next = NULL;
    entry->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = entry;
    list->last = entry;
    list->length++;
}

static void detach(struct vg_waitlist *list, struct vg_wait_entry *entry, uint8_t state)
{
    *(entry->prev ? &entry->prev->next : &list->first) = entry->next;
    *(entry->next ? &entry->next->prev : &list->last) = entry->prev;
    list->length--;
    entry->state = state;
    entry->marks = 0;
    entry->waiter.queued = 0;
}

void vg_waitlist_add(struct vg_waitlist *list, struct vg_wait_entry *entry, uint32_t want,
                     struct vg_future *fut, struct vg_cx *cx)
{
    VG_ASSERT(entry->state == VG_WAITER_IDLE);
    VG_ASSERT(want > 0);
    vg_arm(&entry->waiter, fut, cx);
    entry->waiter.queued = 1;
    entry->state = VG_WAITER_QUEUED;
    entry->marks = 0;
    entry->want = want;
    append(list, entry);
}

static bool eligible(const struct vg_wait_entry *entry)
{
    return entry->state == VG_WAITER_QUEUED && !(entry->marks & VG_WAITER_PASSED);
}

static struct vg_wait_entry *eligible_from(struct vg_wait_entry *entry)
{
    while (entry && !eligible(entry))
        entry = entry->next;
    return entry;
}

struct vg_wait_entry *vg_waitlist_oldest(struct vg_waitlist *list)
{
    return eligible_from(list->first);
}

/* See "Why no wake is lost" in the header. */
static void wake(struct vg_wait_entry *entry, struct vg_wakes *wakes)
{
    if (entry->marks & VG_WAITER_WOKEN)
        return;
    entry->marks |= VG_WAITER_WOKEN;
    entry->waiter.queued = 0;
    if (!vg_wake(&entry->waiter).task)
        return;
    entry->woken = NULL;
    *(wakes->last ? &wakes->last->woken : &wakes->first) = entry;
    wakes->last = entry;
}

void vg_wakes_notify(struct vg_wakes *wakes)
{
    struct vg_wait_entry *entry, *next;

    for (entry = wakes->first; entry; entry = next) {
        next = entry->woken;
        vg_notify((struct vg_notice){entry->waiter.task}); /* may end, and free the entry */
    }
}

uint32_t vg_waitlist_pump(struct vg_waitlist *list, uint32_t available, struct vg_wakes *wakes)
{
    struct vg_wait_entry *entry = vg_waitlist_oldest(list);

    for (; entry && entry->want <= available; entry = eligible_from(entry->next)) {
        entry->state = VG_WAITER_GRANTED;
        list->granted += entry->want;
        available -= entry->want;
        wake(entry, wakes);
    }
    return available;
}

struct vg_notice vg_waitlist_grant_one(struct vg_waitlist *list)
{
    struct vg_wakes wakes = {NULL, NULL};

    (void)vg_waitlist_pump(list, 1, &wakes);
    return (struct vg_notice){wakes.first != NULL ? wakes.first->waiter.task : NULL};
}

bool vg_waitlist_was_let_go(const struct vg_wait_entry *entry)
{
    return entry->state == VG_WAITER_DISMISSED || entry->marks & VG_WAITER_LET_GO;
}

static void let_go(struct vg_waitlist *list, struct vg_wait_entry *entry)
{
    detach(list, entry, VG_WAITER_DISMISSED);
    list->let_go++;
}

void vg_waitlist_dismiss(struct vg_waitlist *list, struct vg_wakes *wakes)
{
    struct vg_wait_entry *entry, *next;

    for (entry = list->first; entry; entry = next) {
        next = entry->next;
        if (entry->state == VG_WAITER_GRANTED) {
            entry->marks |= VG_WAITER_LET_GO;
        } else {
            wake(entry, wakes);
            let_go(list, entry);
        }
    }
}

bool vg_waitlist_visit(struct vg_waitlist *list, struct vg_wait_entry *entry)
{
    VG_ASSERT(entry->state == VG_WAITER_QUEUED || entry->state == VG_WAITER_GRANTED);
    entry->marks &= (uint8_t)~VG_WAITER_PASSED;
    return entry->state == VG_WAITER_GRANTED || vg_waitlist_oldest(list) == entry;
}

/* Takes back what was set aside for the entry. */
static uint32_t ungrant(struct vg_waitlist *list, const struct vg_wait_entry *entry)
{
    if (entry->state != VG_WAITER_GRANTED)
        return 0;
    VG_ASSERT(list->granted >= entry->want);
    list->granted -= entry->want;
    return entry->want;
}

void vg_waitlist_take(struct vg_waitlist *list, struct vg_wait_entry *entry)
{
    ungrant(list, entry);
    detach(list, entry, VG_WAITER_TAKEN);
}

struct vg_notice vg_waitlist_serve(struct vg_waitlist *list, struct vg_wait_entry *entry)
{
    bool woken = entry->marks & VG_WAITER_WOKEN;

    vg_waitlist_take(list, entry);
    return woken ? (struct vg_notice){NULL} : vg_wake(&entry->waiter);
}

void vg_waitlist_stay(struct vg_wait_entry *entry, struct vg_future *fut, struct vg_cx *cx)
{
    VG_ASSERT(entry->state == VG_WAITER_QUEUED);
    if (!(entry->marks & VG_WAITER_WOKEN))
        return;
    /* All under the guard: once WOKEN is cleared the next grant pushes the waiter again, which must
     * then be on no list of its task. */
    vg_disarm(&entry->waiter, cx);
    vg_arm(&entry->waiter, fut, cx);
    entry->waiter.queued = 1;
    entry->marks &= (uint8_t)~VG_WAITER_WOKEN;
}

uint32_t vg_waitlist_leave(struct vg_waitlist *list, struct vg_wait_entry *entry)
{
    uint32_t units = ungrant(list, entry);

    if (entry->state == VG_WAITER_DISMISSED) {
        entry->state = VG_WAITER_IDLE;
        list->let_go--;
    } else {
        detach(list, entry, VG_WAITER_IDLE);
    }
    return units;
}

enum vg_pass vg_waitlist_pass_over(struct vg_waitlist *list, struct vg_wait_entry *entry,
                                   bool healing)
{
    bool granted = entry->state == VG_WAITER_GRANTED;

    if (entry->state == VG_WAITER_DISMISSED)
        return VG_PASS_NONE;
    VG_ASSERT(granted || entry->state == VG_WAITER_QUEUED);
    VG_ASSERT(entry->marks & VG_WAITER_WOKEN);
    if (granted && !healing)
        return VG_PASS_HELD;
    ungrant(list, entry);
    if (entry->marks & VG_WAITER_LET_GO) {
        let_go(list, entry);
        return VG_PASS_REVOKED;
    }
    entry->state = VG_WAITER_QUEUED;
    entry->marks |= VG_WAITER_PASSED;
    return granted ? VG_PASS_REVOKED : VG_PASS_NONE;
}

/* From `entry` on, the one of the leaf `fut`; NULL if it is not there. */
static const struct vg_wait_entry *find(const struct vg_wait_entry *entry,
                                        const struct vg_future *fut)
{
    while (entry && entry->waiter.fut != fut)
        entry = entry->next;
    return entry;
}

bool vg_waitlist_ahead(struct vg_waitlist *list, const struct vg_future *first,
                       const struct vg_future *second)
{
    const struct vg_wait_entry *entry;
    bool ahead = false;

    vg_spin_lock(&list->guard);
    entry = find(list->first, first);
    if (entry)
        ahead = entry->state == VG_WAITER_GRANTED || (eligible(entry) && find(entry->next, second));
    vg_spin_unlock(&list->guard);
    return ahead;
}

unsigned vg_waitlist_waiters(struct vg_waitlist *list)
{
    unsigned length;

    vg_spin_lock(&list->guard);
    length = list->length;
    vg_spin_unlock(&list->guard);
    return length;
}

enum vg_wait_state vg_waitlist_state(const struct vg_wait_entry *entry)
{
    return entry->state == VG_WAITER_GRANTED ? VG_WAIT_GRANTED : VG_WAIT_QUEUED;
}
