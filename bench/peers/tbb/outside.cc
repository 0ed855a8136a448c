/* SPDX-License-Identifier: MIT */
/* What a thread does that is none of the arena's. */
#include "outside.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

namespace
{

/* Counts tasks that have run; the last wakes who waits for all. */
class remaining
{
  public:
    explicit remaining(uint64_t tasks) : tasks_(tasks)
    {
    }

    void ran()
    {
        if (tasks_.fetch_sub(1, std::memory_order_acq_rel) != 1)
            return;
        const std::lock_guard<std::mutex> guard(mutex_);
        done_ = true;
        changed_.notify_one();
    }

    void wait()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return done_; });
    }

  private:
    std::atomic<uint64_t> tasks_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
};

/*
 * An arena with no place kept for the thread that enqueues. Its workers are TBB's own; the limit counts one thread
 * more than they are, because TBB takes it that the thread that calls works as well.
 */
class pool
{
  public:
    explicit pool(unsigned workers)
        : limit_(tbb::global_control::max_allowed_parallelism, workers + 1),
          arena_(static_cast<int>(workers), 0)
    {
        arena_.initialize();
    }

    peer_run spawn_all(uint64_t tasks)
    {
        remaining left(tasks);
        peer_run run;

        peer_begin(&run);
        for (uint64_t i = 0; i < tasks; i++)
            arena_.enqueue([&left] { left.ran(); });
        left.wait();
        peer_end(&run, tasks);
        return run;
    }

    /* A task cannot be suspended. It yields by enqueueing itself again, behind the others. */
    void yield_until(const std::atomic<bool> &stop, remaining &left)
    {
        if (stop.load(std::memory_order_relaxed))
            left.ran();
        else
            arena_.enqueue([this, &stop, &left] { yield_until(stop, left); });
    }

  private:
    tbb::global_control limit_;
    tbb::task_arena arena_;
};

} // namespace

peer_run remote_spawn_idle(unsigned workers)
{
    return pool(workers).spawn_all(peer_count(200000));
}

/* Four tasks for each worker yield all the time. */
peer_run remote_spawn_busy(unsigned workers)
{
    pool all(workers);
    std::atomic<bool> stop(false);
    remaining left(4 * workers);
    peer_run run;

    for (unsigned i = 0; i < 4 * workers; i++)
        all.yield_until(stop, left);
    run = all.spawn_all(peer_count(200000));
    stop.store(true, std::memory_order_relaxed);
    left.wait();
    return run;
}
