// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/single_flight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <barrier>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cache/support.h"

namespace fuseboard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// One caller and all that it was told.
struct Caller {
  std::string name;
  FlightWaiter waiter;
  std::optional<Flight> flight;
  bool leads() const { return flight.has_value(); }
};

class SingleFlightTest : public testing::Test {
 protected:
  std::unique_ptr<Caller> join(const std::string& name, std::uint8_t key = 1) {
    auto caller = std::make_unique<Caller>();
    caller->name = name;
    Caller* const it = caller.get();
    auto joined =
        flights_.join(cache_key(key), {.shared =
                                           [this, name](const CachedResponsePtr& response) {
                                             log_.push_back(name + " gets " + std::get<std::string>(response->content));
                                           },
                                       .lead =
                                           [this, name, it](Flight flight) {
                                             log_.push_back(name + " leads");
                                             it->flight = std::move(flight);
                                           },
                                       .cancel = [this, name] { log_.push_back(name + " stops"); }});
    caller->waiter = std::move(joined.waiter);
    caller->flight = std::move(joined.flight);
    return caller;
  }

  std::vector<std::string> log_;
  SingleFlight flights_{{.max_flights = 3, .max_waiters_per_flight = 4}};
};

TEST_F(SingleFlightTest, OneCallsAndAllGetItsAnswer) {  // CCH-4
  const auto a = join("a");
  const auto b = join("b");
  const auto c = join("c");
  EXPECT_TRUE(a->leads());
  EXPECT_FALSE(b->leads() || c->leads());
  EXPECT_TRUE(b->waiter.waiting());
  EXPECT_EQ(flights_.snapshot().waiters, 3U);
  std::move(*a->flight).succeed(answer("42"));
  EXPECT_THAT(log_, ElementsAre("b gets 42", "c gets 42"));
  EXPECT_EQ(flights_.snapshot().flights, 0U);
  EXPECT_EQ(flights_.snapshot().waiters, 0U);
  EXPECT_EQ(flights_.snapshot().shared, 2U);
  EXPECT_TRUE(join("late")->leads()) << "the next one looks in the cache, or calls";
}

TEST_F(SingleFlightTest, DifferentKeysShareNothing) {  // CCH-1.1 CCH-4
  const auto a = join("a", 1);
  const auto b = join("b", 2);
  EXPECT_TRUE(a->leads() && b->leads());
}

TEST_F(SingleFlightTest, WhenItFailsExactlyOneWaiterTriesNext) {  // CCH-4
  const auto a = join("a");
  const auto b = join("b");
  const auto c = join("c");
  std::move(*a->flight).fail();
  EXPECT_THAT(log_, ElementsAre("b leads"));
  EXPECT_EQ(flights_.snapshot().waiters, 2U) << "the failure was a's";
  const auto d = join("d");
  EXPECT_FALSE(d->leads());
  std::move(*b->flight).fail();
  std::move(*c->flight).succeed(answer("42"));
  EXPECT_THAT(log_, ElementsAre("b leads", "c leads", "d gets 42"));
  EXPECT_EQ(flights_.snapshot().led, 3U);
}

TEST_F(SingleFlightTest, AFailureWithNobodyWaitingEndsIt) {  // CCH-4
  const auto a = join("a");
  std::move(*a->flight).fail();
  EXPECT_EQ(flights_.snapshot().flights, 0U);
  EXPECT_EQ(flights_.snapshot().cancelled, 0U);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(SingleFlightTest, AForgottenFlightHasFailed) {  // CCH-4
  const auto a = join("a");
  const auto b = join("b");
  a->flight.reset();
  EXPECT_TRUE(b->leads());
}

TEST_F(SingleFlightTest, TheCallIsCancelledWhenTheLastWaiterLeavesAndNotTheFirst) {  // CCH-4
  const auto a = join("a");
  auto b = join("b");
  auto c = join("c");
  a->waiter.leave();
  EXPECT_THAT(log_, IsEmpty()) << "the leader's caller is one like any other";
  EXPECT_FALSE(a->flight->cancelled());
  b.reset();
  EXPECT_THAT(log_, IsEmpty());
  c->waiter.leave();
  EXPECT_THAT(log_, ElementsAre("a stops"));
  EXPECT_TRUE(a->flight->cancelled());
  c->waiter.leave();
  std::move(*a->flight).succeed(answer("too late"));
  EXPECT_THAT(log_, ElementsAre("a stops"));
  EXPECT_EQ(flights_.snapshot().cancelled, 1U);
}

TEST_F(SingleFlightTest, TheAnswerStillReachesThoseWhoStayedWhenTheLeadersCallerLeft) {  // CCH-4
  const auto a = join("a");
  const auto b = join("b");
  a->waiter.leave();
  std::move(*a->flight).succeed(answer("42"));
  EXPECT_THAT(log_, ElementsAre("b gets 42"));
}

TEST_F(SingleFlightTest, ACancelledFlightDoesNotTouchTheNextOneOfItsKey) {  // CCH-4
  auto a = join("a");
  a->waiter.leave();
  const auto b = join("b");
  const auto c = join("c");
  EXPECT_TRUE(b->leads());
  std::move(*a->flight).succeed(answer("stale"));
  a.reset();
  EXPECT_THAT(log_, ElementsAre("a stops"));
  EXPECT_FALSE(b->flight->cancelled());
  std::move(*b->flight).succeed(answer("42"));
  EXPECT_THAT(log_, ElementsAre("a stops", "c gets 42"));
}

TEST_F(SingleFlightTest, WhoHasFailedAndLeavesTakesNobodyWithIt) {  // CCH-4
  auto a = join("a");
  const auto b = join("b");
  std::move(*a->flight).fail();
  a.reset();
  EXPECT_FALSE(b->flight->cancelled());
  EXPECT_EQ(flights_.snapshot().waiters, 1U);
  b->waiter.leave();
  EXPECT_THAT(log_, ElementsAre("b leads", "b stops")) << "the present leader's call is the one to stop";
}

TEST_F(SingleFlightTest, AWaiterThatLeftIsNotAskedToLead) {  // CCH-4
  const auto a = join("a");
  const auto b = join("b");
  const auto c = join("c");
  b->waiter.leave();
  std::move(*a->flight).fail();
  EXPECT_THAT(log_, ElementsAre("c leads"));
}

TEST_F(SingleFlightTest, AtEitherBoundARequestGoesAlone) {  // CORE-5 CCH-4
  std::vector<std::unique_ptr<Caller>> callers;
  for (const std::uint8_t key : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}})
    callers.push_back(join("leader", key));
  const auto other = join("other", 4);
  EXPECT_FALSE(other->leads() || other->waiter.waiting());
  for (int i = 0; i < 3; ++i) callers.push_back(join("waiter", 1));
  const auto fifth = join("fifth", 1);
  EXPECT_FALSE(fifth->leads() || fifth->waiter.waiting());
  EXPECT_EQ(flights_.snapshot().alone, 2U);
  callers[0]->waiter.leave();
  EXPECT_TRUE(join("in its place", 1)->waiter.waiting());
}

TEST_F(SingleFlightTest, NoticesMayCallBack) {  // CORE-3
  SingleFlight flights;
  std::optional<SingleFlight::Joined> again;
  auto leader = flights.join(cache_key(1), {});
  auto follower = flights.join(cache_key(1), {.shared = [&](const CachedResponsePtr&) {
                                 (void)flights.snapshot();
                                 again = flights.join(cache_key(1), {});
                               }});
  std::move(*leader.flight).succeed(answer("x"));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->flight.has_value());
}

TEST_F(SingleFlightTest, WhatANoticeHoldsIsFreedOutsideTheLock) {  // CORE-3
  SingleFlight flights;
  // The waiter lies in its own notice, as where a driver owns both.
  const auto driver = [&flights] {
    auto waiter = std::make_shared<FlightWaiter>();
    auto joined = flights.join(
        cache_key(1),
        {.shared = [waiter](const CachedResponsePtr&) {}, .lead = [waiter](const Flight&) {}, .cancel = [waiter] {}});
    *waiter = std::move(joined.waiter);
    return std::move(joined.flight);
  };
  std::optional<Flight> leader = driver();
  driver();
  driver();
  std::move(*leader).succeed(answer("x"));
  EXPECT_EQ(flights.snapshot().waiters, 0U);
  leader = driver();
  driver();
  driver();
  std::move(*leader).fail();  // each in turn drops what it is asked to lead
  EXPECT_EQ(flights.snapshot().flights, 0U);
}

TEST_F(SingleFlightTest, ANoticeThatThrowsKeepsNobodyFromTheirs) {  // CORE-4.3
  SingleFlight flights;
  int told = 0;
  auto leader = flights.join(cache_key(1), {});
  auto thrower = flights.join(cache_key(1), {.shared = [](const CachedResponsePtr&) { throw std::runtime_error("x"); },
                                             .lead = [](const Flight&) { throw std::runtime_error("x"); }});
  auto other = flights.join(cache_key(1), {.shared = [&](const CachedResponsePtr&) { ++told; }});
  std::move(*leader.flight).succeed(answer("x"));
  EXPECT_EQ(told, 1);
  EXPECT_EQ(flights.snapshot().failed_notices, 1U);

  std::optional<Flight> passed_on;
  leader = flights.join(cache_key(1), {});
  thrower = flights.join(cache_key(1), {.lead = [](Flight) { throw std::runtime_error("x"); }});
  other = flights.join(cache_key(1), {.lead = [&](Flight flight) { passed_on = std::move(flight); }});
  std::move(*leader.flight).fail();
  EXPECT_TRUE(passed_on.has_value()) << "the flight that was thrown away has failed";
}

TEST_F(SingleFlightTest, AsManyAsThereMayBeCanDropTheLeadOneAfterAnother) {  // CORE-5
  SingleFlight flights({.max_waiters_per_flight = 1000});
  std::vector<SingleFlight::Joined> joined;
  for (int i = 0; i < 1000; ++i) joined.push_back(flights.join(cache_key(1), {}));
  std::move(*joined[0].flight).fail();
  EXPECT_EQ(flights.snapshot().led, 1000U);
  EXPECT_EQ(flights.snapshot().flights, 0U);
}

TEST_F(SingleFlightTest, OptionsAreChecked) {  // CORE-6
  EXPECT_EQ((SingleFlightOptions{.max_flights = 0, .max_waiters_per_flight = 1001}.validate().size()), 2U);
  EXPECT_THROW(SingleFlight({.max_flights = 0}), InvalidOptions);
}

RC_GTEST_PROP(SingleFlightOracle, AgreesWithTheRulesOnRandomHistories, ()) {  // CCH-4
  // Naive: per key, who is here in the order of coming, and who leads.
  struct Group {
    std::vector<int> here;
    int leader = -1;
  };
  std::map<std::uint8_t, Group> groups;
  std::map<int, std::uint8_t> key_of;
  std::vector<std::string> expected;
  std::vector<std::string> log;
  SingleFlight flights;
  std::map<int, Flight> flights_held;
  std::map<int, FlightWaiter> waiters;

  const int steps = *rc::gen::inRange(1, 120);
  int next = 0;
  for (int step = 0; step < steps; ++step) {
    const int action = *rc::gen::weightedElement<int>({{5, 0}, {4, 1}, {2, 2}, {2, 3}});
    if (action == 0) {
      const int id = next++;
      const auto key = *rc::gen::inRange<std::uint8_t>(0, 2);
      const std::string name = std::to_string(id);
      auto joined = flights.join(cache_key(key),
                                 {.shared = [&log, name](const CachedResponsePtr&) { log.push_back(name + " shared"); },
                                  .lead =
                                      [&, id, name](Flight flight) {
                                        log.push_back(name + " lead");
                                        flights_held.emplace(id, std::move(flight));
                                      },
                                  .cancel = [&log, name] { log.push_back(name + " cancel"); }});
      Group& group = groups[key];
      const bool leads = group.here.empty();
      RC_ASSERT(joined.flight.has_value() == leads);
      RC_ASSERT(joined.waiter.waiting());
      if (leads) {
        group.leader = id;
        flights_held.emplace(id, std::move(*joined.flight));
      }
      group.here.push_back(id);
      key_of[id] = key;
      waiters.emplace(id, std::move(joined.waiter));
    } else if (action == 1 && !waiters.empty()) {
      auto it = std::next(waiters.begin(), *rc::gen::inRange<int>(0, static_cast<int>(waiters.size())));
      const int id = it->first;
      waiters.erase(it);
      Group& group = groups[key_of[id]];
      if (std::erase(group.here, id) > 0 && group.here.empty()) {
        expected.push_back(std::to_string(group.leader) + " cancel");
        group.leader = -1;
      }
    } else if (action >= 2 && !flights_held.empty()) {
      auto it = std::next(flights_held.begin(), *rc::gen::inRange<int>(0, static_cast<int>(flights_held.size())));
      const int id = it->first;
      Flight flight = std::move(it->second);
      flights_held.erase(it);
      Group& group = groups[key_of[id]];
      const bool current = group.leader == id;
      RC_ASSERT(flight.cancelled() == !current);
      if (current) {
        std::erase(group.here, id);
        if (action == 2) {
          for (const int other : group.here) expected.push_back(std::to_string(other) + " shared");
          group = {};
        } else if (group.here.empty()) {
          group = {};
        } else {
          group.leader = group.here.front();
          expected.push_back(std::to_string(group.leader) + " lead");
        }
      }
      if (action == 2) {
        std::move(flight).succeed(answer("x"));
      } else {
        std::move(flight).fail();
      }
    }
    RC_ASSERT(log == expected);
    std::size_t here = 0;
    std::size_t active = 0;
    for (const auto& [key, group] : groups) {
      here += group.here.size();
      active += group.here.empty() ? 0U : 1U;
    }
    RC_ASSERT(flights.snapshot().waiters == here);
    RC_ASSERT(flights.snapshot().flights == active);
  }
  waiters.clear();  // so that no flight that is dropped now has anybody left to ask
  RC_ASSERT(flights.snapshot().flights == 0U);
}

// Every caller ends in one of the ways there are, and no two make the call at once.
TEST(SingleFlightThreads, NoCallerIsLostAndNoCallIsDoubled) {  // CCH-4
  constexpr int kThreads = 8;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    SingleFlight flights;
    std::atomic<int> calling{0};
    std::atomic<int> answered{0};
    std::atomic<int> failed{0};
    std::atomic<int> calls{0};
    // Fails twice, then answers.
    const auto call = [&](Flight flight) {
      EXPECT_EQ(calling.fetch_add(1), 0);
      const int number = calls++;
      --calling;
      if (number < 2) {
        ++failed;
        std::move(flight).fail();
      } else {
        ++answered;
        std::move(flight).succeed(answer("x"));
      }
    };
    std::vector<FlightWaiter> waiters(kThreads);
    std::barrier start(kThreads);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        auto joined =
            flights.join(cache_key(1), {.shared = [&](const CachedResponsePtr&) { ++answered; }, .lead = call});
        EXPECT_TRUE(joined.waiter.waiting());
        waiters[static_cast<std::size_t>(t)] = std::move(joined.waiter);
        if (joined.flight) call(std::move(*joined.flight));
      });
    }
    threads.clear();
    EXPECT_EQ(answered + failed, kThreads);
    EXPECT_EQ(flights.snapshot().flights, 0U);
    EXPECT_EQ(flights.snapshot().waiters, 0U);
  }
}

TEST(SingleFlightThreads, LeavingAndEndingMeetInNoBadWay) {  // CCH-4
  constexpr int kThreads = 6;
  SingleFlight flights;
  std::atomic<int> stops{0};
  for (int round = 0; round < 300; ++round) {
    std::vector<SingleFlight::Joined> joined;
    for (int t = 0; t < kThreads; ++t) {
      joined.push_back(flights.join(cache_key(1), {.cancel = [&] { ++stops; }}));
    }
    Flight flight = std::move(*joined[0].flight);
    joined[0].flight.reset();
    std::barrier start(kThreads + 1);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        joined[static_cast<std::size_t>(t)].waiter.leave();
      });
    }
    start.arrive_and_wait();
    if (round % 2 == 0) {
      std::move(flight).succeed(answer("x"));
    } else {
      std::move(flight).fail();  // nobody takes the lead over: each drops it
    }
    threads.clear();
    EXPECT_EQ(flights.snapshot().flights, 0U);
    EXPECT_EQ(flights.snapshot().waiters, 0U);
  }
  EXPECT_EQ(flights.snapshot().cancelled, static_cast<std::uint64_t>(stops.load()));
}

}  // namespace
}  // namespace fuseboard
