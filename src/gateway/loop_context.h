// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What one loop's calls share: its clients, its randomness, and the tables of the whole gateway.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "fuseboard/budget/ledger.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/call_observers.h"
#include "fuseboard/pipeline/target_registry.h"
#include "fuseboard/telemetry/call_series.h"
#include "fuseboard/telemetry/execution_stats.h"
#include "gateway/calls_in_flight.h"
#include "gateway/direct_routes.h"
#include "gateway/exchange_context.h"
#include "gateway/failures.h"
#include "gateway/provider_affinity.h"
#include "gateway/provider_clients.h"
#include "gateway/provider_ids.h"
#include "gateway/routing.h"
#include "net/loop.h"
#include "net/thread_pool.h"

namespace fuseboard::gateway {

// Texts above these are read or translated beside the loop, which other callers share: some 1 to 2 ms of work.
inline constexpr std::size_t kMaxReadOnLoop = std::size_t{1} << 20;
inline constexpr std::size_t kMaxTranslatedOnLoop = std::size_t{128} << 10;

// Of one loop's thread.
struct LoopContext {
  net::Loop& loop;
  const Clock& clock;
  const WallClock& wall;
  // What calls begin with from now on. Replaced as a whole; whoever waits holds on to what it began with.
  std::shared_ptr<const Routing> routing;
  DirectRoutes& direct_routes;
  const TargetRegistry& targets;
  const ProviderIds& provider_ids;
  CallObserver& observer;  // of every call that has ended
  const telemetry::CallSeries& series;
  const telemetry::ExecutionStats& execution_stats;
  Failures& failures;
  Rng& rng;
  BudgetLedger& ledger;
  ProviderAffinity& provider_affinity;
  std::shared_ptr<net::BodyMemory> body_memory;  // of every loop
  net::ThreadPool& aside;                        // for what would hold up the loop
  bool demo = false;
  std::string instance{};  // of this gateway, see hops.h
  CallsInFlight calls{};
  ProviderClients clients;

  ExchangeContext for_exchange() noexcept {
    return {.loop = loop, .clock = clock, .rng = rng, .failures = failures, .calls = calls};
  }
};

}  // namespace fuseboard::gateway
