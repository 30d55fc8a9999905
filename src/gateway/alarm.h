// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A wait that calls back and can be put off.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "fuseboard/core/time.h"
#include "net/coarse_timer.h"
#include "net/loop.h"

namespace fuseboard::gateway {

// Loop thread only. Must not outlive its loop.
class Alarm {
 public:
  // `ring(true)` at the time that was set; `ring(false)` where no time comes any more, since the loop is stopping.
  Alarm(net::Loop& loop, std::function<void(bool)> ring) : loop_(loop), ring_(std::move(ring)) {}
  ~Alarm() { silence(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // In place of the time that was set before; kNever: no time. A time far off may ring up to 25 ms late: most are never
  // reached, and an exact timer costs more than the rest of a call's wait. It rings later on the loop, also for a time
  // that has passed, and whoever is called then may destroy the alarm. While the loop is stopping it rings false at
  // once, from within set().
  void set(TimePoint time);

 private:
  // From here on a wait need not be exact.
  static constexpr Duration kFarOff = std::chrono::milliseconds(250);

  struct Wait;
  void wait_exactly(TimePoint time);
  static net::Task<void> wait(std::shared_ptr<Wait> wait, TimePoint time);
  void silence() noexcept;

  net::Loop& loop_;
  const std::function<void(bool)> ring_;
  TimePoint time_ = kNever;
  std::shared_ptr<Wait> wait_;              // an exact one
  std::optional<net::CoarseTimer> coarse_;  // made when it is first needed
  bool far_off_ = false;                    // the time that is set is the coarse timer's
};

}  // namespace fuseboard::gateway
