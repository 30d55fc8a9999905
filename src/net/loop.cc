// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/loop.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <vector>

#include "fuseboard/core/check.h"
#include "fuseboard/core/clock.h"
#include "net/loop_impl.h"

namespace fuseboard::net {

Loop::Loop(std::size_t index) : impl_(std::make_unique<Impl>(*this, index)) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->thread.store(std::this_thread::get_id());
  impl_->context.run();
  // Stopped. What was cancelled now ends by its own error paths.
  impl_->context.restart();
  impl_->context.run_for(kStopGrace);
  impl_->thread.store({});
}

void Loop::reserve_sockets(std::size_t count) {
  // They are open for a moment, in which others need some too.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  count = std::min<std::size_t>(count, limit.rlim_cur / 8);
  std::vector<Socket> sockets;
  sockets.reserve(count);
  while (sockets.size() < count) {
    ErrorCode error;
    sockets.emplace_back(impl_->context).open(Tcp::v4(), error);
    if (error) return;
  }
}

void Loop::stop() {
  post([this] { impl_->stop_now(); });
}

void Loop::Impl::stop_now() {
  if (stopping) return;
  stopping = true;
  work.reset();
  sweep.stop();
  context.stop();
}

void Loop::post(std::move_only_function<void()> work) {
  asio::post(impl_->context, [this, work = std::move(work)]() mutable {
    const BusyLoop busy(*this);
    work();
  });
}

std::shared_ptr<void> Loop::hold() {
  return std::make_shared<asio::executor_work_guard<Executor>>(impl_->context.get_executor());
}

Pauses::Counts Loop::pauses() const noexcept { return impl_->pauses.counts(); }

TimePoint Loop::now() const noexcept { return SteadyClock::instance().now(); }
std::size_t Loop::index() const noexcept { return impl_->index; }
bool Loop::on_loop_thread() const noexcept { return impl_->thread.load() == std::this_thread::get_id(); }
bool Loop::stopping() const noexcept { return impl_->stopping; }

Task<bool> Loop::sleep_until(TimePoint when) {
  Timer timer(*this);
  co_return co_await timer.wait_until(when);
}

LoopGroup::LoopGroup(std::size_t threads) {
  check_invariant(threads > 0, "a LoopGroup has at least one loop");
  for (std::size_t i = 0; i < threads; ++i) loops_.push_back(std::make_unique<Loop>(i));
  for (const auto& loop : loops_) threads_.emplace_back([&loop = *loop] { loop.run(); });
}

Pauses::Counts LoopGroup::pauses() const noexcept {
  Pauses::Counts all;
  for (const auto& loop : loops_) all += loop->pauses();
  return all;
}

LoopGroup::~LoopGroup() { stop(); }

void LoopGroup::stop() {
  for (const auto& loop : loops_) {
    check_invariant(!loop->on_loop_thread(), "a LoopGroup is not stopped from one of its own threads");
    loop->stop();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace fuseboard::net
