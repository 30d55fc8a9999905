// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The admin API: who may ask, and what the gateway says about itself.
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

// Whether a request was meant for a gateway on this machine: a loopback name in Host, and no foreign Origin. Where
// callers need no key this is asked of every request, or any page in a browser here could spend the providers' keys, by
// DNS rebinding or by a form.
bool is_local_request(const net::Headers& headers);

// Whether an admin request is let in: from loopback alone, and, because a page in a browser on this machine is "from
// loopback" too, only under a loopback name in Host and without a foreign Origin. The views are of one request.
bool may_administrate(std::string_view peer_address, const net::Headers& headers);

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
