// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/patience.h"

#include <algorithm>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// While nothing is known of a target.
constexpr Duration first_patience(AnswerKind kind) noexcept {
  return kind == AnswerKind::stream ? seconds(10) : seconds(30);
}
constexpr Duration kMaxPatienceOfProbe = minutes(2);
constexpr Duration kMinHang = seconds(30);
constexpr double kHangFactor = 3.0;

// Before any doubling.
Duration unhurried(AnswerKind kind, const PatienceEvidence& evidence) noexcept {
  Duration patience = first_patience(kind);
  if (evidence.p95) {
    patience = saturating_scale(*evidence.p95, 2.0);
  } else if (evidence.p95_of_waits) {
    patience = *evidence.p95_of_waits;
  }
  return std::clamp(patience, kMinPatience, kMaxPatience);
}

}  // namespace

Problems PatienceOptions::validate() const {
  Validator validator;
  if (fixed) validator.in_range("fixed", *fixed, milliseconds(1), hours(1));
  return std::move(validator).take();
}

Duration patience_of(const PatienceOptions& options, AnswerKind kind, const PatienceEvidence& evidence) noexcept {
  if (options.fixed) return *options.fixed;
  Duration patience = unhurried(kind, evidence);
  for (std::uint32_t pairs = evidence.overtaken_in_a_row / 2; pairs > 0 && patience < kMaxPatience; --pairs)
    patience = std::min(saturating_scale(patience, 2.0), kMaxPatience);
  return patience;
}

Duration patience_of_probe(const PatienceOptions& options, AnswerKind kind, const PatienceEvidence& evidence) noexcept {
  const Duration patience = patience_of(options, kind, evidence);
  if (options.fixed) return patience;
  return std::min(patience, std::max(unhurried(kind, evidence), kMaxPatienceOfProbe));
}

Duration hangs_after(Duration longest) noexcept { return std::max(saturating_scale(longest, kHangFactor), kMinHang); }

Duration slow_failure_after(Duration patience) noexcept { return std::min(patience, kMinPatience); }

}  // namespace fuseboard
