// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// GET /metrics.
#pragma once

#include <string>

#include "fuseboard/breaker/registry.h"
#include "gateway/call_metrics.h"
#include "net/server.h"

namespace fuseboard::gateway {

// Everything the gateway counts, as Prometheus text.
std::string exposition(const BreakerRegistry& breakers, const CallMetrics& metrics,
                       const net::HttpServer::Counters& server);

}  // namespace fuseboard::gateway
