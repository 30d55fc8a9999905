// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Many threads on one breaker. Nothing here waits for time to pass; threads start at a barrier.
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "tests/breaker/support.h"
#include "tests/support/together.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 8;

void expect_grants_settled(const BreakerSnapshot& snapshot) {
  const BreakerTotals& totals = snapshot.totals;
  EXPECT_EQ(totals.admitted + totals.reported,
            totals.succeeded + totals.failed + totals.throttled + totals.neutral + totals.abandoned);
  EXPECT_EQ(snapshot.in_flight, 0U);
  EXPECT_EQ(snapshot.probes_in_flight, 0U);
}

TEST(CircuitBreakerThreads, HalfOpenAdmitsExactlyItsProbes) {  // BRK-6
  for (const std::uint32_t probes : {1U, 3U}) {
    ManualClock clock;
    CircuitBreaker breaker({.failure_threshold = 1, .half_open_max_probes = probes, .half_open_successes = probes},
                           "key", clock);
    for (int round = 0; round < 50; ++round) {
      trip(breaker, 1);
      clock.advance(30s);
      std::vector<BreakerPermit> granted(kThreads);
      std::atomic<std::uint32_t> grants{0};
      together(kThreads, [&](int thread) {
        auto permit = breaker.try_acquire();
        if (!permit) return;
        ++grants;
        granted[static_cast<std::size_t>(thread)] = std::move(*permit);
      });
      ASSERT_EQ(grants, probes);
      ASSERT_EQ(breaker.snapshot().probes_in_flight, probes);
      together(kThreads,
               [&](int thread) { std::move(granted[static_cast<std::size_t>(thread)]).settle(Outcome::success()); });
      ASSERT_EQ(breaker.state(), CircuitState::closed);
    }
    expect_grants_settled(breaker.snapshot());
  }
}

TEST(CircuitBreakerThreads, NeverMoreProbesInFlightThanAllowedWhileProbesComeAndGo) {  // BRK-6
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .half_open_max_probes = 2}, "key", clock);
  trip(breaker, 1);
  clock.advance(30s);
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  together(kThreads, [&](int) {
    for (int i = 0; i < 2000; ++i) {
      auto permit = breaker.try_acquire();
      if (!permit) continue;
      const int now = ++in_flight;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      --in_flight;
      std::move(*permit).settle(Outcome::cancelled());  // neutral: stays half-open
    }
  });
  EXPECT_LE(most, 2);
  EXPECT_EQ(breaker.state(), CircuitState::half_open);
  expect_grants_settled(breaker.snapshot());
}

TEST(CircuitBreakerThreads, GrantsEqualSettlementsThroughEveryState) {  // BRK-10.1 BRK-16.6
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 3, .half_open_max_probes = 2, .open_time = OpenTime::fixed(1ms)}, "key",
                         clock);
  std::atomic<bool> in_order{true};
  std::uint64_t sequence = 0;
  CircuitState state = CircuitState::closed;
  const auto subscription = breaker.subscribe([&](const BreakerEvent& event) {
    if (event.sequence != ++sequence || event.from != state) in_order = false;  // CORE-4.1
    state = event.to;
  });
  std::atomic<std::uint64_t> granted{0};
  std::atomic<std::uint64_t> rejected{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    std::vector<BreakerPermit> held;
    for (int i = 0; i < 3000; ++i) {
      if (auto permit = breaker.try_acquire()) {
        ++granted;
        held.push_back(std::move(*permit));
      } else {
        ++rejected;
        if (permit.error().reason == RejectionReason::circuit_open) {
          EXPECT_GE(permit.error().consecutive_failures, 3U);  // facts of one generation, read without the mutex
        }
        clock.advance(100us);
      }
      while (held.size() > rng.below(4)) {
        switch (rng.below(6)) {
          case 0:
          case 1:
          case 2:
            std::move(held.back()).settle(failed());
            break;
          case 3:
            std::move(held.back()).settle(Outcome::success());
            break;
          case 4:
            held.back().first_content(1ms);
            break;
          default:
            break;
        }
        held.pop_back();  // abandons what is not settled
      }
      if (rng.below(500) == 0) breaker.reset();
      if (rng.below(50) == 0) breaker.report(failed());
      if (rng.below(20) == 0) (void)breaker.peek_rejection();
      if (rng.below(20) == 0) {
        EXPECT_LE(breaker.snapshot().probes_in_flight, 2U);
      }
    }
  });
  const BreakerSnapshot snapshot = breaker.snapshot();
  EXPECT_EQ(snapshot.totals.admitted, granted);
  EXPECT_EQ(snapshot.denials, rejected);
  EXPECT_GT(snapshot.times_opened, 10U) << "the histories must be worth something";
  EXPECT_TRUE(in_order);
  EXPECT_EQ(state, snapshot.state);
  expect_grants_settled(snapshot);
}

TEST(CircuitBreakerThreads, EveryOutcomeEntersTheWindowOnce) {  // BRK-2.2
  ManualClock clock;
  for (const CallWindow window : {CallWindow::last_calls(10'000), CallWindow::last(1h)}) {
    CircuitBreaker breaker(
        {.failure_threshold = 1'000'000, .failure_rate = 1.0, .minimum_calls = 10'000, .window = window}, "key", clock);
    together(kThreads, [&](int thread) {
      for (int i = 0; i < 500; ++i) call(breaker, (thread + i) % 4 == 0 ? failed() : Outcome::success());
    });
    EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = kThreads * 500, .failures = kThreads * 125}));
  }
}

TEST(CircuitBreakerThreads, TheLastCallOfTheMinimumOpensItWhoeverBringsIt) {  // BRK-2.2
  ManualClock clock;
  for (int round = 0; round < 100; ++round) {
    CircuitBreaker breaker({.failure_threshold = 1000, .failure_rate = 0.25, .minimum_calls = kThreads}, "key", clock);
    together(kThreads, [&](int thread) { call(breaker, thread < 2 ? failed() : Outcome::success()); });
    ASSERT_EQ(breaker.state(), CircuitState::open) << "round " << round;
    ASSERT_EQ(breaker.snapshot().times_opened, 1U);
  }
}

TEST(CircuitBreakerThreads, GrantsEqualSettlementsWhileOperatorsAndOptionsChange) {  // BRK-10.1 BRK-13 BRK-14
  ManualClock clock;
  const BreakerOptions plain = {.failure_threshold = 3, .open_time = OpenTime::fixed(1ms)};
  BreakerOptions full = plain;
  full.half_open_max_probes = 3;
  full.failure_rate = 0.5;
  full.minimum_calls = 5;
  full.stuck_call_age = 5ms;
  CircuitBreaker breaker(plain, "key", clock);
  std::atomic<bool> in_order{true};
  std::uint64_t sequence = 0;
  const auto subscription = breaker.subscribe([&](const BreakerEvent& event) {
    if (event.sequence != ++sequence) in_order = false;  // CORE-4.1
  });
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    std::vector<BreakerPermit> held;
    for (int i = 0; i < 1500; ++i) {
      if (auto permit = breaker.try_acquire()) held.push_back(std::move(*permit));
      clock.advance(20us);
      while (held.size() > rng.below(4)) {
        const std::uint64_t how = rng.below(4);
        if (how == 0) std::move(held.back()).settle(failed());
        if (how == 1) std::move(held.back()).settle(Outcome::success());
        if (how == 2) std::move(held.back()).settle(failed(Category::rate_limit));
        held.pop_back();
      }
      switch (rng.below(60)) {
        case 0:
          breaker.apply(full);
          break;
        case 1:
          breaker.apply(plain);
          break;
        case 2:
          breaker.set_override(OverrideKind::force_open, "x", 1ms);
          break;
        case 3:
          breaker.set_override(OverrideKind::force_closed, "x", 1ms);
          break;
        case 4:
          breaker.set_override(OverrideKind::metrics_only, "x");
          break;
        case 5:
          (void)breaker.lift_override();
          break;
        case 6:
          (void)breaker.restore(breaker.save());
          break;
        case 7:
          (void)breaker.snapshot();
          (void)breaker.peek_rejection();
          break;
        default:
          break;
      }
    }
  });
  EXPECT_TRUE(in_order);
  const BreakerSnapshot snapshot = breaker.snapshot();
  expect_grants_settled(snapshot);
  EXPECT_EQ(snapshot.oldest_in_flight, std::nullopt);
  EXPECT_GT(snapshot.times_opened, 10U) << "the histories must be worth something";
}

TEST(CircuitBreakerThreads, SuccessesOfManyThreadsAreAllCounted) {  // BRK-16.6
  ManualClock clock;
  CircuitBreaker breaker(provider_preset(), "key", clock);
  together(kThreads, [&](int) {
    for (int i = 0; i < 5000; ++i) call(breaker, Outcome::success());
  });
  EXPECT_EQ(breaker.snapshot().totals.succeeded, kThreads * 5000U);
  expect_grants_settled(breaker.snapshot());
}

TEST(CircuitBreakerThreads, SuccessesOfAnEndedPeriodCannotHideTheFailuresOfTheNext) {  // BRK-9
  ManualClock clock;
  for (int round = 0; round < 200; ++round) {
    CircuitBreaker breaker({.failure_threshold = kThreads - 2}, "key", clock);
    std::vector<BreakerPermit> old;
    for (int t = 0; t < kThreads; ++t) old.push_back(acquired(breaker));
    breaker.reset();
    std::vector<BreakerPermit> current;
    for (int t = 0; t < kThreads; ++t) current.push_back(acquired(breaker));
    together(kThreads, [&](int thread) {
      const auto i = static_cast<std::size_t>(thread);
      if (thread < 2) {
        std::move(old[i]).settle(Outcome::success());
      } else {
        std::move(current[i]).settle(failed());
      }
    });
    ASSERT_EQ(breaker.state(), CircuitState::open) << "round " << round;
  }
}

TEST(BreakerRegistryThreads, OneBreakerAKeyHoweverManyCreateIt) {  // BRK-17.1
  ManualClock clock;
  BreakerRegistry registry(provider_preset(), clock);
  together(kThreads, [&](int) {
    for (int i = 0; i < 300; ++i) {
      auto permit = registry.try_acquire("key-" + std::to_string(i));
      std::move(*permit).settle(Outcome::success());
    }
  });
  EXPECT_EQ(registry.size(), 300U);
  for (const BreakerSnapshot& snapshot : registry.snapshot()) {
    ASSERT_EQ(snapshot.totals.succeeded, static_cast<std::uint64_t>(kThreads));
  }
}

TEST(BreakerRegistryThreads, TheBoundHoldsHoweverManyCreateKeys) {  // BRK-17.5 CORE-5
  ManualClock clock;
  BreakerRegistry registry({.max_keys = 100}, clock);
  std::vector<std::vector<BreakerPermit>> in_flight(kThreads);
  together(kThreads, [&](int thread) {
    for (int i = 0; i < 100; ++i) {
      auto permit = registry.try_acquire("key-" + std::to_string(thread * 1000 + i));
      ASSERT_TRUE(permit.has_value());
      in_flight[static_cast<std::size_t>(thread)].push_back(std::move(*permit));
    }
  });
  EXPECT_EQ(registry.size(), 100U);
  EXPECT_EQ(registry.untracked_admissions(), kThreads * 100U - 100U);
}

}  // namespace
}  // namespace fuseboard
