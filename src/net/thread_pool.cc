// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/thread_pool.h"

#include "fuseboard/core/check.h"

namespace fuseboard::net {

ThreadPool::ThreadPool(std::size_t threads) {
  check_invariant(threads > 0, "a ThreadPool has at least one thread");
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

void ThreadPool::stop() {
  {
    std::deque<std::move_only_function<void()>> dropped;  // goes without the lock: what it holds may do anything then
    const MutexLock lock(mutex_);
    ending_ = true;
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ThreadPool::run(std::move_only_function<void()> work) {
  {
    const MutexLock lock(mutex_);
    if (ending_) return;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void ThreadPool::serve() {
  for (;;) {
    std::move_only_function<void()> work;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !ending_) changed_.wait(mutex_);
      if (ending_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace fuseboard::net
