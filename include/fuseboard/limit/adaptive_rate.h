// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What rate a target is likely to bear, learned from its refusals: the pure decision behind AdaptiveLimiter [LIM-4].
//
// Multiplicative decrease and a two-phase return, in the manner of CUBIC (RFC 9438; Ha, Rhee, Xu, "CUBIC: a new
// TCP-friendly high-speed TCP variant", 2008), as the AWS SDKs' adaptive retry mode also does: 0.7 down, quickly back
// to just below the rate last throttled, then a slow and then quickening probe beyond it.
//
// Two things are added, for quotas are not queues. While a fixed window is used up every call is refused, which says
// nothing new with each refusal: the return begins only when a call sent since has succeeded. And such a closed time
// tells the quota itself: calls passed for so long and were refused for so long, so the rate borne is the rate sent
// times the open share of the time. Without that a window quota is approached by 5 % a window.
#pragma once

#include <optional>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

struct AdaptiveRateOptions {
  // The rate that is never exceeded, and the first; tokens a second, 0.000001 to 1 000 000 000.
  double rate = 20.0;
  // What no throttling goes below; tokens a second, 0.000001 to `rate`. Default: 0.2, a look
  // every five seconds, but no less than a 200th and no more than a quarter of `rate`.
  std::optional<double> rate_min{};
  // What a throttled outcome multiplies the rate by; 0.1 to 0.95.
  double decrease = 0.7;
  // At most one decrease in this time: refusals of calls that were sent before the last decrease could take effect are
  // no new evidence; 1 ms to 1 h.
  Duration throttle_window = std::chrono::milliseconds(300);
  // The fraction of the rate last throttled to which it returns quickly; 0.5 to 1.
  double quick_return_to = 0.95;
  // How long that takes, from the first success after the throttling; 1 ms to 1 h.
  Duration quick_return_time = std::chrono::seconds(2);
  // How long the probe then takes to the rate last throttled itself; beyond, it quickens. 1 s to 24 h, and no less than
  // 150 calls take at that rate. A minute is the window in which most providers count.
  Duration probe_time = std::chrono::seconds(60);

  double least() const noexcept;
  Problems validate() const;
  friend bool operator==(const AdaptiveRateOptions&, const AdaptiveRateOptions&) noexcept = default;
};

// Not thread-safe. Times that go back count as no time passed.
class AdaptiveRate {
 public:
  // Throws InvalidOptions.
  explicit AdaptiveRate(const AdaptiveRateOptions& options);

  // Tokens a second that may be sent now; `least()` to `rate`.
  double rate(TimePoint now) const noexcept;

  // A call was refused for its rate. Whether that lowered the rate.
  bool on_throttled(TimePoint now) noexcept;
  // A call that was sent at `sent` got through. One sent before the last throttling is no evidence.
  void on_success(TimePoint now, TimePoint sent) noexcept;

  // The rate last throttled, as far as it is known; nullopt before the first throttling.
  std::optional<double> ceiling() const noexcept { return throttled_ ? std::optional(ceiling_) : std::nullopt; }
  const AdaptiveRateOptions& options() const noexcept { return options_; }

  // New options from here on [LIM-9.3]. What was learned stays: the rate goes on from where it is, within the new
  // bounds. Throws InvalidOptions, with nothing changed.
  void apply(TimePoint now, const AdaptiveRateOptions& options);

  // What was learned, to outlive the process; nullopt where the rate is the configured one.
  std::optional<SavedAdaptiveRate> save(TimePoint now) const noexcept;
  // As it was, within the bounds of the options. A rate that has been throttled since knows better, and stays.
  void restore(TimePoint now, const SavedAdaptiveRate& saved) noexcept;

 private:
  // Of a run of refusals without a success between them.
  struct Closed {
    TimePoint since{};
    Duration open_before{};  // how long calls had been getting through
  };

  AdaptiveRateOptions options_;
  bool throttled_ = false;
  double low_ = 0.0;      // the rate after the last decrease, held until a success; it may be below the least
  double ceiling_ = 0.0;  // the rate last throttled
  TimePoint last_decrease_{};
  TimePoint last_throttled_{};
  std::optional<TimePoint> open_since_{};  // first success since the last run of refusals, or the first call at all
  std::optional<TimePoint> returning_since_{};
  std::optional<Closed> closed_{};
};

}  // namespace fuseboard
