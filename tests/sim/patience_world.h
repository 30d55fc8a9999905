// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A world of callers, a chosen target that may be slow or silent, and a quick one beside it, in virtual time: how the
// defaults of patience do there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"

namespace fuseboard::sim {

// What the chosen target does with an attempt.
struct Manner {
  std::optional<Duration> answers{};  // after so long; nullopt: never
  std::optional<Duration> works{};    // of a stream: the first sign of it, after so long
};
// With one that begins `at` so long after the start.
using Temper = std::function<Manner(Duration at, Rng& rng)>;

struct PatienceWorld {
  std::string name;
  Temper temper;
  bool streaming = true;
  bool alone = false;  // there is no other target
  int callers = 1;     // each calls again a second after its call has ended
  Duration lasts = std::chrono::minutes(40);
  // Calls that begin within these are counted.
  Duration counted_from = Duration::zero();
  Duration counted_to = std::chrono::minutes(40);
  // When the chosen target falls silent, where it does.
  std::optional<Duration> silent_from{};
};

struct PatienceFigures {
  std::uint64_t calls = 0;
  std::uint64_t failed = 0;  // calls without an answer
  double attempts_per_call = 0.0;
  Duration p50 = Duration::zero();  // until the first content or the answer, failed calls included
  Duration p99 = Duration::zero();
  Duration longest = Duration::zero();
  std::uint64_t opened = 0;         // circuits, for whatever cause
  std::uint64_t opened_silent = 0;  // on account of silence
  double chosen = 0.0;              // share of the answers that are the chosen target's
  // From the beginning of the silence until every call that had waited there before the circuit opened has its answer.
  std::optional<Duration> nobody_waits_after{};
};

PatienceFigures live_through(const PatienceWorld& world, std::uint64_t seed = 1);

// A line of the table in docs/performance.md.
std::string to_row(const PatienceWorld& world, const PatienceFigures& figures);

}  // namespace fuseboard::sim
