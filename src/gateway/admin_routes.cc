// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/admin_routes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/access.h"
#include "gateway/admin_json.h"

namespace fuseboard::gateway {

net::Task<void> admin_state(RouteContext& context) {
  if (auto problem =
          admin_problem(context.exchange.peer_address(), context.exchange.head().headers, context.services.access)) {
    return refuse(context, problem->error, std::move(problem->message));
  }
  return respond(context, 200, "application/json",
                 to_body(state_json({.clock = context.loop_context.clock,
                                     .started = context.services.started,
                                     .draining = context.services.draining.load(std::memory_order_relaxed),
                                     .routing = *context.loop_context.routing,
                                     .targets = context.loop_context.targets,
                                     .series = context.loop_context.series,
                                     .failures = context.loop_context.failures,
                                     .server = context.services.server_counters()})));
}

}  // namespace fuseboard::gateway
