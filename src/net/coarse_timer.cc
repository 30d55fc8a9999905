// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/coarse_timer.h"

#include <utility>

#include "net/loop_impl.h"

namespace fuseboard::net {

class CoarseTimer::Impl final : public LoopMember {
 public:
  Impl(Loop& loop, std::function<void(bool)> ring) : LoopMember(loop), ring_(std::move(ring)) {}

  void set(TimePoint time) noexcept {
    waits_ = true;
    set_due(time);
  }
  void clear() noexcept {
    waits_ = false;
    clear_due();
  }

 private:
  void on_deadline() override { ring(true); }
  void on_loop_stop() override { ring(false); }
  void ring(bool came) {
    if (!std::exchange(waits_, false)) return;
    const auto action = ring_;  // this may be destroyed by whom it calls
    action(came);
  }

  const std::function<void(bool)> ring_;
  bool waits_ = false;
};

CoarseTimer::CoarseTimer(Loop& loop, std::function<void(bool)> ring)
    : impl_(std::make_unique<Impl>(loop, std::move(ring))) {}
CoarseTimer::~CoarseTimer() = default;

void CoarseTimer::set(TimePoint time) noexcept { impl_->set(time); }
void CoarseTimer::clear() noexcept { impl_->clear(); }

}  // namespace fuseboard::net
