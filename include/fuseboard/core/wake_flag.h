// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A waker for a thread that waits.
#pragma once

#include <condition_variable>
#include <stop_token>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/waker.h"

namespace fuseboard {

// Raised by wake(), lowered by the wait that it ends. Thread-safe.
class WakeFlag final : public Waker {
 public:
  void wake() noexcept override;

  // Waits until the flag is raised, `stop` is requested, or `clock` says `time`.
  void wait_until(TimePoint time, const Clock& clock, const std::stop_token& stop);

  // Lowers it. Whether it was raised.
  bool take() noexcept;

 private:
  Mutex mutex_;
  std::condition_variable_any raised_changed_;
  bool raised_ FUSEBOARD_GUARDED_BY(mutex_) = false;
};

}  // namespace fuseboard
