// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tool guard costs, clock read included: compare with Floor/ClockRead and Floor/FetchAdd of the same run.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "fuseboard/tools/tool_guard.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using benchmark::DoNotOptimize;

constexpr std::size_t kManyTools = 10'000;

// Fast enough that all is admitted.
ToolGuardOptions generous() {
  return {.defaults = {.limit = TokenBucketOptions{.rate = 1e6, .burst = 1e9, .priorities = PriorityOptions{}}}};
}

void admit_and_settle(ToolGuard& guard, const KeyView& tool) {
  auto permit = guard.try_acquire(tool, Priority::critical);
  if (permit) std::move(*permit).settle(ToolOutcome::success);
}

void ByName(benchmark::State& state) {
  static ToolGuard guard(generous());
  const std::string tool = "search";
  for (auto _ : state) admit_and_settle(guard, tool);
}
void ByNameOfMany(benchmark::State& state) {
  static ToolGuard guard(generous());
  std::vector<std::string> tools;
  for (std::size_t i = 0; i < kManyTools; ++i) tools.push_back("tool-" + std::to_string(i));
  // An order that no prefetcher guesses.
  Rng rng(7);
  for (std::size_t i = kManyTools; i > 1; --i) std::swap(tools[i - 1], tools[rng.below(i)]);
  std::size_t next = 0;
  for (auto _ : state) {
    admit_and_settle(guard, tools[next]);
    if (++next == kManyTools) next = 0;
  }
}
void Unlimited(benchmark::State& state) {
  static ToolGuard guard({.defaults = {.limit = std::nullopt}});
  const std::string tool = "search";
  for (auto _ : state) admit_and_settle(guard, tool);
}
void Call(benchmark::State& state) {
  static ToolGuard guard(generous());
  const std::string tool = "search";
  int answer = 0;
  for (auto _ : state) DoNotOptimize(guard.call(tool, [&] { return ++answer; }, Priority::critical).has_value());
}
void CircuitOpen(benchmark::State& state) {
  static ToolGuard guard({.defaults = {.breaker = {.failure_threshold = 1, .open_time = OpenTime::fixed(24h)}}});
  const std::string tool = "down";
  if (auto permit = guard.try_acquire(tool)) std::move(*permit).settle(ToolOutcome::execution_error);
  for (auto _ : state) DoNotOptimize(guard.try_acquire(tool).has_value());
}
void RateLimited(benchmark::State& state) {
  static ToolGuard guard({.defaults = {.limit = TokenBucketOptions{.rate = kMinRate, .burst = 1}}});
  const std::string tool = "busy";
  admit_and_settle(guard, tool);
  for (auto _ : state) DoNotOptimize(guard.try_acquire(tool).has_value());
}

BENCHMARK(ByName)->Name("ToolGuard/ByName")->Threads(1)->Threads(2);
BENCHMARK(ByNameOfMany)->Name("ToolGuard/ByNameOf10000")->Threads(1)->Threads(2);
BENCHMARK(Unlimited)->Name("ToolGuard/Unlimited")->Threads(1)->Threads(2);
BENCHMARK(Call)->Name("ToolGuard/Call");
BENCHMARK(CircuitOpen)->Name("ToolGuard/CircuitOpen");
BENCHMARK(RateLimited)->Name("ToolGuard/RateLimited");

}  // namespace
}  // namespace fuseboard
