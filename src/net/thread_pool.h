// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Threads beside the loops, for work that would hold up everybody else on a loop.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/core/mutex.h"
#include "net/loop.h"
#include "net/task.h"

namespace fuseboard::net {

// Work is done in the order in which it came. Whoever hands it over bounds how much there is.
class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool() { stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Ends what has begun and drops the rest. To be called before the loops that it works for go. Not from its threads.
  void stop();

  // Any thread. `work` does not throw.
  void run(std::move_only_function<void()> work);

 private:
  void serve();

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::move_only_function<void()>> waiting_ FUSEBOARD_GUARDED_BY(mutex_);
  bool ending_ FUSEBOARD_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

// Does `work` on a thread of the pool while the loop goes on, and yields its result on the loop. What the work refers
// to must stay until then: nothing may destroy the coroutine that waits. A loop that stops lets it end.
template <class Work>
Task<std::invoke_result_t<Work&>> run_aside(Loop& loop, ThreadPool& pool, Work work) {
  std::optional<std::invoke_result_t<Work&>> result;
  std::exception_ptr thrown;
  OneShot<> done;
  pool.run([&, hold = loop.hold()]() mutable {
    try {
      result.emplace(work());
    } catch (...) {
      thrown = std::current_exception();
    }
    loop.post([&done, hold = std::move(hold)] { done.set(); });
  });
  co_await done;
  if (thrown) std::rethrow_exception(thrown);
  co_return *std::move(result);
}

}  // namespace fuseboard::net
