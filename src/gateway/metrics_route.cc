// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/metrics_route.h"

#include "fuseboard/telemetry/exposition.h"
#include "gateway/metrics_text.h"

namespace fuseboard::gateway {

net::Task<void> metrics(RouteContext& context) {
  return respond(context, 200, telemetry::kExpositionContentType,
                 exposition({.build = context.services.build,
                             .models = context.loop_context.models,
                             .breakers = context.services.breakers,
                             .metrics = context.loop_context.metrics,
                             .now = context.loop_context.clock.now(),
                             .server = context.services.server_counters(),
                             .upkeep = context.services.upkeep()}));
}

}  // namespace fuseboard::gateway
