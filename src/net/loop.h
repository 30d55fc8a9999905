// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Event loops: one thread each, nothing shared between them.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "fuseboard/core/time.h"
#include "net/pauses.h"
#include "net/task.h"

namespace fuseboard::net {

// One thread's event loop. Everything that belongs to a loop (connections, timers, tasks) is touched by that thread
// alone; only post(), stop() and now() may be called from elsewhere.
class Loop {
 public:
  explicit Loop(std::size_t index = 0);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs on the calling thread until stop(). Call it once.
  void run();

  // Any thread. Cancels timers and closes connections, so that tasks waiting for them end by their own error paths;
  // run() returns when nothing is left, at the latest kStopGrace later.
  void stop();
  static constexpr Duration kStopGrace = std::chrono::seconds(5);

  // Any thread. `work` runs on the loop's thread; it is dropped if the loop has stopped.
  void post(std::move_only_function<void()> work);

  // While it is held, run() waits for what is still to be posted, also after stop(), but not longer than kStopGrace.
  // Any thread.
  std::shared_ptr<void> hold();

  // Loop thread only. Makes what the loop keeps for good of each socket that is ever open at the same time, for `count`
  // of them in one place: made one by one under load they would lie between all that load needs, and hold its pages
  // when it is gone. Fewer where the system lets it have fewer.
  void reserve_sockets(std::size_t count);

  // How long single things kept the loop busy; any thread.
  Pauses::Counts pauses() const noexcept;

  TimePoint now() const noexcept;        // the machine's monotonic clock, read again (about 30 ns)
  std::size_t index() const noexcept;    // position in its LoopGroup
  bool on_loop_thread() const noexcept;  // of run()
  bool stopping() const noexcept;        // stop() has taken effect; loop thread only

  // True when the time has come, false when the loop is stopping. Resolution: about a millisecond.
  Task<bool> sleep_until(TimePoint when);

  struct Impl;  // private to net
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A wait that somebody else on the same loop can end. Must not outlive its loop.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();  // a task that still waits is resumed with false, later on the loop
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // True when the time has come, false when cancelled (also beforehand) or when the loop is stopping. One waiter at a
  // time.
  Task<bool> wait_until(TimePoint when);

  // Ends the wait, and every later one, with false. The waiter resumes later on the loop, not inside this call.
  void cancel() noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// N loops on N threads, started by the constructor.
class LoopGroup {
 public:
  explicit LoopGroup(std::size_t threads);
  ~LoopGroup();  // stop()
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;

  std::size_t size() const noexcept { return loops_.size(); }
  Loop& at(std::size_t index) noexcept { return *loops_[index]; }
  Pauses::Counts pauses() const noexcept;  // of all

  // Stops every loop and joins the threads. Not from a loop's own thread. The loops stay valid (and idle) until
  // destruction.
  void stop();

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace fuseboard::net
