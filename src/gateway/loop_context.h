// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What one loop's calls share: its clients, its randomness, and the tables of the whole gateway.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fuseboard/budget/ledger.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "gateway/call_metrics.h"
#include "gateway/failures.h"
#include "gateway/model_table.h"
#include "gateway/provider_affinity.h"
#include "gateway/running_calls.h"
#include "net/client.h"
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
  ModelTable& models;
  CallMetrics& metrics;
  Failures& failures;
  Rng& rng;
  BudgetLedger& ledger;
  ProviderAffinity& provider_affinity;
  std::shared_ptr<net::BodyMemory> body_memory;  // of every loop
  net::ThreadPool& aside;                        // for what would hold up the loop
  bool demo = false;
  std::string instance{};  // of this gateway, see hops.h
  RunningCalls calls{};
  // One for each of models.providers(): authorities to trust differ by provider.
  std::vector<std::unique_ptr<net::HttpClient>> clients;
};

}  // namespace fuseboard::gateway
