/* SPDX-License-Identifier: MIT */
/* oneTBB: work stealing without suspension. What waits for a task runs others meanwhile; main's thread is one of the workers. */
#include <array>
#include <cstdint>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include "outside.h"

namespace
{

using tbb::task_group;

/* Runs body(), which is `ops` operations, on so many workers. */
template <typename Body> peer_run measure(unsigned workers, uint64_t ops, Body body)
{
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism, workers);
    tbb::task_arena arena(static_cast<int>(workers));
    peer_run run;

    arena.execute([&] {
        peer_begin(&run);
        body();
        peer_end(&run, ops);
    });
    return run;
}

peer_run spawn_join(unsigned workers)
{
    const uint64_t tasks = peer_count(1000000);

    return measure(workers, tasks, [=] {
        task_group group;

        for (uint64_t i = 0; i < tasks; i++)
            group.run([] {});
        group.wait();
    });
}

void chain(task_group &group, uint64_t tasks)
{
    if (tasks > 0)
        group.run([&group, tasks] { chain(group, tasks - 1); });
}

peer_run chained_spawn(unsigned workers)
{
    const uint64_t tasks = peer_count(1000000);

    return measure(workers, tasks, [=] {
        task_group group;

        chain(group, tasks);
        group.wait();
    });
}

uint64_t node(uint64_t first, uint64_t leaves)
{
    if (leaves == 1)
        return first;

    const uint64_t each = leaves / 10;
    std::array<uint64_t, 10> sums;
    uint64_t total = 0;
    task_group group;

    for (uint64_t i = 0; i < 10; i++)
        group.run([&sums, i, first, each] { sums[i] = node(first + i * each, each); });
    group.wait();
    for (const uint64_t sum : sums)
        total += sum;
    return total;
}

peer_run skynet(unsigned workers)
{
    uint64_t leaves = 1000000;

    while (leaves > peer_count(1000000))
        leaves /= 10;
    return measure(workers, (leaves * 10 - 1) / 9,
                   [=] { peer_check("skynet", node(0, leaves), leaves * (leaves - 1) / 2); });
}

uint64_t fib_value(unsigned n)
{
    uint64_t a = 0, b = 1;

    for (; n > 0; n--) {
        b += a;
        a = b - a;
    }
    return a;
}

/* How often fib is called for fib(n), with fib(0) and fib(1) as leaves. */
uint64_t fib_calls(unsigned n)
{
    return 2 * fib_value(n + 1) - 1;
}

peer_run fib(unsigned workers, uint64_t (*function)(unsigned n))
{
    unsigned n = 27;

    while (n > 2 && fib_calls(n) > peer_count(fib_calls(27)))
        n--;
    return measure(workers, fib_calls(n), [=] { peer_check("fib", function(n), fib_value(n)); });
}

/* One of the two calls is a task; the other is made in place. */
uint64_t fib_by_tasks(unsigned n)
{
    if (n < 2)
        return n;

    uint64_t task, in_place;
    task_group group;

    group.run([&task, n] { task = fib_by_tasks(n - 1); });
    in_place = fib_by_tasks(n - 2);
    group.wait();
    return task + in_place;
}

uint64_t fib_by_join(unsigned n)
{
    if (n < 2)
        return n;

    uint64_t a, b;

    tbb::parallel_invoke([&a, n] { a = fib_by_join(n - 1); }, [&b, n] { b = fib_by_join(n - 2); });
    return a + b;
}

peer_run fib_tasks(unsigned workers)
{
    return fib(workers, fib_by_tasks);
}

peer_run fib_join(unsigned workers)
{
    return fib(workers, fib_by_join);
}

} // namespace

int main(int argc, char **argv)
{
    static const peer_bench benches[] = {
        {"spawn_join", spawn_join},
        {"chained_spawn", chained_spawn},
        {"skynet", skynet},
        {"fib_tasks", fib_tasks},
        {"fib_join", fib_join},
        {"remote_spawn_idle", remote_spawn_idle},
        {"remote_spawn_busy", remote_spawn_busy},
        {nullptr, nullptr},
    };

    return peer_main(argc, argv, benches, nullptr);
}
