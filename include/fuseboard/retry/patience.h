// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long an attempt that has shown nothing is waited for alone [RTY-11, RTY-14]: pure decisions, no clock, no state.
//
// A slow answer is no failure. An attempt that stays silent for its patience gets company: another target is asked too,
// and the first answer wins. Patience follows what the target itself takes, so that a slow model is given its time.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// A stream's latency is the time to its first content or sign of work, a plain call's the time to its whole answer:
// they are learned apart.
enum class AnswerKind : std::uint8_t { plain, stream };
inline constexpr std::size_t kAnswerKinds = 2;

// What a patience is made of.
inline constexpr Duration kLeastPatience = std::chrono::seconds(10);
inline constexpr Duration kMostPatience = std::chrono::minutes(5);
inline constexpr std::uint32_t kKnownAfter = 5;  // latencies of a kind after which they are known

// How long an attempt is waited for alone.
struct PatienceOptions {
  bool enabled = true;              // false: attempts get no company
  std::optional<Duration> fixed{};  // in place of what the target's latencies say; 1 ms to 1 h

  Problems validate() const;
  friend bool operator==(const PatienceOptions&, const PatienceOptions&) noexcept = default;
};

// What is known of one target at the moment.
struct PatienceEvidence {
  std::optional<Duration> p95{};         // of its latencies of that kind; nullopt until kKnownAfter are known
  std::uint32_t overtaken_in_a_row = 0;  // attempts since it answered one
};

// Twice the p95, within kLeastPatience and kMostPatience; until that is known 10 s for a stream and 30 s for a plain
// call. Two overtaken attempts in a row double it, to kMostPatience at most: a target that always takes longer than its
// company is given the time to answer.
Duration patience_of(const PatienceOptions& options, AnswerKind kind, const PatienceEvidence& evidence) noexcept;

// How long a target must have answered nothing before its silence opens its circuit: the patience, but until the
// latencies of that kind are known at least 30 s for a stream and 2 min for a plain call.
Duration silence_before_opening(const PatienceOptions& options, AnswerKind kind,
                                const PatienceEvidence& evidence) noexcept;

// The age at which an attempt hangs: three times the longest latency of late, at least 30 s.
Duration hangs_after(Duration longest) noexcept;

// A failure that took longer than this is not retried on its target while another is left [RTY-12].
Duration slow_failure_after(Duration patience) noexcept;

}  // namespace fuseboard
