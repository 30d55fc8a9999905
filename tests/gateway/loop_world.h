// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What calls on a loop share, of a gateway for which nothing is configured unless it is given.
#pragma once

#include <memory>

#include "gateway/loop_context.h"
#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {

struct LoopWorld {
  LoopWorld(net::Loop& loop, net::ThreadPool& aside, const Clock& clock, Rng& rng, const config::Config& config = {})
      : routing(config, clock),
        failures(routing.routing->targets(), clock, {}),
        context{.loop = loop,
                .clock = clock,
                .wall = SystemWallClock::instance(),
                .routing = routing.routing,
                .direct_routes = routing.direct,
                .targets = routing.targets,
                .provider_ids = routing.ids,
                .observer = observers,
                .series = series,
                .execution_stats = execution_stats,
                .failures = failures,
                .rng = rng,
                .ledger = ledger,
                .provider_affinity = provider_affinity,
                .body_memory = std::make_shared<net::BodyMemory>(std::size_t{1} << 20),
                .aside = aside,
                .clients = ProviderClients(loop, std::make_shared<net::Resolver>())} {}

  TestRouting routing;
  telemetry::CallSeries series;
  telemetry::ExecutionStats execution_stats;
  CallObservers observers;
  Failures failures;
  BudgetLedger ledger{BudgetOptions{}};
  ProviderAffinity provider_affinity;
  LoopContext context;
};

}  // namespace fuseboard::gateway
