// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// GET /metrics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fuseboard/pipeline/target_registry.h"
#include "fuseboard/telemetry/call_series.h"
#include "fuseboard/telemetry/execution_stats.h"
#include "gateway/routing.h"
#include "net/body_memory.h"
#include "net/pauses.h"
#include "net/server.h"

namespace fuseboard::gateway {

// What is counted of the process itself.
struct UpkeepCounts {
  std::uint64_t log_dropped = 0;  // lines of the log
  net::BodyMemory::Counters bodies{};
  net::Pauses::Counts pauses{};  // of all loops
};

// What is running.
struct BuildInfo {
  std::string_view version = "unknown";
  std::string_view commit = "unknown";
  std::string_view compiler = "unknown";
};

struct ExpositionSources {
  const BuildInfo& build;
  const Routing& routing;
  const TargetRegistry& targets;
  const telemetry::CallSeries& series;
  const telemetry::ExecutionStats& execution_stats;
  TimePoint now{};
  net::HttpServer::Counters server{};
  UpkeepCounts upkeep{};
};

// Everything that the gateway counts, and what the system says of its process, in Prometheus' text format. Breakers of
// configured targets alone: others are named by callers [TEL-3].
std::string exposition(const ExpositionSources& from);

}  // namespace fuseboard::gateway
