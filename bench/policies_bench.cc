// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the policies without a program of their own cost: retry, budget, cache, route. Time is given wherever a policy
// takes it, so that the clock is not in the figures.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

#include "fuseboard/budget/ledger.h"
#include "fuseboard/cache/memory_store.h"
#include "fuseboard/cache/response_cache.h"
#include "fuseboard/cache/single_flight.h"
#include "fuseboard/core/check.h"
#include "fuseboard/retry/backoff.h"
#include "fuseboard/retry/retry_budget.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/latency.h"
#include "fuseboard/route/latency_percentile.h"
#include "fuseboard/route/order.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using benchmark::DoNotOptimize;

const TimePoint kNow = TimePoint(1h);

void RetryBudgetCall(benchmark::State& state) {
  static RetryBudget budget;
  for (auto _ : state) budget.count_call(kNow);
}

void RetryBudgetRetry(benchmark::State& state) {
  static RetryBudget budget({.ratio = 1.0, .min_per_second = 1'000'000});
  TimePoint now = kNow;
  for (auto _ : state) DoNotOptimize(budget.try_retry(now += 1us));
}

void NextDelay(benchmark::State& state) {
  Rng rng(1);
  const RetryOptions options;
  for (auto _ : state) DoNotOptimize(next_delay(options, 3, 1s, {}, rng));
}

BudgetOptions caps(BudgetPeriod period) {
  BudgetOptions options;
  options.global = {.tokens = 1ULL << 60, .usd = *Money::parse("1000000000.00"), .period = period};
  options.keys = {{.key = "agent", .caps = options.global}};
  options.session = options.global;
  return options;
}

// Three levels, a price, reserve and settle.
void Budget(benchmark::State& state, BudgetPeriod period) {
  static BudgetLedger total(caps(BudgetPeriod::total));
  static BudgetLedger daily(caps(BudgetPeriod::daily));
  BudgetLedger& ledger = period == BudgetPeriod::total ? total : daily;
  const BudgetEstimate estimate{.usage = {.input = 500, .output = 500},
                                .price = ModelPrice{.input = *Money::parse("3.00"), .output = *Money::parse("15.00")}};
  for (auto _ : state) {
    auto reserved = ledger.reserve({.key = "agent", .session = "one"}, estimate);
    check_invariant(reserved.has_value(), "the caps are far away");
    reserved->mark_sent();
    DoNotOptimize(std::move(*reserved).settle({.input = 400, .output = 100}));
  }
}

struct Stored {
  Stored() {
    for (std::size_t i = 0; i < 1000; ++i) {
      CacheKey key;
      key.bytes = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8U)};
      cache.store(key, std::make_shared<const CachedResponse>(CachedResponse{.content = std::string(900, 'x')}), 24h);
      wanted = key;
    }
  }
  ResponseCache cache{std::make_shared<MemoryCacheStore>()};
  CacheKey wanted;
};

void CacheHit(benchmark::State& state) {
  static Stored stored;
  for (auto _ : state) DoNotOptimize(stored.cache.lookup(stored.wanted).has_value());
}

void SingleFlightAlone(benchmark::State& state) {
  static SingleFlight flights;
  const auto response = std::make_shared<const CachedResponse>();
  CacheKey key;
  key.bytes[0] = static_cast<std::uint8_t>(state.thread_index());
  for (auto _ : state) {
    auto joined = flights.join(key, {});
    std::move(*joined.flight).succeed(response);
  }
}

void CredentialPassed(benchmark::State& state) {
  static CredentialGate gate("credential");
  for (auto _ : state) {
    auto pass = gate.try_pass(kNow);
    std::move(*pass).settle(kNow, Outcome::success());
  }
}

void LatencyObserved(benchmark::State& state) {
  static LatencyEstimate estimate;
  TimePoint now = kNow;
  for (auto _ : state) {
    LatencySpan span = estimate.begin();
    std::move(span).settle(now += 1ms, Outcome::success(100ms));
  }
}

void PercentileRecorded(benchmark::State& state) {
  static LatencyPercentile percentile;
  for (auto _ : state) percentile.record(kNow, 100ms);
}

void Order(benchmark::State& state, Strategy strategy) {
  std::array<LatencyEstimate, 4> latencies;
  std::array<RouteCandidate, 4> candidates;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    latencies[i].observe(kNow, Outcome::success(Duration(100ms) * static_cast<int>(i + 1)));
    candidates[i] = {.weight = static_cast<double>(i + 1), .latency = &latencies[i]};
  }
  Rng rng(1);
  for (auto _ : state) DoNotOptimize(choose_order(kNow, strategy, candidates, rng));
}

BENCHMARK(RetryBudgetCall)->Name("Retry/BudgetCall")->Threads(1)->Threads(2);
BENCHMARK(RetryBudgetRetry)->Name("Retry/BudgetRetry")->Threads(1)->Threads(2);
BENCHMARK(NextDelay)->Name("Retry/NextDelay");
BENCHMARK_CAPTURE(Budget, total, BudgetPeriod::total)->Name("Budget/ReserveSettle/total")->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(Budget, daily, BudgetPeriod::daily)->Name("Budget/ReserveSettle/daily")->Threads(1);
BENCHMARK(CacheHit)->Name("Cache/Hit")->Threads(1)->Threads(2);
BENCHMARK(SingleFlightAlone)->Name("Cache/FlightAlone")->Threads(1)->Threads(2);
BENCHMARK(CredentialPassed)->Name("Route/CredentialPass")->Threads(1)->Threads(2);
BENCHMARK(LatencyObserved)->Name("Route/LatencySpan")->Threads(1)->Threads(2);
BENCHMARK(PercentileRecorded)->Name("Route/PercentileRecord")->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(Order, weighted, Strategy::weighted)->Name("Route/Order4/weighted");
BENCHMARK_CAPTURE(Order, least_latency, Strategy::least_latency)->Name("Route/Order4/least_latency");

}  // namespace
}  // namespace fuseboard
