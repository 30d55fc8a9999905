// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Code that throws between admission and settlement has failed [BRK-10.3].
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "fuseboard/breaker/scopes.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

struct OnExit {
  ~OnExit() { run(); }
  std::function<void()> run;
};

class Exceptions : public testing::Test {
 protected:
  // A call that throws while it holds a permit.
  template <typename Guard>
  static void throw_holding_a_permit(Guard& guard) {
    try {
      const auto permit = guard.try_acquire();
      throw std::runtime_error("thrown");
    } catch (const std::runtime_error&) {
    }
  }

  ManualClock clock_;
  CircuitBreaker breaker_{{.failure_threshold = 2, .open_time = OpenTime::fixed(10s)}, "key", clock_, 1};
};

TEST_F(Exceptions, ThatUnwindTheScopeOfAPermitAreFailures) {  // BRK-10.3
  throw_holding_a_permit(breaker_);
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 1U);
  EXPECT_EQ(breaker_.snapshot().last_failure, Category::execution_error);
  throw_holding_a_permit(breaker_);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.snapshot().totals.abandoned, 2U);
  EXPECT_EQ(breaker_.snapshot().in_flight, 0U);
}

TEST_F(Exceptions, OpenAHalfOpenCircuitAgain) {  // BRK-10.3, BRK-7.2
  trip(breaker_, 2);
  clock_.advance(10s);
  throw_holding_a_permit(breaker_);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_failed);
}

TEST_F(Exceptions, AfterASettlementSayNothing) {  // BRK-10.3
  try {
    auto permit = breaker_.try_acquire();
    std::move(*permit).settle(Outcome::success());
    throw std::runtime_error("later");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
}

TEST_F(Exceptions, ThatAreOverBeforeThePermitGoesSayNothing) {  // BRK-10.3
  auto permit = breaker_.try_acquire();
  try {
    throw std::runtime_error("caught within");
  } catch (const std::runtime_error&) {
    permit = std::unexpected(Rejection{});
  }
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U) << "a caught exception unwinds nothing any more";
  EXPECT_EQ(breaker_.snapshot().totals.abandoned, 1U);
}

TEST_F(Exceptions, OfTheScopeAroundADestructorAreNotThoseOfAPermitWithin) {  // BRK-10.3
  try {
    const OnExit cleaning_up{[&] { (void)breaker_.try_acquire(); }};
    throw std::runtime_error("thrown before the permit was acquired");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(breaker_.snapshot().totals.abandoned, 1U);
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
}

TEST_F(Exceptions, OfAnotherThreadThanTheOneThatAcquiredSayNothing) {  // BRK-10.3
  BreakerPermit permit = acquired(breaker_);
  std::thread([taken = std::move(permit)]() mutable {
    try {
      const BreakerPermit here = std::move(taken);
      throw std::runtime_error("thrown");
    } catch (const std::runtime_error&) {
    }
  }).join();
  EXPECT_EQ(breaker_.snapshot().totals.abandoned, 1U);
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
}

TEST_F(Exceptions, CountAlsoForAPermitThatWasMoved) {  // BRK-10.3
  try {
    BreakerPermit permit = acquired(breaker_);
    BreakerPermit moved = std::move(permit);
    BreakerPermit assigned;
    assigned = std::move(moved);
    throw std::runtime_error("thrown");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 1U);
}

TEST_F(Exceptions, ThatCancelSayNothingWhereThePermitIsGivenBackFirst) {  // BRK-10.7
  try {
    BreakerPermit permit = acquired(breaker_);
    std::move(permit).release();
    throw std::runtime_error("cancelled");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(breaker_.snapshot().totals.abandoned, 1U);
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
}

TEST_F(Exceptions, FailTheInnermostScopeAlone) {  // BRK-10.3, BRK-22
  BreakerRegistry breakers(BreakerOptions{.failure_threshold = 2}, clock_);
  const BreakerScopes scopes{breakers.handle("provider"), breakers.handle({"provider", "model"})};
  throw_holding_a_permit(scopes);
  EXPECT_EQ(breakers.snapshot("provider").consecutive_failures, 0U);
  EXPECT_EQ(breakers.snapshot("provider").totals.abandoned, 1U);
  EXPECT_EQ(breakers.snapshot({"provider", "model"}).consecutive_failures, 1U);
  EXPECT_EQ(breakers.snapshot({"provider", "model"}).in_flight, 0U);
}

}  // namespace
}  // namespace fuseboard
