// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// GET /metrics.
#pragma once

#include <string>
#include <string_view>

#include "fuseboard/breaker/registry.h"
#include "gateway/call_metrics.h"
#include "gateway/model_table.h"
#include "net/server.h"

namespace fuseboard::gateway {

// What is running.
struct BuildInfo {
  std::string_view version = "unknown";
  std::string_view commit = "unknown";
  std::string_view compiler = "unknown";
};

struct ExpositionSources {
  const BuildInfo& build;
  const ModelTable& models;
  const BreakerRegistry& breakers;
  const CallMetrics& metrics;
  net::HttpServer::Counters server{};
};

// Everything that the gateway counts, and what the system says of its process, in Prometheus' text format. Breakers of
// configured targets alone: others are named by callers [TEL-3].
std::string exposition(const ExpositionSources& from);

}  // namespace fuseboard::gateway
