// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A fault file: phases that follow one another, each with what goes wrong while it lasts.
//
//   {"seed": 1, "repeat": true, "phases": [
//     {"for": "40s"},
//     {"for": "10s", "match": {"model": "gpt-*", "path": "/v1/chat/*"},
//      "faults": [{"kind": "status", "status": 503, "rate": 0.9, "retry_after": "2s"}]}]}
//
// docs/simulated-provider.md describes every field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard::sim {

enum class FaultKind : std::uint8_t { kStatus, kLatency, kReset, kSilence, kStall, kStreamCut, kBehaviour };

struct Fault {
  FaultKind kind = FaultKind::kStatus;
  double rate = 1.0;                    // chance per matched request, 0 to 1
  int status = 503;                     // kStatus: 400 to 599
  std::optional<Duration> retry_after;  // kStatus: sent as retry-after and retry-after-ms
  Duration p50{};                       // kLatency: median
  Duration p99{};                       // kLatency: 99th percentile
  std::uint64_t after_tokens = 3;       // kStall, kStreamCut
  std::string behaviour;                // kBehaviour: a name of behaviour.h, with parameter
};

struct Phase {
  std::optional<Duration> lasts;  // set: the phase lasts that long; not set: until `requests` matching ones have come
  std::uint64_t requests = 0;
  std::string model = "*";  // globs; for a call of an MCP tool the model is the tool's name
  std::string path = "*";
  std::vector<Fault> faults;
};

// At most 1000 phases of at most 32 faults, at most 1 MiB of text.
struct FaultScript {
  std::optional<std::uint64_t> seed;  // the provider's own seed when not set
  bool repeat = false;                // after the last phase: from the first again, or no more faults
  std::vector<Phase> phases;

  // Every problem at once, each with the field ("phases[0].faults[1].rate"), its value and what is allowed.
  static std::expected<FaultScript, Problems> parse(std::string_view json);
};

// A gentle schedule for a demo: half a minute of health with a few slow answers and single failures, then ten seconds
// of outage, over and over; a breaker opens and closes again within each minute.
FaultScript demo_faults();

}  // namespace fuseboard::sim
