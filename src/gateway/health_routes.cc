// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/health_routes.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/escape.h"
#include "gateway/cause.h"
#include "gateway/credential_state.h"

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
    for (const std::string& line : resting_texts(state)) parts += line + "\n";
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
  const bool all_rest =
      std::ranges::all_of(states, &CredentialState::parked) && states.size() == routing.providers().size();
  if (routing.routes().empty() && !all_rest) {
    return respond(context, 200, kPlainText, "ready\n" + parts);
  }
  return respond(context, 503, kPlainText, "no target is admitted\n" + parts);
}

}  // namespace fuseboard::gateway
