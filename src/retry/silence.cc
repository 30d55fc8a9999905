// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/silence.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fuseboard {
namespace {

constexpr std::uint32_t kMemory = 64;  // attempts
// Of one silence, or what follows would be judged by it for long.
constexpr std::uint64_t kMaxLearned = 16;
constexpr double kByChance = 1e-6;
constexpr double kMaxHanging = 0.9;
constexpr double kHangsOften = 0.2;  // below that the rule's threshold is enough

// While nothing is known of a target.
constexpr Duration first_silence(AnswerKind kind) noexcept {
  return kind == AnswerKind::stream ? Duration(std::chrono::seconds(30)) : Duration(std::chrono::minutes(2));
}

}  // namespace

Duration silence_before_opening(AnswerKind kind, std::optional<Duration> longest) noexcept {
  return longest ? std::clamp(*longest, kMinPatience, kMaxPatience) : first_silence(kind);
}

void SilenceWatch::answered(TimePoint now) noexcept {
  // Test before you store: every answer comes here.
  if (elapsed(last_answer_.load(std::memory_order_relaxed), now) >= kGrain) {
    last_answer_.store(now, std::memory_order_relaxed);
  }
  const bool hangs = hang_share_.load(std::memory_order_relaxed) != 0;
  if (!silent() && !hangs && !waited_for_.load(std::memory_order_relaxed)) return;
  const MutexLock lock(mutex_);
  // What waited in vain before this answer hung; during a silence nothing is learned of it.
  const std::uint64_t hung = hung_ + outlasted_;
  for (std::uint64_t i = 0; i < std::min(hung, kMaxLearned); ++i) count_hang_locked();
  const std::uint32_t share = hang_share_.load(std::memory_order_relaxed);
  hang_share_.store(share < kMemory ? 0 : share - share / kMemory, std::memory_order_relaxed);
  clear_locked();
}

void SilenceWatch::forget() noexcept {
  const MutexLock lock(mutex_);
  clear_locked();
}

void SilenceWatch::clear_locked() {
  silent_since_.store(kNever, std::memory_order_relaxed);
  waited_for_.store(false, std::memory_order_relaxed);
  outlasted_ = 0;
  hung_ = 0;
  first_began_ = kNever;
}

void SilenceWatch::count_hang_locked() {
  const std::uint32_t share = hang_share_.load(std::memory_order_relaxed);
  hang_share_.store(share + (kWhole - share) / kMemory, std::memory_order_relaxed);
}

bool SilenceWatch::outlasted(TimePoint now, TimePoint began, const SilenceRule& rule) {
  const MutexLock lock(mutex_);
  waited_for_.store(true, std::memory_order_relaxed);
  // It has answered others since, so this one hangs by itself.
  if (began < last_answer_.load(std::memory_order_relaxed)) {
    ++hung_;
    return false;
  }
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
  if (rule.threshold == 0 || elapsed(first_began_, now) < rule.at_least) return false;
  const double hanging = static_cast<double>(hang_share_.load(std::memory_order_relaxed)) / kWhole;
  const double by_chance =
      hanging >= kHangsOften ? std::ceil(std::log(kByChance) / std::log(std::min(hanging, kMaxHanging))) : 0.0;
  return outlasted_ >= std::max(static_cast<double>(rule.threshold), by_chance);
}

}  // namespace fuseboard
