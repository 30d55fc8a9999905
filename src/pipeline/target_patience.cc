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
  of(kind).answered.record(latency, now);
  of(kind).longest.record(latency, now);
}

void TargetPatience::answered(bool content, TimePoint now) noexcept {
  silence_.answered(now);
  // Test before you store: every answer comes here.
  if (content && overtaken_in_a_row_.load(std::memory_order_relaxed) != 0)
    overtaken_in_a_row_.store(0, std::memory_order_relaxed);
}

void TargetPatience::overtaken(AnswerKind kind, TimePoint began, TimePoint now) noexcept {
  of(kind).overtaken.record(elapsed(began, now), now);
  TimePoint last = last_overtaken_.load(std::memory_order_relaxed);
  if (began < last) return;
  if (last_overtaken_.compare_exchange_strong(last, now, std::memory_order_relaxed))
    overtaken_in_a_row_.fetch_add(1, std::memory_order_relaxed);
}

PatienceEvidence TargetPatience::evidence(AnswerKind kind, TimePoint now) const noexcept {
  const Known& known = of(kind);
  PatienceEvidence evidence{.p95 = known.answered.at(kPatienceShare, now, kKnownAfter),
                            .overtaken_in_a_row = overtaken_in_a_row_.load(std::memory_order_relaxed)};
  if (!evidence.p95) evidence.p95_of_waits = known.answered.at(kPatienceShare, now, kKnownAfter, &known.overtaken);
  return evidence;
}

Duration TargetPatience::patience(const PatienceOptions& options, AnswerKind kind, TimePoint now) const noexcept {
  return patience_of(options, kind, options.fixed ? PatienceEvidence{} : evidence(kind, now));
}

Duration TargetPatience::waited_for_alone(const PatienceOptions& options, AnswerKind kind, bool probe,
                                          TimePoint now) const noexcept {
  const PatienceEvidence known = options.fixed ? PatienceEvidence{} : evidence(kind, now);
  const Duration patience = probe ? patience_of_probe(options, kind, known) : patience_of(options, kind, known);
  if (options.fixed && !of(kind).longest.longest(now)) return patience;
  return std::min(patience, hanging_age(kind, now).value_or(patience));
}

Duration TargetPatience::silence_needed(AnswerKind kind, TimePoint now) const noexcept {
  return silence_before_opening(kind, of(kind).longest.longest(now, kKnownAfter));
}

bool TargetPatience::hangs(AnswerKind kind, Duration age, TimePoint now) const noexcept {
  const auto hanging = hanging_age(kind, now);
  return hanging && age >= *hanging;
}

std::optional<Duration> TargetPatience::hanging_age(AnswerKind kind, TimePoint now) const noexcept {
  const LongestLatency& known = of(kind).longest;
  if (const auto longest = known.longest(now)) return hangs_after(*longest);
  // A target may answer one kind and no call of the other: it is not silent then, but nobody has been answered.
  if (!known.longest(now, 1)) return silence_before_opening(kind, std::nullopt);
  return std::nullopt;
}

}  // namespace fuseboard
