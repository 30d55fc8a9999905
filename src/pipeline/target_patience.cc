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

void TargetPatience::succeeded(TimePoint now, AnswerKind kind, Duration latency) noexcept {
  of(kind).answered.record(now, latency);
  of(kind).longest.record(now, latency);
}

void TargetPatience::answered(TimePoint now, bool content) noexcept {
  silence_.answered(now);
  // Test before you store: every answer comes here.
  if (content && overtaken_in_a_row_.load(std::memory_order_relaxed) != 0)
    overtaken_in_a_row_.store(0, std::memory_order_relaxed);
}

void TargetPatience::overtaken(TimePoint now, AnswerKind kind, TimePoint began) noexcept {
  of(kind).overtaken.record(now, elapsed(began, now));
  TimePoint last = last_overtaken_.load(std::memory_order_relaxed);
  if (began < last) return;
  if (last_overtaken_.compare_exchange_strong(last, now, std::memory_order_relaxed))
    overtaken_in_a_row_.fetch_add(1, std::memory_order_relaxed);
}

PatienceEvidence TargetPatience::evidence(TimePoint now, AnswerKind kind) const noexcept {
  const Known& known = of(kind);
  PatienceEvidence evidence{.p95 = known.answered.at(now, kPatienceShare, kKnownAfter),
                            .overtaken_in_a_row = overtaken_in_a_row_.load(std::memory_order_relaxed)};
  if (!evidence.p95) evidence.p95_of_waits = known.answered.at(now, kPatienceShare, kKnownAfter, &known.overtaken);
  return evidence;
}

Duration TargetPatience::patience(TimePoint now, const PatienceOptions& options, AnswerKind kind) const noexcept {
  return patience_of(options, kind, options.fixed ? PatienceEvidence{} : evidence(now, kind));
}

Duration TargetPatience::waited_for_alone(TimePoint now, const PatienceOptions& options, AnswerKind kind,
                                          bool probe) const noexcept {
  const PatienceEvidence known = options.fixed ? PatienceEvidence{} : evidence(now, kind);
  const Duration patience = probe ? patience_of_probe(options, kind, known) : patience_of(options, kind, known);
  if (options.fixed && !of(kind).longest.longest(now)) return patience;
  return std::min(patience, hanging_age(now, kind).value_or(patience));
}

Duration TargetPatience::silence_needed(TimePoint now, AnswerKind kind) const noexcept {
  return silence_before_opening(kind, of(kind).longest.longest(now, kKnownAfter));
}

bool TargetPatience::hangs(TimePoint now, AnswerKind kind, Duration age) const noexcept {
  const auto hanging = hanging_age(now, kind);
  return hanging && age >= *hanging;
}

std::optional<Duration> TargetPatience::hanging_age(TimePoint now, AnswerKind kind) const noexcept {
  const LongestLatency& known = of(kind).longest;
  if (const auto longest = known.longest(now)) return hangs_after(*longest);
  // A target may answer one kind and no call of the other: it is not silent then, but nobody has been answered.
  if (!known.longest(now, 1)) return silence_before_opening(kind, std::nullopt);
  return std::nullopt;
}

}  // namespace fuseboard
