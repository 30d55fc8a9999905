// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/silence.h"

#include <algorithm>
#include <limits>

namespace fuseboard {

void SilenceWatch::answered(TimePoint now) noexcept {
  // Test before you store: every answer comes here.
  if (elapsed(last_answer_.load(std::memory_order_relaxed), now) >= kGrain) {
    last_answer_.store(now, std::memory_order_relaxed);
  }
  if (silent() || waited_for_.load(std::memory_order_relaxed)) forget();
}

void SilenceWatch::forget() noexcept {
  silent_since_.store(kNever, std::memory_order_relaxed);
  const MutexLock lock(mutex_);
  outlasted_ = 0;
  first_began_ = kNever;
  waited_for_.store(false, std::memory_order_relaxed);
}

bool SilenceWatch::outlasted(TimePoint began, TimePoint now, const SilenceRule& rule) {
  const MutexLock lock(mutex_);
  // It has answered since, so this one is slow by itself.
  if (began < last_answer_.load(std::memory_order_relaxed)) return false;
  waited_for_.store(true, std::memory_order_relaxed);
  if (outlasted_ < std::numeric_limits<std::uint32_t>::max()) ++outlasted_;
  first_began_ = std::min(first_began_, began);
  return is_silence_locked(now, rule);
}

bool SilenceWatch::judge(TimePoint now, const SilenceRule& rule) const {
  if (!waited_for_.load(std::memory_order_relaxed)) return false;
  const MutexLock lock(mutex_);
  return is_silence_locked(now, rule);
}

bool SilenceWatch::is_silence_locked(TimePoint now, const SilenceRule& rule) const {
  return rule.threshold > 0 && outlasted_ >= rule.threshold && elapsed(first_began_, now) >= rule.at_least;
}

}  // namespace fuseboard
