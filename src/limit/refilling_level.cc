// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/refilling_level.h"

#include <algorithm>

namespace fuseboard {
namespace {

constexpr double kNanoseconds = 1e9;
// A power of two: multiplying by it is exact.
constexpr double kUnit = 0x1p60;
// A debt of more than this many tokens is none that anybody waits for; it keeps sums far from overflow.
constexpr double kMostTokens = 0x1p35;

}  // namespace

RefillingLevel::Fixed RefillingLevel::tokens(double count) noexcept {
  return static_cast<Fixed>(std::clamp(count, -kMostTokens, kMostTokens) * kNanoseconds * kUnit);
}

RefillingLevel::Fixed RefillingLevel::per_nanosecond(double rate) noexcept { return static_cast<Fixed>(rate * kUnit); }

RefillingLevel::RefillingLevel(double burst) noexcept : burst_(tokens(burst)), level_(burst_) {}

void RefillingLevel::advance(TimePoint now, double rate) noexcept {
  if (now <= last_) return;
  if (last_ == TimePoint::min()) {
    last_ = now;
    return;
  }
  const Duration since = elapsed(last_, now);
  last_ = now;
  const Fixed step = per_nanosecond(rate);
  if (step <= 0) return;
  const Fixed missing = burst_ - level_;
  // Compared as doubles first: the exact product may not fit.
  if (static_cast<double>(step) * static_cast<double>(since.count()) > 2.0 * static_cast<double>(missing)) {
    level_ = burst_;
  } else {
    level_ = std::min(level_ + step * since.count(), burst_);
  }
}

void RefillingLevel::take(double cost) noexcept { level_ = std::max(level_ - tokens(cost), tokens(-kMostTokens)); }

void RefillingLevel::put(double cost) noexcept { level_ = std::min(level_ + tokens(cost), burst_); }

void RefillingLevel::drain() noexcept { level_ = std::min<Fixed>(level_, 0); }

void RefillingLevel::clamp(double most) noexcept { level_ = std::min(level_, tokens(most)); }

Duration RefillingLevel::time_until(double cost, double reserve, double rate) const noexcept {
  const Fixed needed = tokens(cost) + tokens(reserve);
  if (needed <= level_) return Duration::zero();
  const Fixed step = per_nanosecond(rate);
  if (needed > burst_ || step <= 0) return kForever;
  const Fixed wait = (needed - level_ + step - 1) / step;
  return wait >= static_cast<Fixed>(Duration::max().count()) ? kForever : Duration(static_cast<Duration::rep>(wait));
}

double RefillingLevel::level() const noexcept { return static_cast<double>(level_) / kUnit / kNanoseconds; }

double RefillingLevel::burst() const noexcept { return static_cast<double>(burst_) / kUnit / kNanoseconds; }

}  // namespace fuseboard
