// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Every permit of the library by what they have in common.
#include "fuseboard/core/issuer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "fuseboard/breaker/scopes.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/cache/single_flight.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/latency.h"
#include "fuseboard/route/parking.h"
#include "fuseboard/tools/tool_guard.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{1h};

// Where one permit at a time is to be had, and whether it has not come back yet.
template <typename Permit>
struct Desk;

template <>
struct Desk<BreakerPermit> {
  CircuitBreaker breaker{};
  BreakerPermit grant() { return *breaker.try_acquire(); }
  bool is_out() { return breaker.snapshot().in_flight != 0; }
};

template <>
struct Desk<ScopedPermit> {
  BreakerRegistry registry{};
  BreakerScopes scopes{registry.handle("provider"), registry.handle("model")};
  ScopedPermit grant() { return *scopes.try_acquire(); }
  bool is_out() { return registry.snapshot("provider").in_flight != 0 || registry.snapshot("model").in_flight != 0; }
};

template <>
struct Desk<ToolPermit> {
  ToolGuard guard{};
  ToolPermit grant() { return *guard.try_acquire("tool"); }
  bool is_out() { return guard.snapshot("tool").circuit.in_flight != 0; }
};

template <>
struct Desk<JointPermit> {
  JointLimiter limiter{{.concurrency = 4}};
  JointPermit grant() { return *limiter.try_acquire(kNow); }
  bool is_out() { return limiter.snapshot(kNow).in_flight != 0; }
};

template <>
struct Desk<AdaptivePermit> {
  AdaptiveLimiter limiter{{.rate = {.rate = 1000.0}}};
  AdaptivePermit grant() { return *limiter.try_acquire(kNow); }
  // Calls in flight may not be among those that the server has counted, so they lower the rate that it allows.
  bool is_out() {
    limiter.observe(kNow, {.remaining = 100, .reset_after = 1s});
    return limiter.rate(kNow) != 100.0;
  }
};

template <>
struct Desk<BulkheadSlot> {
  Desk() : bulkhead(options) {}
  const BulkheadOptions options;
  Bulkhead bulkhead;
  BulkheadSlot grant() { return *bulkhead.try_acquire(); }
  bool is_out() { return bulkhead.in_flight() != 0; }
};

template <>
struct Desk<AdaptiveBulkheadSlot> {
  Desk() : bulkhead(options) {}
  const AdaptiveBulkheadOptions options;
  AdaptiveBulkhead bulkhead;
  AdaptiveBulkheadSlot grant() { return *bulkhead.try_acquire(); }
  bool is_out() { return bulkhead.in_flight() != 0; }
};

// What is parked lets a probe through, and one alone, so the pass of a probe is seen.
template <typename Gate, typename Pass>
struct ParkedDesk {
  ParkedDesk() { std::move(*gate.try_pass(kNow)).settle(kNow, Outcome::failed(Failure::of(Category::authentication))); }
  Gate gate{"credential"};
  Pass grant() { return *gate.try_pass(kNow + 1h); }
  bool is_out() { return gate.snapshot(kNow + 1h).probe_in_flight; }
};
template <>
struct Desk<ParkingPass> : ParkedDesk<ParkingGate, ParkingPass> {};
template <>
struct Desk<CredentialPass> : ParkedDesk<CredentialGate, CredentialPass> {};

template <>
struct Desk<BudgetReservation> {
  BudgetLedger ledger{BudgetOptions{}};
  BudgetReservation grant() { return *ledger.reserve({}, {}); }
  bool is_out() { return ledger.levels_of({}).at(0).open_reservations != 0; }
};

template <>
struct Desk<LatencySpan> {
  Desk() : estimate(options) {}
  const LatencyEstimateOptions options;
  LatencyEstimate estimate;
  LatencySpan grant() { return estimate.begin(); }
  bool is_out() { return estimate.in_flight() != 0; }
};

template <>
struct Desk<Flight> {
  Desk() : flights(options) {}
  const SingleFlightOptions options;
  SingleFlight flights;
  FlightWaiter waiter{};
  Flight grant() {
    auto joined = flights.join({}, {});
    waiter = std::move(joined.waiter);
    return *std::move(joined.flight);
  }
  bool is_out() { return flights.snapshot().flights != 0; }
};

template <>
struct Desk<FlightWaiter> {
  Desk() : flights(options) {}
  const SingleFlightOptions options;
  SingleFlight flights;
  std::optional<Flight> flight{};
  FlightWaiter grant() {
    auto joined = flights.join({}, {});
    flight = std::move(joined.flight);
    return std::move(joined.waiter);
  }
  bool is_out() { return flights.snapshot().waiters != 0; }
};

template <typename Permit>
class PermitTest : public testing::Test {
  static_assert(std::is_nothrow_move_constructible_v<Permit> && std::is_nothrow_move_assignable_v<Permit>);
  static_assert(!std::is_copy_constructible_v<Permit> && !std::is_copy_assignable_v<Permit>);
};
using Permits = testing::Types<BreakerPermit, ScopedPermit, ToolPermit, JointPermit, AdaptivePermit, BulkheadSlot,
                               AdaptiveBulkheadSlot, ParkingPass, CredentialPass, BudgetReservation, LatencySpan,
                               Flight, FlightWaiter>;
TYPED_TEST_SUITE(PermitTest, Permits);

TYPED_TEST(PermitTest, IsGivenBackOnceWhereverItWasMoved) {
  Desk<TypeParam> desk;
  {
    TypeParam first = desk.grant();
    ASSERT_TRUE(desk.is_out());
    {
      const TypeParam second = std::move(first);
      EXPECT_TRUE(desk.is_out());
    }
    EXPECT_FALSE(desk.is_out());
  }
  EXPECT_FALSE(desk.is_out()) << "one that was moved from does nothing";
}

TYPED_TEST(PermitTest, AssignmentGivesBackWhatWasThere) {
  Desk<TypeParam> one;
  Desk<TypeParam> other;
  {
    TypeParam permit = one.grant();
    {
      TypeParam next = other.grant();
      permit = std::move(next);
      EXPECT_FALSE(one.is_out());
      EXPECT_TRUE(other.is_out());
    }
    EXPECT_TRUE(other.is_out()) << "one that was moved from does nothing";
  }
  EXPECT_FALSE(other.is_out());
}

TYPED_TEST(PermitTest, AssignedToItselfItStays) {
  Desk<TypeParam> desk;
  {
    TypeParam permit = desk.grant();
    TypeParam& same = permit;
    permit = std::move(same);
    EXPECT_TRUE(desk.is_out());
  }
  EXPECT_FALSE(desk.is_out());
}

// Writes its number down when it is given back.
class Ticket {
 public:
  Ticket(std::vector<int>& returned, int number) noexcept : returned_(returned), number_(number) {}
  Ticket(Ticket&&) noexcept = default;
  Ticket& operator=(Ticket&& other) noexcept { return replace_permit(*this, other); }
  ~Ticket() {
    if (returned_) returned_->push_back(number_);
  }

 private:
  Issuer<std::vector<int>> returned_;
  int number_;
};

TEST(Issuer, APermitThatIsReplacedIsGivenBackAndOneThatReplacesItselfStays) {
  std::vector<int> returned;
  {
    Ticket ticket(returned, 1);
    ticket = Ticket(returned, 2);
    EXPECT_EQ(returned, (std::vector{1}));
    Ticket& same = ticket;
    ticket = std::move(same);
    EXPECT_EQ(returned, (std::vector{1}));
  }
  EXPECT_EQ(returned, (std::vector{1, 2}));
}

TEST(Issuer, TakesAPointersPlace) {
  static_assert(sizeof(Issuer<int>) == sizeof(int*));
  static_assert(!std::is_move_assignable_v<Issuer<int>>);
  int it = 0;
  Issuer<int> issuer(it);
  Issuer<int> moved = std::move(issuer);
  EXPECT_EQ(issuer.take(), nullptr);
  EXPECT_EQ(moved.take(), &it);
  EXPECT_EQ(moved.take(), nullptr);
}

}  // namespace
}  // namespace fuseboard
