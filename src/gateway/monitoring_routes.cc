// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/monitoring_routes.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/escape.h"
#include "fuseboard/telemetry/exposition.h"
#include "gateway/credential_state.h"
#include "gateway/metrics_text.h"

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";

}  // namespace

net::Task<void> healthz(RouteContext& context) { return respond(context, 200, kPlainText, "ok\n"); }

net::Task<void> readyz(RouteContext& context) {
  constexpr std::size_t kMaxNamed = 20;
  if (context.services.draining.load(std::memory_order_relaxed)) return respond(context, 503, kPlainText, "draining\n");
  const TimePoint now = context.loop_context.clock.now();
  const Routing& routing = *context.loop_context.routing;
  std::string parts;
  const std::vector<CredentialState> states = credential_states(now, routing, context.loop_context.targets);
  for (const CredentialState& state : states) {
    for (const std::string& line : parked_texts(state)) parts += line + "\n";
  }
  std::set<std::string_view> closed;
  for (const auto& route : routing.routes()) {
    for (const Target& target : route->plan->targets()) {
      const auto why = why_closed(now, target);
      if (!why) return respond(context, 200, kPlainText, "ready\n" + parts);
      if (closed.size() < kMaxNamed && closed.insert(target.name).second) {
        parts += escape_unprintable(target.name) + ": " + std::string(name(why->reason)) + "\n";
      }
    }
  }
  const bool all_parked =
      std::ranges::all_of(states, &CredentialState::parked) && states.size() == routing.providers().size();
  if (routing.routes().empty() && !all_parked) {
    return respond(context, 200, kPlainText, "ready\n" + parts);
  }
  return respond(context, 503, kPlainText, "no target accepts calls\n" + parts);
}

net::Task<void> metrics(RouteContext& context) {
  return respond(context, 200, telemetry::kExpositionContentType,
                 exposition({.build = context.services.build,
                             .routing = *context.loop_context.routing,
                             .targets = context.loop_context.targets,
                             .series = context.loop_context.series,
                             .execution_stats = context.loop_context.execution_stats,
                             .now = context.loop_context.clock.now(),
                             .server = context.services.server_counters(),
                             .upkeep = context.services.upkeep()}));
}

}  // namespace fuseboard::gateway
