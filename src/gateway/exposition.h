// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// GET /metrics.
#pragma once

#include <string>

#include "fuseboard/breaker/registry.h"
#include "gateway/call_metrics.h"
#include "gateway/model_table.h"
#include "net/server.h"

namespace fuseboard::gateway {

// Everything the gateway counts, as Prometheus text. Breakers of targets that no configured model names are left to the
// admin API: callers write those names, and labels are bounded [TEL-3].
std::string exposition(const ModelTable& models, const BreakerRegistry& breakers, const CallMetrics& metrics,
                       const net::HttpServer::Counters& server);

}  // namespace fuseboard::gateway
