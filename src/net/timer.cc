// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "net/loop_impl.h"

namespace fuseboard::net {

// Shared with the pending handler, which may run after the Timer is gone.
struct Timer::Impl final : LoopMember, std::enable_shared_from_this<Timer::Impl> {
  explicit Impl(Loop& loop) : LoopMember(loop), timer(loop.impl().context.get_executor()) {}

  void start(TimePoint when) {
    done.emplace();
    // Far beyond any uptime, and far from overflow.
    const Duration wait = std::min<Duration>(elapsed(loop().now(), when), std::chrono::hours(24 * 365));
    timer.expires_after(wait);
    timer.async_wait([self = shared_from_this(), wait_number = ++waits](const ErrorCode& error) {
      const BusyLoop busy(self->loop());
      if (wait_number == self->waits) self->done->set(!error && !self->cancelled);
    });
  }
  void cancel() noexcept {
    cancelled = true;
    timer.cancel();
  }
  void on_deadline() override {}
  void on_loop_stop() override { cancel(); }

  AsioTimer timer;
  std::optional<OneShot<bool>> done;
  std::uint64_t waits = 0;  // tells the handler of an abandoned wait from that of the present one
  bool cancelled = false;
};

Timer::Timer(Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}
Timer::~Timer() { impl_->cancel(); }

Task<bool> Timer::wait_until(TimePoint when) {
  const std::shared_ptr<Impl> impl = impl_;
  if (impl->cancelled || impl->loop().stopping()) co_return false;
  impl->start(when);
  co_return co_await *impl->done;
}

void Timer::cancel() noexcept { impl_->cancel(); }

}  // namespace fuseboard::net
