// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/refilling_level.h"

#include <algorithm>

namespace fuseboard {
namespace {

constexpr double kNanoseconds = 1e9;
// A power of two: multiplying by it is exact.
constexpr double kUnit = 0x1p60;

// The product of less than these, 2^36 ns and 2^60 units (a token a nanosecond, the highest rate), stays below 2^126
// whatever is added to it.
constexpr Duration kLongWait = Duration(std::int64_t{1} << 36);
__extension__ constexpr __int128 kFastStep = static_cast<__int128>(1) << 90;

}  // namespace

RefillingLevel::Fixed RefillingLevel::fractional_tokens(double count) noexcept {
  return static_cast<Fixed>(std::clamp(count, -kMaxTokens, kMaxTokens) * kNanoseconds * kUnit);
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
  if (level_ >= burst_) return;
  // A rate seldom changes, and the conversion to 128 bits is a call.
  if (rate != rate_) {
    rate_ = rate;
    step_ = per_nanosecond(rate);
  }
  if (step_ <= 0) return;
  // Compared as doubles first where the exact product may not fit.
  const bool fits = since < kLongWait && step_ < kFastStep;
  if (!fits &&
      static_cast<double>(step_) * static_cast<double>(since.count()) > 2.0 * static_cast<double>(burst_ - level_)) {
    level_ = burst_;
  } else {
    level_ = std::min(level_ + step_ * since.count(), burst_);
  }
}

void RefillingLevel::drain() noexcept { level_ = std::min<Fixed>(level_, 0); }

void RefillingLevel::clamp(double most) noexcept { level_ = std::min(level_, tokens(most)); }

void RefillingLevel::resize(double burst) noexcept {
  const Fixed all = tokens(burst);
  const Fixed least = std::min<Fixed>(level_, 0);
  const Fixed level = level_ + all - burst_;
  if (level < least) ++filling_;
  level_ = std::max(level, least);
  burst_ = all;
}

void RefillingLevel::lack(double missing) noexcept {
  level_ = std::min(level_, burst_ - tokens(missing));
  ++filling_;
}

Duration RefillingLevel::time_until_filled(Fixed needed, double rate) const noexcept {
  const Fixed step = per_nanosecond(rate);
  if (needed > burst_ || step <= 0) return kForever;
  const Fixed wait = (needed - level_ + step - 1) / step;
  return wait >= static_cast<Fixed>(Duration::max().count()) ? kForever : Duration(static_cast<Duration::rep>(wait));
}

LevelView RefillingLevel::view(double rate) const noexcept {
  return {.per_minute = rate * 60.0,
          .burst = burst(),
          .remaining = static_cast<std::uint64_t>(std::max<Fixed>(level_, 0) / kOneToken),
          .full_after = full() ? Duration::zero() : time_until_filled(burst_, rate)};
}

double RefillingLevel::level() const noexcept { return static_cast<double>(level_) / kUnit / kNanoseconds; }

double RefillingLevel::missing() const noexcept { return static_cast<double>(burst_ - level_) / kUnit / kNanoseconds; }

double RefillingLevel::burst() const noexcept { return static_cast<double>(burst_) / kUnit / kNanoseconds; }

}  // namespace fuseboard
