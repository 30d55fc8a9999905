// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where a fault script stands, and what it does to each request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuseboard/core/time.h"
#include "sim/fault_script.h"
#include "sim/planned_fault.h"

namespace fuseboard::sim {

// Not thread-safe. What is planned for a request depends on the seed, the phase and the request's ordinal; the time
// decides nothing but which time-based phase it is.
class ScriptPlayer {
 public:
  // The first phase begins at `now`. `seed` serves a script that has none.
  ScriptPlayer(TimePoint now, FaultScript script, std::uint64_t seed);

  struct Request {
    std::uint64_t ordinal = 0;
    std::string_view model;
    std::string_view path;
  };
  // Changes `planned`, which the model's name gave, where the script has something to say; latencies are added to what
  // the name asks for, everything else takes its place.
  void apply(TimePoint now, const Request& request, PlannedFault& planned);

 private:
  void advance(TimePoint now);
  void next_phase(TimePoint at);
  bool over() const { return index_ >= script_.phases.size(); }

  FaultScript script_;
  std::uint64_t seed_;
  Duration round_{};  // the length of all phases, when all are time-based; zero otherwise
  std::size_t index_ = 0;
  TimePoint phase_began_;
  std::uint64_t taken_ = 0;  // matching requests of this phase
};

// The latency that a uniform draw stands for, under a log-normal distribution with this median and 99th percentile.
// Never more than ten times the latter.
Duration sample_latency(Duration p50, Duration p99, double first_uniform, double second_uniform);

}  // namespace fuseboard::sim
