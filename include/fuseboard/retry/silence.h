// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Notices that a whole target has fallen silent [RTY-14]: several attempts have outlasted their patience, and it has
// answered nobody since the first of them began. A target that answers anybody is slow, not silent.
//
// One that hangs on a share of its calls has such attempts all the time, and sooner or later several in a row. Where a
// fifth or more hung before, it takes as many as would all hang by chance once in a million times.
//
// Where else the rule stands: what counts as an attempt that outlasted its patience, and that the circuit opens, in
// src/pipeline/silent_target.cc; what is known of a target's latencies in pipeline/target_patience.h; the threshold in
// BreakerOptions::silence_threshold; what the breaker does in src/breaker/silent_period.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "fuseboard/retry/patience.h"

namespace fuseboard {

// What makes a silence.
struct SilenceRule {
  std::uint32_t threshold = 5;                   // attempts that outlasted their patience; 0: there is no silence
  Duration at_least = std::chrono::seconds(30);  // since the first of them began
};

// How long a target must have answered nothing before its silence opens its circuit, and how long an attempt must have
// waited for that to count: the longest that an answer of that kind recently took, within kMinPatience and
// kMaxPatience; until that is known 30 s for a stream and 2 min for a plain call.
Duration silence_before_opening(AnswerKind kind, std::optional<Duration> longest) noexcept;

// Thread-safe, never allocates. An answer costs a load and, at most once in kGrain, a store; the rest takes a mutex.
class SilenceWatch {
 public:
  // The time of an answer is kept to this much.
  static constexpr Duration kGrain = std::chrono::milliseconds(10);

  // The target has answered somebody: content, a sign of work, a whole answer or an error.
  void answered(TimePoint now) noexcept;

  // Whether it has answered anybody since, to kGrain.
  bool answered_since(TimePoint began) const noexcept { return began < last_answer_.load(std::memory_order_relaxed); }

  // An attempt that began then has outlasted its patience; to be told once of each. Whether the target is silent by
  // `rule` now.
  [[nodiscard]] bool outlasted(TimePoint now, TimePoint began, const SilenceRule& rule);
  // The same without a further attempt: where time alone was short.
  [[nodiscard]] bool judge(TimePoint now, const SilenceRule& rule) const;

  // Its circuit has been opened on that account.
  void mark_silent(TimePoint now) noexcept { silent_since_.store(now, std::memory_order_relaxed); }
  // Since when, where no answer has come since; else kNever.
  TimePoint silent_since() const noexcept { return silent_since_.load(std::memory_order_relaxed); }
  bool silent() const noexcept { return silent_since() != kNever; }

  // As if nobody had ever waited: an operator has closed the circuit.
  void forget() noexcept;

 private:
  bool is_silence_locked(TimePoint now, const SilenceRule& rule) const FUSEBOARD_REQUIRES(mutex_);
  void clear_locked() FUSEBOARD_REQUIRES(mutex_);
  void count_hang_locked() FUSEBOARD_REQUIRES(mutex_);

  Atomic<TimePoint> last_answer_{TimePoint::min()};
  Atomic<TimePoint> silent_since_{kNever};
  Atomic<bool> waited_for_{false};  // attempts have outlasted their patience since the last answer
  mutable Mutex mutex_;
  // Share of attempts that hung while the target answered others, in 1/kWhole: an average over about the last 64.
  static constexpr std::uint32_t kWhole = 10'000;
  Atomic<std::uint32_t> hang_share_{0};
  std::uint64_t hung_ FUSEBOARD_GUARDED_BY(mutex_) = 0;  // while it answered others
  std::uint32_t outlasted_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  TimePoint first_began_ FUSEBOARD_GUARDED_BY(mutex_) = kNever;
};

}  // namespace fuseboard
