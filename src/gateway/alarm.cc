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
  if (wait_ != nullptr && time == time_) return;
  silence();
  time_ = time;
  if (time == kNever) return;
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
  if (wait_ == nullptr) return;
  wait_->ring = {};
  wait_->timer.cancel();
  wait_.reset();
}

}  // namespace fuseboard::gateway
