// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a breaker costs, beside the floors it is measured against: read the figures as ratios of one run.
#include <absl/container/flat_hash_map.h>
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "fuseboard/breaker/registry.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using benchmark::DoNotOptimize;

constexpr std::size_t kManyKeys = 10'000;

// Floors. Each stands on cache lines of its own.

struct alignas(128) Shared {
  std::atomic<std::uint64_t> value{0};
  std::mutex mutex;
  std::shared_mutex shared_mutex;
};
Shared& shared() {
  static Shared instance;
  return instance;
}

void AtomicLoad(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) DoNotOptimize(it.value.load(std::memory_order_acquire));
}
void FetchAdd(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) DoNotOptimize(it.value.fetch_add(1, std::memory_order_relaxed));
}
void MutexLockUnlock(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) {
    const std::lock_guard lock(it.mutex);
    benchmark::ClobberMemory();
  }
}
void SharedMutexRead(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) {
    const std::shared_lock lock(it.shared_mutex);
    benchmark::ClobberMemory();
  }
}
void ClockRead(benchmark::State& state) {
  const Clock& clock = SteadyClock::instance();
  for (auto _ : state) DoNotOptimize(clock.now());
}

// Keys in an order that no prefetcher guesses, the same in every benchmark.
std::vector<std::string> shuffled_keys(std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back("tool-" + std::to_string(i));
  Rng rng(7);
  for (std::size_t i = count; i > 1; --i) std::swap(keys[i - 1], keys[rng.below(i)]);
  return keys;
}

template <typename Map>
void MapLookup(benchmark::State& state) {
  const std::vector<std::string> keys = shuffled_keys(static_cast<std::size_t>(state.range(0)));
  Map map;
  for (const std::string& key : keys) map.emplace(key, map.size());
  std::size_t i = 0;
  for (auto _ : state) {
    DoNotOptimize(map.find(keys[i])->second);
    if (++i == keys.size()) i = 0;
  }
}

// Breakers. One registry an arrangement, shared by all threads of all runs.

struct Arrangement {
  explicit Arrangement(std::size_t count) : keys(shuffled_keys(count)) {
    for (const std::string& key : keys) handles.push_back(registry.handle(key));
  }
  std::vector<std::string> keys;
  BreakerRegistry registry{provider_preset()};
  std::vector<BreakerHandle> handles;
};
Arrangement& arrangement(std::size_t count) {
  static Arrangement one(1);
  static Arrangement many(kManyKeys);
  return count == 1 ? one : many;
}

void admit_and_settle(std::expected<BreakerPermit, Rejection> permit) {
  if (permit) std::move(*permit).settle(Outcome::success());
}

void AdmitSettleByHandle(benchmark::State& state) {
  const BreakerHandle handle = arrangement(1).handles.front();
  for (auto _ : state) admit_and_settle(handle.try_acquire());
}
void AdmitSettleByName(benchmark::State& state) {
  Arrangement& it = arrangement(static_cast<std::size_t>(state.range(0)));
  // Threads start apart, so that they do not warm the same lines for one another.
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * it.keys.size() / 2;
  for (auto _ : state) {
    admit_and_settle(it.registry.try_acquire(it.keys[i]));
    if (++i == it.keys.size()) i = 0;
  }
}
void Denied(benchmark::State& state) {
  static BreakerRegistry registry(BreakerOptions{.failure_threshold = 1, .open_time = OpenTime::fixed(24h)});
  const BreakerHandle handle = registry.handle("down");
  if (state.thread_index() == 0) handle.report(Outcome::failed(Failure::of(Category::timeout)));
  for (auto _ : state) DoNotOptimize(handle.try_acquire().has_value());
}
void Look(benchmark::State& state) {
  const BreakerHandle handle = arrangement(1).handles.front();
  for (auto _ : state) DoNotOptimize(handle.peek_rejection().has_value());
}
void TimeWindowAdmitSettle(benchmark::State& state) {
  static CircuitBreaker breaker({.failure_rate = 0.5, .window = CallWindow::last(60s)});
  for (auto _ : state) admit_and_settle(breaker.try_acquire());
}
// The window that a failure rate alone brings, under its goal's name.
void WindowAdmitSettle(benchmark::State& state) {
  static CircuitBreaker breaker({.failure_rate = 0.5});
  for (auto _ : state) admit_and_settle(breaker.try_acquire());
}
void AdmitSettleTracked(benchmark::State& state) {
  static CircuitBreaker breaker({.stuck_call_age = 10min});
  for (auto _ : state) admit_and_settle(breaker.try_acquire());
}
void FailThenSucceed(benchmark::State& state) {
  static CircuitBreaker breaker(provider_preset());
  for (auto _ : state) {
    auto first = breaker.try_acquire();
    auto second = breaker.try_acquire();
    std::move(*first).settle(Outcome::failed(Failure::of(Category::timeout)));
    std::move(*second).settle(Outcome::success());
  }
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}
void MemoryOfManyKeys(benchmark::State& state) {
  const std::vector<std::string> keys = shuffled_keys(kManyKeys);
  for (auto _ : state) {
    const std::size_t before = resident_bytes();
    BreakerRegistry registry(provider_preset());
    for (const std::string& key : keys) admit_and_settle(registry.try_acquire(key));
    state.counters["KiB"] = static_cast<double>(resident_bytes() - before) / 1024.0;
  }
}

// First, while no other benchmark has left freed pages to reuse.
BENCHMARK(MemoryOfManyKeys)->Name("Breaker/MemoryOf10000Keys")->Iterations(1);

BENCHMARK(AtomicLoad)->Name("Floor/AtomicLoad");
BENCHMARK(FetchAdd)->Name("Floor/FetchAdd")->Threads(1)->Threads(2);
BENCHMARK(MutexLockUnlock)->Name("Floor/Mutex")->Threads(1)->Threads(2);
BENCHMARK(SharedMutexRead)->Name("Floor/SharedMutexRead")->Threads(1)->Threads(2);
BENCHMARK(ClockRead)->Name("Floor/ClockRead");
BENCHMARK(MapLookup<absl::flat_hash_map<std::string, std::size_t>>)->Name("Floor/AbslMap")->Arg(1)->Arg(kManyKeys);
BENCHMARK(MapLookup<std::unordered_map<std::string, std::size_t>>)->Name("Floor/StdMap")->Arg(1)->Arg(kManyKeys);

BENCHMARK(AdmitSettleByHandle)->Name("Breaker/AdmitSettleByHandle")->Threads(1)->Threads(2);
BENCHMARK(AdmitSettleByName)->Name("Breaker/AdmitSettleByName")->Arg(1)->Arg(kManyKeys)->Threads(1)->Threads(2);
BENCHMARK(WindowAdmitSettle)->Name("Breaker/WindowAdmitSettle")->Threads(1)->Threads(2);
BENCHMARK(TimeWindowAdmitSettle)->Name("Breaker/TimeWindowAdmitSettle")->Threads(1)->Threads(2);
BENCHMARK(AdmitSettleTracked)->Name("Breaker/AdmitSettleTracked")->Threads(1)->Threads(2);
BENCHMARK(Denied)->Name("Breaker/Denied")->Threads(1)->Threads(2);
BENCHMARK(Look)->Name("Breaker/Look")->Threads(1)->Threads(2);
BENCHMARK(FailThenSucceed)->Name("Breaker/FailThenSucceed");

}  // namespace
}  // namespace fuseboard
