// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which request goes where.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "fuseboard/breaker/registry.h"
#include "gateway/access.h"
#include "gateway/loop_context.h"
#include "gateway/metrics_text.h"
#include "gateway/route_table.h"
#include "net/server.h"

namespace fuseboard::gateway {

// What routes need beyond the context of their loop; shared by all loops, outlives every request.
struct GatewayServices {
  BuildInfo build{};
  TimePoint started{};
  const std::atomic<bool>& draining;
  std::function<net::HttpServer::Counters()> server_counters;
  std::function<UpkeepCounts()> upkeep;
  AccessRules access{};
  std::size_t max_body = 0;  // bytes of a request's body, decoded
};

// What is where. Below /v1/ there is more: what names a model is relayed.
const RouteTable& route_table();

// Answers one request. Never throws on account of the request.
net::Task<void> handle(LoopContext& loop_context, const GatewayServices& services, net::ServerExchange& exchange);

}  // namespace fuseboard::gateway
