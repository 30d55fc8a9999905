// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What holds when memory is short, or a companion cannot be made: what was asked for has not happened, and everything
// goes on. cost_test.cc brings the operator new that fails.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "tests/breaker/support.h"
#include "tests/support/allocations.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr BreakerOptions kQuick = {.failure_threshold = 1, .open_time = OpenTime::fixed(10s)};

class Companion final : public KeyCompanion {
 public:
  explicit Companion(const KeyView& key) : name_(to_text(key)) {}
  bool is_idle(TimePoint) const noexcept override { return true; }

 private:
  const std::string name_;
};

MakeCompanion make_companion() {
  return [](const KeyView& key, const BreakerHandle&) { return std::make_unique<Companion>(key); };
}

// Names longer than what a string holds in place.
std::string name_of(int i) { return "a tool with quite a long name " + std::to_string(i); }

void settle_one(BreakerRegistry& registry, const std::string& key) {
  const BreakerHandle handle = registry.handle(key);
  call(handle, Outcome::success());
}

std::vector<std::string> names_in(const BreakerRegistry& registry) {
  std::vector<std::string> names;
  for (const BreakerSnapshot& one : registry.snapshot()) names.push_back(to_text(one.key.view()));
  return names;
}

// A registry of `keys` keys, at its bound if `full`; every allocation of one more key fails once.
void fail_each_allocation_of_a_new_key(int keys, bool full) {
  ManualClock clock;
  std::optional<BreakerRegistry> registry;
  std::vector<std::string> before;
  const auto set_up = [&] {
    const auto max_keys = static_cast<std::size_t>(full ? keys : keys + 10);
    registry.emplace(BreakerRegistryOptions{.defaults = kQuick, .max_keys = max_keys}, clock, 1, make_companion());
    for (int i = 0; i < keys; ++i) settle_one(*registry, name_of(i));
    before = names_in(*registry);
  };
  set_up();
  bool threw = false;
  const std::string newcomer = name_of(keys);
  const auto add = [&] {
    threw = false;
    try {
      settle_one(*registry, newcomer);
    } catch (const std::bad_alloc&) {
      threw = true;
    }
  };
  const int failed_runs = fail_each_allocation(add, [&](bool failed) {
    ASSERT_EQ(threw, failed);
    if (failed) {
      EXPECT_EQ(names_in(*registry), before) << "no key has gone, none has come";
      for (const std::string& name : before) EXPECT_EQ(registry->snapshot(name).totals.succeeded, 1U) << name;
      EXPECT_EQ(registry->size(), before.size());
    }
    // Now there is memory.
    {
      const BreakerHandle made = registry->handle(newcomer);
      EXPECT_TRUE(made.tracked());
      EXPECT_EQ(registry->size(), before.size() + (full ? 0 : 1));
      trip(made, 1);
      EXPECT_EQ(registry->open_count(), 1U);
    }
    set_up();
  });
  EXPECT_GE(failed_runs, 4) << "the options, the breaker's own texts, the companion";
}

TEST(BreakerMemory, AKeyThatCannotBeMadeLeavesAFullRegistryAsItWas) {  // BRK-17.5
  fail_each_allocation_of_a_new_key(3, true);
}

TEST(BreakerMemory, AKeyThatCannotBeMadeLeavesAGrowingRegistryAsItWas) {  // BRK-17.5
  // With the eleventh key the index grows.
  for (const int keys : {0, 1, 10}) fail_each_allocation_of_a_new_key(keys, false);
}

TEST(BreakerMemory, ACompanionThatThrowsLeavesAFullRegistryAsItWas) {  // BRK-17.7
  ManualClock clock;
  BreakerRegistry registry({.defaults = kQuick, .max_keys = 2}, clock, 1,
                           [](const KeyView& key, const BreakerHandle&) -> std::unique_ptr<KeyCompanion> {
                             if (key == KeyView("bad")) throw std::runtime_error("no companion");
                             return std::make_unique<Companion>(key);
                           });
  settle_one(registry, "a");
  settle_one(registry, "b");
  for (int i = 0; i < 5; ++i) EXPECT_THROW((void)registry.handle("bad"), std::runtime_error);
  EXPECT_EQ(names_in(registry), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(registry.handle("c").tracked()) << "another takes the place of one of them";
  EXPECT_EQ(registry.size(), 2U);
}

TEST(BreakerMemory, AKeyThatGoesNeedsNoMemoryToGo) {  // BRK-17.6
  ManualClock clock;
  BreakerRegistry registry({.defaults = kQuick, .max_keys = 2}, clock);
  // More keys than any list of free pieces would begin with room for.
  for (int i = 0; i < 100; ++i) settle_one(registry, name_of(i));
  EXPECT_EQ(registry.size(), 2U);
  EXPECT_EQ(registry.untracked_admissions(), 0U);
}

TEST(BreakerMemory, CircuitsMoveWithoutMemoryForTheirListeners) {  // CORE-4.1 BRK-18.2
  ManualClock clock;
  const auto moves = [&](CircuitBreaker& breaker) {
    trip(breaker, 1);
    clock.advance(10s);
    call(breaker, Outcome::success());
  };
  std::optional<CircuitBreaker> breaker;
  std::vector<std::uint64_t> heard;
  heard.reserve(16);
  Subscription listening;
  const auto set_up = [&] {
    breaker.emplace(kQuick, "a", clock);
    heard.clear();
    listening = breaker->subscribe([&](const BreakerEvent& event) { heard.push_back(event.sequence); });
  };
  set_up();
  fail_each_allocation([&] { moves(*breaker); },
                       [&](bool failed) {
                         EXPECT_EQ(breaker->snapshot().times_opened, 1U);
                         EXPECT_EQ(breaker->state(), CircuitState::closed);
                         moves(*breaker);
                         ASSERT_FALSE(heard.empty());
                         EXPECT_EQ(heard.back(), 6U) << "whoever listens sees by the numbers what was dropped";
                         if (!failed) {
                           EXPECT_EQ(heard.size(), 6U);
                         }
                         set_up();
                       });
}

TEST(BreakerMemory, ASubscriptionThatCannotBeMadeLeavesNoListenerBehind) {  // CORE-4.5
  ManualClock clock;
  CircuitBreaker breaker(kQuick, "a", clock);
  int heard = 0;
  const int failed_runs = fail_each_allocation(
      [&] {
        try {
          const std::array<std::uint64_t, 8> much{};  // so that the function needs memory of its own
          const Subscription subscription =
              breaker.subscribe([&heard, much](const BreakerEvent&) { heard += 1 + static_cast<int>(much[0]); });
        } catch (const std::bad_alloc&) {
        }
      },
      [&](bool) {
        breaker.reset();
        EXPECT_EQ(heard, 0);
      });
  EXPECT_GE(failed_runs, 2);
}

TEST(BreakerMemory, OptionsThatCannotBeAppliedLeaveTheOldOnes) {  // BRK-14
  ManualClock clock;
  const BreakerOptions wanted = {.failure_threshold = 3,
                                 .failure_rate = 0.5,
                                 .minimum_calls = 4,
                                 .window = CallWindow::last_calls(8),
                                 .stuck_call_age = 1min,
                                 .half_open_max_probes = 50};
  CircuitBreaker breaker(kQuick, "a", clock);
  const int failed_runs = fail_each_allocation(
      [&] {
        try {
          breaker.apply(wanted);
        } catch (const std::bad_alloc&) {
        }
      },
      [&](bool failed) { EXPECT_EQ(breaker.options(), failed ? kQuick : wanted); });
  EXPECT_GE(failed_runs, 4) << "the options, the window, the calls, the leases";
}

TEST(BreakerMemory, ACallWhoseStartCannotBeKeptIsAdmittedAllTheSame) {  // BRK-16.1
  ManualClock clock;
  std::optional<CircuitBreaker> breaker;
  std::vector<BreakerPermit> held;
  const auto set_up = [&] {
    held.clear();
    breaker.emplace(BreakerOptions{.stuck_call_age = 1min}, "a", clock);
    for (int i = 0; i < 64; ++i) held.push_back(*breaker->try_acquire());  // as many as there is room for at first
    held.reserve(100);
  };
  set_up();
  const int failed_runs = fail_each_allocation([&] { held.push_back(*breaker->try_acquire()); },
                                               [&](bool) {
                                                 EXPECT_EQ(breaker->snapshot().in_flight, 65U);
                                                 held.clear();
                                                 EXPECT_EQ(breaker->snapshot().in_flight, 0U);
                                                 set_up();
                                               });
  EXPECT_TRUE(failed_runs == 1 || !kAllocationsSeen) << failed_runs;
}

}  // namespace
}  // namespace fuseboard
