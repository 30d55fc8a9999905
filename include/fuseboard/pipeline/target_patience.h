// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What calls to one target have learned of how long it takes, and what company they may get [RTY-11, RTY-14].
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "fuseboard/core/time.h"
#include "fuseboard/retry/company_budget.h"
#include "fuseboard/retry/patience.h"
#include "fuseboard/retry/silence.h"
#include "fuseboard/route/latency_percentile.h"
#include "fuseboard/route/longest_latency.h"

namespace fuseboard {

// Thread-safe, never allocates; about 11 KiB. An answer costs two compare-and-swaps and a few loads, a patience some
// 300 loads: it is asked for only when an attempt has been silent for a while.
class TargetPatience {
 public:
  // Throws InvalidOptions.
  TargetPatience(const LatencyPercentileOptions& latencies, const CompanyOptions& company);

  // An attempt has succeeded, `latency` after it began: of a stream the time to its first content or sign of work.
  void succeeded(TimePoint now, AnswerKind kind, Duration latency) noexcept;
  // The target has answered somebody, in whatever way. `content`: it has answered well so far.
  void answered(TimePoint now, bool content) noexcept;
  // An attempt that began then has lost against its company.
  void overtaken(TimePoint now, AnswerKind kind, TimePoint began) noexcept;

  const LatencyPercentile& latencies(AnswerKind kind) const noexcept { return of(kind).answered; }
  // How long an attempt is waited for alone: its patience, or less where it hangs before that is over.
  Duration waited_for_alone(TimePoint now, const PatienceOptions& options, AnswerKind kind, bool probe) const noexcept;
  // The patience by itself.
  Duration patience(TimePoint now, const PatienceOptions& options, AnswerKind kind) const noexcept;
  // How long it must have answered nothing to count as silent.
  Duration silence_needed(TimePoint now, AnswerKind kind) const noexcept;
  // Whether an attempt of that age hangs. While nobody has had an answer of that kind: when it is as old as silence
  // would have to be; never where few are known.
  bool hangs(TimePoint now, AnswerKind kind, Duration age) const noexcept;

  CompanyBudget& company() noexcept { return company_; }
  SilenceWatch& silence() noexcept { return silence_; }

 private:
  struct Known {
    explicit Known(const LatencyPercentileOptions& options) : answered(options), overtaken(options) {}
    LatencyPercentile answered;
    LatencyPercentile overtaken;  // the ages of those that were
    LongestLatency longest;       // of the answered ones
  };
  const Known& of(AnswerKind kind) const noexcept { return known_[static_cast<std::size_t>(kind)]; }
  Known& of(AnswerKind kind) noexcept { return known_[static_cast<std::size_t>(kind)]; }
  // From which age on an attempt hangs; nullopt: too little is known.
  std::optional<Duration> hanging_age(TimePoint now, AnswerKind kind) const noexcept;
  PatienceEvidence evidence(TimePoint now, AnswerKind kind) const noexcept;

  std::array<Known, kAnswerKinds> known_;
  std::atomic<std::uint32_t> overtaken_in_a_row_{0};
  // When the last of them ended. Attempts that were in flight together say no more than one of them.
  std::atomic<TimePoint> last_overtaken_{TimePoint::min()};
  CompanyBudget company_;
  SilenceWatch silence_;
};

}  // namespace fuseboard
