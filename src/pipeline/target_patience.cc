// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target_patience.h"

#include <algorithm>

namespace fuseboard {
namespace {

constexpr double kPatienceShare = 0.95;

}  // namespace

TargetPatience::TargetPatience(const LatencyPercentileOptions& latencies, const CompanyOptions& company)
    : known_{Known(latencies), Known(latencies)}, company_(company) {}

void TargetPatience::succeeded(AnswerKind kind, Duration latency, TimePoint now) noexcept {
  of(kind).latencies.record(latency, now);
  of(kind).longest.record(latency, now);
}

void TargetPatience::answered(bool content, TimePoint now) noexcept {
  silence_.answered(now);
  // Test before you store: every answer comes here.
  if (content && overtaken_in_a_row_.load(std::memory_order_relaxed) != 0)
    overtaken_in_a_row_.store(0, std::memory_order_relaxed);
}

void TargetPatience::overtaken(AnswerKind kind, Duration age, TimePoint now) noexcept {
  of(kind).latencies.record(age, now);
  overtaken_in_a_row_.fetch_add(1, std::memory_order_relaxed);
}

PatienceEvidence TargetPatience::evidence(AnswerKind kind, TimePoint now) const noexcept {
  return {.p95 = of(kind).latencies.at(kPatienceShare, now, kKnownAfter),
          .overtaken_in_a_row = overtaken_in_a_row_.load(std::memory_order_relaxed)};
}

Duration TargetPatience::patience(const PatienceOptions& options, AnswerKind kind, TimePoint now) const noexcept {
  return patience_of(options, kind, options.fixed ? PatienceEvidence{} : evidence(kind, now));
}

Duration TargetPatience::waited_for_alone(const PatienceOptions& options, AnswerKind kind,
                                          TimePoint now) const noexcept {
  const Duration patient = patience(options, kind, now);
  const auto longest = of(kind).longest.longest(now);
  return longest ? std::min(patient, hangs_after(*longest)) : patient;
}

Duration TargetPatience::silence_needed(const PatienceOptions& options, AnswerKind kind, TimePoint now) const noexcept {
  return silence_before_opening(options, kind, evidence(kind, now));
}

bool TargetPatience::hangs(AnswerKind kind, Duration age, TimePoint now) const noexcept {
  const auto longest = of(kind).longest.longest(now);
  return longest && age >= hangs_after(*longest);
}

}  // namespace fuseboard
