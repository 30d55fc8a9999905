// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the gateway says about itself.
#pragma once

#include <string>
#include <string_view>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "gateway/call_metrics.h"
#include "gateway/failures.h"
#include "gateway/model_table.h"
#include "net/http.h"
#include "net/server.h"

namespace fuseboard::gateway {

// What GET /admin/v1/state shows.
struct StateSources {
  const Clock& clock;
  TimePoint started{};
  bool draining = false;
  const BreakerRegistry& breakers;
  const ModelTable& models;
  const CallMetrics& metrics;
  const Failures& failures;
  net::HttpServer::Counters server{};
};
std::string state_json(const StateSources& sources);

}  // namespace fuseboard::gateway
