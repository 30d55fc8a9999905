// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the limiters cost, beside the floors they are measured against: read the figures as ratios of one run.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/client_throttle.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/queue.h"
#include "fuseboard/limit/sliding_window.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/limit/tool_limiter.h"
#include "fuseboard/limit/waiting.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using benchmark::DoNotOptimize;

const TimePoint kNow = TimePoint(std::chrono::hours(1));

// Floors. Each stands on cache lines of its own.

struct alignas(128) Shared {
  std::atomic<std::uint64_t> value{0};
  std::mutex mutex;
};
Shared& shared() {
  static Shared instance;
  return instance;
}

void FetchAdd(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) DoNotOptimize(it.value.fetch_add(1, std::memory_order_relaxed));
}
void CompareExchange(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) {
    std::uint64_t value = it.value.load(std::memory_order_relaxed);
    while (!it.value.compare_exchange_weak(value, value + 1, std::memory_order_relaxed)) {
    }
  }
}
void MutexLockUnlock(benchmark::State& state) {
  Shared& it = shared();
  for (auto _ : state) {
    const std::lock_guard lock(it.mutex);
    benchmark::ClobberMemory();
  }
}

// Limiters. Time is given, so that the clock is not in the figures; it moves fast enough that all is admitted.

void BucketAdmitted(benchmark::State& state) {
  static TokenBucket bucket({.rate = 1e9, .burst = 1e9, .priorities = PriorityOptions{}});
  TimePoint now = kNow;
  for (auto _ : state) DoNotOptimize(bucket.try_acquire(now += 10ns, 1, Priority::critical).has_value());
}
void BucketReserved(benchmark::State& state) {
  static TokenBucket bucket({.rate = 1e9, .burst = 1e9});
  TimePoint now = kNow;
  for (auto _ : state) DoNotOptimize(bucket.reserve(now += 10ns, 1s).has_value());
}
void BucketRefused(benchmark::State& state) {
  static TokenBucket bucket({.rate = kMinRate, .burst = 1});
  (void)bucket.try_acquire(kNow);
  for (auto _ : state) DoNotOptimize(bucket.try_acquire(kNow).has_value());
}
void WindowAdmitted(benchmark::State& state) {
  static SlidingWindowLimiter limiter({.limit = 10'000, .window = 1ms});
  TimePoint now = kNow;
  for (auto _ : state) DoNotOptimize(limiter.try_acquire(now += 100ns).has_value());
}
void WindowRefused(benchmark::State& state) {
  static SlidingWindowLimiter limiter({.limit = kMaxWindowLimit, .window = 1min});
  while (limiter.try_acquire(kNow)) {
  }
  for (auto _ : state) DoNotOptimize(limiter.try_acquire(kNow).has_value());
}
void ClientThrottleSettled(benchmark::State& state) {
  static ClientThrottle throttle;
  TimePoint now = kNow;
  for (auto _ : state) {
    auto permit = throttle.try_acquire(now += 10ns);
    if (permit) std::move(*permit).settle(now, Outcome::success());
  }
}
void AdaptiveAdmitted(benchmark::State& state) {
  static AdaptiveLimiter limiter({.rate = {.rate = 1e9}});
  TimePoint now = kNow;
  for (auto _ : state) {
    auto permit = limiter.try_acquire(now += 10ns);
    if (permit) std::move(*permit).settle(now, Outcome::success());
  }
}
void JointAdmitted(benchmark::State& state) {
  static JointLimiter limiter({.requests_per_minute = 6e10, .tokens_per_minute = 6e10, .concurrency = 32});
  TimePoint now = kNow;
  for (auto _ : state) {
    auto permit = limiter.try_acquire(now += 10ns, {.tokens = 10});
    if (permit) std::move(*permit).settle(now, 9);
  }
}
void ToolByName(benchmark::State& state) {
  static ToolLimiter limiter({.rate = 1e9});
  TimePoint now = kNow;
  for (auto _ : state) DoNotOptimize(limiter.try_acquire(now += 10ns, "search").has_value());
}
void BulkheadSlotTaken(benchmark::State& state) {
  static Bulkhead bulkhead({.limit = 32});
  for (auto _ : state) DoNotOptimize(bulkhead.try_acquire().has_value());
}
void WaitedSlotTaken(benchmark::State& state) {
  static Bulkhead bulkhead({.limit = 32});
  static WaitingBulkhead places(bulkhead);
  for (auto _ : state) DoNotOptimize(places.wait_for({}).has_value());
}
void AdaptiveBulkheadSettled(benchmark::State& state) {
  static AdaptiveBulkhead bulkhead;
  TimePoint now = kNow;
  for (auto _ : state) {
    auto slot = bulkhead.try_acquire();
    if (slot) std::move(*slot).settle(now += 10ns, Outcome::success(100ms));
  }
}
void QueuePushPop(benchmark::State& state) {
  WaitQueue queue({.capacity = 4096});
  for (std::int64_t i = 1; i < state.range(0); ++i) (void)queue.enqueue(kNow, {});
  for (auto _ : state) {
    (void)queue.enqueue(kNow, {.priority = Priority::critical});
    DoNotOptimize(queue.cancel(*queue.next(kNow)));
  }
}

BENCHMARK(FetchAdd)->Name("Limit/Floor/FetchAdd")->Threads(1)->Threads(2);
BENCHMARK(CompareExchange)->Name("Limit/Floor/CompareExchange")->Threads(1)->Threads(2);
BENCHMARK(MutexLockUnlock)->Name("Limit/Floor/Mutex")->Threads(1)->Threads(2);

BENCHMARK(BucketAdmitted)->Name("Limit/BucketAdmitted")->Threads(1)->Threads(2);
BENCHMARK(BucketReserved)->Name("Limit/BucketReserved")->Threads(1)->Threads(2);
BENCHMARK(BucketRefused)->Name("Limit/BucketRefused")->Threads(1)->Threads(2);
BENCHMARK(WindowAdmitted)->Name("Limit/WindowAdmitted")->Threads(1)->Threads(2);
BENCHMARK(WindowRefused)->Name("Limit/WindowRefused")->Threads(1)->Threads(2);
BENCHMARK(ClientThrottleSettled)->Name("Limit/ClientThrottle")->Threads(1)->Threads(2);
BENCHMARK(AdaptiveAdmitted)->Name("Limit/AdaptiveAdmitted")->Threads(1)->Threads(2);
BENCHMARK(JointAdmitted)->Name("Limit/JointAdmitted")->Threads(1)->Threads(2);
BENCHMARK(ToolByName)->Name("Limit/ToolByName")->Threads(1)->Threads(2);
BENCHMARK(BulkheadSlotTaken)->Name("Limit/BulkheadSlot")->Threads(1)->Threads(2);
BENCHMARK(WaitedSlotTaken)->Name("Limit/WaitedSlot")->Threads(1)->Threads(2);
BENCHMARK(AdaptiveBulkheadSettled)->Name("Limit/AdaptiveBulkhead")->Threads(1)->Threads(2);
BENCHMARK(QueuePushPop)->Name("Limit/QueuePushPop")->Arg(1)->Arg(256)->Arg(4096);

}  // namespace
}  // namespace fuseboard
