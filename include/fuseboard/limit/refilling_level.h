// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A bucket's level for limiters whose rate changes as they go, and who hold a lock of their own. Where the rate is
// fixed, TokenBucket needs no lock.
#pragma once

#include <algorithm>
#include <cstdint>

#include "fuseboard/core/time.h"

namespace fuseboard {

// What a limiter tells others of one of its buckets.
struct LevelView {
  double per_minute = 0.0;      // tokens refilled in a minute
  double burst = 0.0;           // tokens that a full bucket holds
  std::uint64_t remaining = 0;  // whole tokens that a call may take now; 0 to burst
  Duration full_after =
      Duration::zero();  // until the bucket is full if nobody takes from it; kForever: 292 years or more
};

// Counts in billionths of 2^-60 of a token, so that a nanosecond refills rate * 2^60 units: the smallest rate refills
// something in every nanosecond, whole rates are exact, and nothing is lost however often it is asked. A level may be
// negative: a debt, when what was used turns out to be more than what was taken. Rates and bursts are those of
// TokenBucketOptions. Not thread-safe.
class RefillingLevel {
 public:
  // Begins full; nothing is refilled for the time before the first advance().
  explicit RefillingLevel(double burst) noexcept;

  // Refills for the time since the last advance, at `rate` tokens a second; never above the burst. An earlier time than
  // the last one does nothing.
  void advance(TimePoint now, double rate) noexcept;

  // Whether `cost` tokens can be taken and `reserve` be left.
  bool has(double cost, double reserve = 0.0) const noexcept { return level_ >= tokens(cost) + tokens(reserve); }
  void take(double cost) noexcept {
    if (full()) ++filling_;
    level_ = std::max(level_ - tokens(cost), -kMaxFixed);
  }
  // How often a full bucket was taken from: a name for what was taken since it was last full.
  std::uint64_t filling() const noexcept { return filling_; }
  // Gives back what was taken in that filling, up to the burst. Nothing where the bucket has been full since: it has
  // come back by itself then, and twice it would let through more than burst and rate allow [LIM-1].
  void put(double cost, std::uint64_t filling) noexcept {
    if (filling == filling_) level_ = std::min(level_ + tokens(cost), burst_);
  }
  // Takes away what is there; a debt stays.
  void drain() noexcept;
  // At most so many tokens are left.
  void clamp(double most) noexcept;
  void fill() noexcept { level_ = burst_; }
  // Another burst [LIM-9.1]. What is missing from full stays missing, but for what is more than the new burst: that is
  // forgotten, and what was taken before is then put back no more. A debt stays.
  void resize(double burst) noexcept;
  // At least so many tokens are missing from full then, and nothing that was taken before is put back.
  void lack(double missing) noexcept;

  // How long until has(cost, reserve), at `rate`, as of the last advance; kForever if that is above the burst.
  Duration time_until(double cost, double reserve, double rate) const noexcept {
    const Fixed needed = tokens(cost) + tokens(reserve);
    return needed <= level_ ? Duration::zero() : time_until_filled(needed, rate);
  }

  // As of the last advance; waits at `rate`.
  LevelView view(double rate) const noexcept;

  double level() const noexcept;
  double burst() const noexcept;
  // Tokens missing from full; more than the burst where there is a debt.
  double missing() const noexcept;
  bool full() const noexcept { return level_ >= burst_; }

 private:
  __extension__ using Fixed = __int128;
  static constexpr Fixed kOneToken = static_cast<Fixed>(1'000'000'000) << 60;
  // A debt of more than this many tokens is none that anybody waits for; it keeps sums far from overflow.
  static constexpr double kMaxTokens = 0x1p35;
  static constexpr Fixed kMaxFixed = (static_cast<Fixed>(1) << 35) * kOneToken;

  static Fixed tokens(double count) noexcept {
    // Whole numbers, which costs mostly are, without a conversion from double to 128 bits: that is a call.
    const auto whole = static_cast<std::int64_t>(std::clamp(count, -kMaxTokens, kMaxTokens));
    if (static_cast<double>(whole) == count) [[likely]]
      return static_cast<Fixed>(whole) * kOneToken;
    return fractional_tokens(count);
  }
  static Fixed fractional_tokens(double count) noexcept;
  static Fixed per_nanosecond(double rate) noexcept;
  Duration time_until_filled(Fixed needed, double rate) const noexcept;

  Fixed burst_;
  Fixed level_;
  std::uint64_t filling_ = 0;
  TimePoint last_ = TimePoint::min();
  double rate_ = 0.0;  // the last one, and what it refills in a nanosecond
  Fixed step_ = 0;
};

}  // namespace fuseboard
