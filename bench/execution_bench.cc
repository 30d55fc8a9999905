// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a whole call costs in the decision engine: deadline, breaker, limits, budget, retry budget, record, explanation.
// The driver's clock reads are part of it: three for a call of one attempt.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/core/check.h"
#include "fuseboard/pipeline/pipeline.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using benchmark::DoNotOptimize;

// A plan of one target under every policy that a provider's target usually has.
struct Calls {
  explicit Calls(bool open) : ledger({.global = {.usd = *Money::parse("1000000.00"), .rounds = 1ULL << 60}}) {
    std::vector<Target> targets;
    for (const char* name : {"a"}) {
      targets.push_back(
          {.name = name,
           .state = std::make_shared<TargetState>(
               BreakerScopes{breakers.handle(name)},
               TargetStateOptions{
                   .limits = {.requests_per_minute = 6e10, .tokens_per_minute = 6e10, .concurrency = 1000}},
               name),
           .price = ModelPrice{.input = *Money::parse("0.01"), .output = *Money::parse("0.01")}});
      while (open && !breakers.peek_rejection(name))
        breakers.report(name, Outcome::failed(Failure::of(Category::network)));
    }
    plan =
        std::make_shared<const Plan>("bench", std::move(targets), PlanOptions{.max_recovery_wait = Duration::zero()});
  }

  CallOptions options() {
    return {
        .deadline = Deadline::after(clock.now(), 30s), .estimate = {.input = 100, .output = 100}, .ledger = &ledger};
  }

  const Clock& clock = SteadyClock::instance();
  Rng rng{1};
  BreakerRegistry breakers{provider_preset()};
  BudgetLedger ledger;
  std::shared_ptr<const Plan> plan;
};

void Success(benchmark::State& state) {
  Calls calls(false);
  for (auto _ : state) {
    const TimePoint begin = calls.clock.now();
    Execution execution(begin, calls.plan, calls.options(), calls.rng);
    const Step step = execution.next(begin);
    execution.report(calls.clock.now(), std::get<Attempt>(step).number,
                     {.answered = true, .usage = TokenUsage{.input = 90, .output = 30}});
    const Step end = execution.next(calls.clock.now());
    check_invariant(std::get<Finished>(end).ending == Ending::success, "the call succeeds");
    DoNotOptimize(execution.record());
  }
}

void Refused(benchmark::State& state) {
  Calls calls(true);
  for (auto _ : state) {
    const TimePoint begin = calls.clock.now();
    Execution execution(begin, calls.plan, calls.options(), calls.rng);
    const Step end = execution.next(begin);
    check_invariant(std::get<Finished>(end).ending == Ending::circuit_open, "the call is refused");
    DoNotOptimize(execution.record());
  }
}

// With the pipeline's explanation of every call.
void SuccessExplained(benchmark::State& state) {
  Calls calls(false);
  Pipeline pipeline(calls.plan);
  for (auto _ : state) {
    const TimePoint begin = calls.clock.now();
    Execution execution(begin, pipeline.plan(), calls.options(), calls.rng, {}, &pipeline.observer());
    const Step step = execution.next(begin);
    execution.report(calls.clock.now(), std::get<Attempt>(step).number,
                     {.answered = true, .usage = TokenUsage{.input = 90, .output = 30}});
    DoNotOptimize(execution.next(calls.clock.now()));
  }
}

// The blocking driver, record copied out and all.
void Run(benchmark::State& state) {
  Calls calls(false);
  static ThreadWaiter waiter;
  for (auto _ : state) {
    auto result = run(calls.plan, [](const Attempt&) -> std::expected<int, Failure> { return 1; }, calls.options(),
                      {.clock = calls.clock, .rng = calls.rng, .waiter = waiter});
    DoNotOptimize(result.value.has_value());
  }
}

BENCHMARK(Success)->Name("Execution/Success");
BENCHMARK(Refused)->Name("Execution/Refused");
BENCHMARK(SuccessExplained)->Name("Execution/SuccessExplained");
BENCHMARK(Run)->Name("Execution/BlockingRun");

void ClockRead(benchmark::State& state) {
  for (auto _ : state) DoNotOptimize(SteadyClock::instance().now());
}
BENCHMARK(ClockRead)->Name("Floor/ClockRead");

}  // namespace
}  // namespace fuseboard
