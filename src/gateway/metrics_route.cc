// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/metrics_route.h"

#include "fuseboard/telemetry/exposition.h"
#include "gateway/metrics_text.h"

namespace fuseboard::gateway {

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
