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
inline constexpr Duration kMinPatience = std::chrono::seconds(10);
inline constexpr Duration kMaxPatience = std::chrono::minutes(5);
inline constexpr std::uint32_t kKnownAfter = 5;  // latencies of a kind after which they are known

// How long an attempt is waited for alone.
struct PatienceOptions {
  bool enabled = true;              // false: attempts get no company
  std::optional<Duration> fixed{};  // in place of what the target's latencies say; 1 ms to 1 h

  Problems validate() const;
  friend bool operator==(const PatienceOptions&, const PatienceOptions&) noexcept = default;
};

// What is known of one target at the moment, of one kind. Each is nullopt until kKnownAfter are known.
struct PatienceEvidence {
  std::optional<Duration> p95{};           // of its answers' latencies
  std::optional<Duration> p95_of_waits{};  // of those and of the ages at which attempts were overtaken
  std::uint32_t overtaken_in_a_row = 0;    // attempts, one after the other, since it answered one
};

// Twice the p95 of its latencies; while too few answers are known the p95 of its waits; while too few of those are, 10
// s for a stream and 30 s for a plain call. Within kMinPatience and kMaxPatience. Two overtaken attempts in a row
// double it, to kMaxPatience at most: a target that always takes longer than its company is given the time to answer.
//
// The age of an overtaken attempt follows from the patience itself. Were it counted twice, or beside answers that are
// known, patience would run away where a target hangs now and then.
Duration patience_of(const PatienceOptions& options, AnswerKind kind, const PatienceEvidence& evidence) noexcept;

// That of a probe: where nothing is left to compare with, its caller does not wait for longer than 2 min.
Duration patience_of_probe(const PatienceOptions& options, AnswerKind kind, const PatienceEvidence& evidence) noexcept;

// The age at which an attempt hangs: three times the longest recent latency, at least 30 s.
Duration hangs_after(Duration longest) noexcept;

// A failure that took longer than this is not retried on its target while another is left [RTY-12].
Duration slow_failure_after(Duration patience) noexcept;

}  // namespace fuseboard
