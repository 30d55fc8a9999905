// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/alarm.h"

#include <utility>

namespace fuseboard::gateway {

// One wait, which may still unwind when its alarm is gone.
struct Alarm::Wait {
  Wait(net::Loop& loop, std::function<void(bool)> action) : timer(loop), ring(std::move(action)) {}
  net::Timer timer;
  std::function<void(bool)> ring;  // empty: nobody wants to hear
};

void Alarm::set(TimePoint time) {
  if ((wait_ != nullptr || far_off_) && time == time_) return;
  silence();
  time_ = time;
  if (time == kNever) return;
  if (loop_.stopping() || elapsed(loop_.now(), time) < kFarOff) return wait_exactly(time);
  if (!coarse_) {
    coarse_.emplace(loop_, [this](bool came) {
      far_off_ = false;
      const auto ring = ring_;  // this alarm may be destroyed by whom it calls
      ring(came);
    });
  }
  far_off_ = true;
  coarse_->set(time);
}

void Alarm::wait_exactly(TimePoint time) {
  wait_ = std::make_shared<Wait>(loop_, [this](bool came) {
    wait_.reset();
    const auto ring = ring_;  // this alarm may be destroyed by whom it calls
    ring(came);
  });
  net::spawn(wait(wait_, time));
}

net::Task<void> Alarm::wait(std::shared_ptr<Wait> wait, TimePoint time) {
  const bool came = co_await wait->timer.wait_until(time);
  const auto ring = std::exchange(wait->ring, {});
  if (ring) ring(came);
}

void Alarm::silence() noexcept {
  if (std::exchange(far_off_, false)) coarse_->clear();
  if (wait_ == nullptr) return;
  wait_->ring = {};
  wait_->timer.cancel();
  wait_.reset();
}

}  // namespace fuseboard::gateway
