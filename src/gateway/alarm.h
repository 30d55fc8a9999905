// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A wait that calls back and can be put off.
#pragma once

#include <functional>
#include <memory>

#include "fuseboard/core/time.h"
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

  // In place of the time that was set before; kNever: no time. It rings later on the loop, also for a time that has
  // passed, and whoever is called may destroy the alarm.
  void set(TimePoint time);

 private:
  struct Wait;
  static net::Task<void> wait(std::shared_ptr<Wait> wait, TimePoint time);
  void silence() noexcept;

  net::Loop& loop_;
  const std::function<void(bool)> ring_;
  TimePoint time_ = kNever;
  std::shared_ptr<Wait> wait_;
};

}  // namespace fuseboard::gateway
