// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How fast a target is at the moment, for choosing among targets [FBK-1].
//
//   LatencySpan span = target.latency.begin();       // when the attempt is sent
//   std::move(span).settle(clock.now(), outcome);    // when it ends; forgotten, it teaches nothing
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "fuseboard/core/issuer.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct LatencyEstimateOptions {
  // How fast the past fades: after this long without anything new an estimate has fallen to 37 %. 100 ms to 1 h.
  Duration decay = std::chrono::seconds(10);
  // A failed attempt counts as at least this slow, or a target that fails at once would look like the fastest. More
  // than the usual latency of the slowest target; 0 to 1 h.
  Duration failure_penalty = std::chrono::seconds(30);

  Problems validate() const;
};

class LatencySpan;

// A peak EWMA: it takes on a slower sample at once and forgets it by time, so that one second of slowness is enough to
// be avoided and a while of silence enough to be tried again. With the attempts in flight it becomes a load: what one
// more would cost. The rule is that of Finagle's "Power of Two Choices + Peak EWMA" balancer
// (twitter.github.io/finagle/guide/Clients.html), the penalty for failures is ours.
//
// Thread-safe, lock-free, never allocates. An attempt costs three atomic read-modify-writes, a look two loads and an
// exponential.
class LatencyEstimate {
 public:
  // Throws InvalidOptions.
  explicit LatencyEstimate(const LatencyEstimateOptions& options = {});
  LatencyEstimate(const LatencyEstimate&) = delete;
  LatencyEstimate& operator=(const LatencyEstimate&) = delete;

  // Counts an attempt in flight until the span ends.
  LatencySpan begin() noexcept;

  // The end of an attempt; `outcome.latency` is that of the whole answer, of a stream the time to its first content.
  // - A success is a sample.
  // - A failure that says that the target could not serve (ill, throttled, or its model or credential unusable) is a
  //   sample of at least the penalty.
  // - Any other end, a bad request or a caller that left, says that it takes at least so long: it may raise the
  //   estimate and never lowers it.
  void observe(TimePoint now, const Outcome& outcome) noexcept;

  // nullopt before the first end of an attempt.
  std::optional<Duration> estimate(TimePoint now) const noexcept;

  // The estimate in nanoseconds times the attempts that would be in flight with one more. A target of which nothing is
  // known yet is the fastest of all, 0, so that it gets a sample, but only while nothing is in flight there: then it is
  // slower than any known one until the first end. So a new target that never answers holds one call, not all.
  double load(TimePoint now) const noexcept;

  std::uint32_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }

 private:
  friend class LatencySpan;

  // The value and its time change together: two halves of one word, the value as a float in nanoseconds, the time in
  // units of 2^22 ns (4.2 ms), modulo 2^32 (208 days; an estimate that was left alone for that long would look fresh).
  // Zero is no sample: the first one of zero is kept as the least positive value.
  struct Sample {
    double nanoseconds = 0.0;
    std::uint32_t tick = 0;
  };
  static std::uint64_t pack(Sample sample) noexcept;
  static Sample unpack(std::uint64_t word) noexcept;

  // What fading has left of a sample.
  double share_left(Sample sample, std::uint32_t tick) const noexcept;
  std::optional<double> nanoseconds(TimePoint now) const noexcept;
  void add(TimePoint now, double nanoseconds, bool may_lower) noexcept;

  const double decay_ticks_;
  const double penalty_;
  std::atomic<std::uint64_t> word_{0};
  std::atomic<std::uint32_t> in_flight_{0};
};

// An attempt in flight, in a LatencyEstimate that must outlive it. Settled once; destroyed unsettled it is no longer in
// flight and teaches nothing. Not thread-safe, but may end on another thread.
class [[nodiscard]] LatencySpan {
 public:
  // Of nothing.
  LatencySpan() noexcept = default;
  LatencySpan(LatencySpan&&) noexcept = default;
  LatencySpan& operator=(LatencySpan&& other) noexcept { return replace_permit(*this, other); }
  ~LatencySpan() { leave(); }

  void settle(TimePoint now, const Outcome& outcome) && noexcept {
    if (estimate_) estimate_->observe(now, outcome);
    leave();
  }

 private:
  friend class LatencyEstimate;
  explicit LatencySpan(LatencyEstimate& estimate) noexcept : estimate_(estimate) {
    estimate.in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  void leave() noexcept {
    if (LatencyEstimate* const estimate = estimate_.take())
      estimate->in_flight_.fetch_sub(1, std::memory_order_relaxed);
  }

  Issuer<LatencyEstimate> estimate_{};
};

}  // namespace fuseboard
