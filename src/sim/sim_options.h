// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a simulated provider is told at its start.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/validation.h"
#include "sim/fault_script.h"

namespace fuseboard::sim {

struct SimOptions {
  // Decides every text, id and chance. The same seed and the same requests in the same order give the same answers.
  std::uint64_t seed = 1;

  // What goes wrong whatever the model's name; without it only names decide.
  std::optional<FaultScript> faults;

  // When not empty, `authorization: Bearer KEY`, `x-api-key: KEY` or `api-key: KEY` is asked of /v1/* and /mcp.
  std::string require_key;

  // Pause between two tokens of a stream; zero sends them without a pause. 0 to 1 min.
  Duration token_gap = std::chrono::milliseconds(5);

  // The longest answer that a request can ask for, in tokens. 1 to 100 000.
  std::size_t max_answer_tokens = 4096;

  // The longest silence: sim-silent and sim-stall give up then, should the client never leave. 1 ms to 24 h.
  Duration max_silence = std::chrono::minutes(15);

  // Marks every answer with `x-fuseboard-demo: 1`.
  bool demo = false;

  // Read for time-based phases, sim-flap windows and the log's t_ms; waits use the loop's timers.
  const Clock* clock = &SteadyClock::instance();

  // Read for `created` alone.
  const WallClock* wall_clock = &SystemWallClock::instance();

  Problems validate() const;
};

}  // namespace fuseboard::sim
