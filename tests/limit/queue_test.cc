// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using enum Priority;

Deadline in(Duration d) { return Deadline::after(kStart, d); }

WaitTicket waits(WaitQueue& queue, const WaitRequest& request, TimePoint now = kStart) {
  auto ticket = queue.enqueue(now, request);
  if (ticket) return *ticket;
  ADD_FAILURE() << "refused: " << name(ticket.error().reason);
  return {};
}

// As a limiter does that always has room.
std::optional<WaitTicket> pop(WaitQueue& queue, TimePoint now = kStart) {
  const auto ticket = queue.next(now);
  if (ticket) {
    EXPECT_TRUE(queue.cancel(*ticket));
  }
  return ticket;
}

std::vector<std::uint64_t> pop_all(WaitQueue& queue, TimePoint now = kStart) {
  std::vector<std::uint64_t> order;
  while (const auto ticket = pop(queue, now)) order.push_back(ticket->number);
  return order;
}

TEST(WaitQueue, IsOrderedByPriorityThenDeadlineThenArrival) {  // LIM-7.1
  WaitQueue queue;
  const auto first = waits(queue, {.priority = normal, .deadline = in(20s)});
  const auto second = waits(queue, {.priority = low, .deadline = in(1s)});
  const auto third = waits(queue, {.priority = normal, .deadline = in(10s)});
  const auto fourth = waits(queue, {.priority = critical});
  const auto fifth = waits(queue, {.priority = normal, .deadline = in(10s)});
  EXPECT_THAT(pop_all(queue), ElementsAre(fourth.number, third.number, fifth.number, first.number, second.number));
}

TEST(WaitQueue, WaitingLiftsAWaiterSoThatNothingStarves) {  // LIM-7.1
  WaitQueue queue({.ageing_step = 5s});
  const auto old = waits(queue, {.priority = low});
  TimePoint now = kStart;
  // Two critical calls come for each that is admitted: without ageing the old one would never go.
  for (int rounds = 0;; ++rounds) {
    ASSERT_LT(rounds, 35) << "it waits behind those of its first 15 s at most";
    waits(queue, {.priority = critical}, now);
    waits(queue, {.priority = critical}, now);
    if (pop(queue, now) == old) break;
    now += 1s;
  }
  EXPECT_GE(now, kStart + 15s) << "but not before its time";
}

TEST(WaitQueue, AWaiterWhoseDeadlineCannotBeMetIsRefusedAtOnce) {  // LIM-7.2
  WaitQueue queue({}, "key");
  const auto hopeless = queue.enqueue(kStart, {.deadline = in(2s), .soonest = 2s});
  ASSERT_FALSE(hopeless);
  EXPECT_EQ(hopeless.error().reason, RejectionReason::deadline_exceeded);
  EXPECT_EQ(hopeless.error().key, "key");
  EXPECT_TRUE(queue.enqueue(kStart, {.deadline = in(2s), .soonest = 1s}));
  EXPECT_FALSE(queue.enqueue(kStart, {.deadline = in(0s)})) << "it has passed";
  EXPECT_EQ(queue.size(), 1U);
}

TEST(WaitQueue, IsBoundedAndSendsNobodyAwayForAnother) {  // LIM-7.1 CORE-5
  WaitQueue queue({.capacity = 2});
  const auto first = waits(queue, {.priority = low});
  waits(queue, {.priority = low});
  const auto rejected = queue.enqueue(kStart, {.priority = critical});
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, RejectionReason::queue_full);
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_TRUE(queue.cancel(first));
  EXPECT_TRUE(queue.enqueue(kStart, {.priority = critical}));
}

TEST(WaitQueue, CancellingRemoves) {  // LIM-7.2
  WaitQueue queue;
  const auto first = waits(queue, {});
  const auto second = waits(queue, {});
  EXPECT_TRUE(queue.cancel(first));
  EXPECT_FALSE(queue.cancel(first));
  EXPECT_THAT(pop_all(queue), ElementsAre(second.number));
  EXPECT_FALSE(queue.cancel(second)) << "it has gone";
  EXPECT_EQ(queue.size(), 0U);
}

TEST(WaitQueue, WhoRanOutOfTimeIsNotNextThoughItWaits) {  // LIM-7.2
  WaitQueue queue;
  const auto late = waits(queue, {.priority = critical, .deadline = in(2s)});
  waits(queue, {.priority = low, .deadline = in(1s)});
  const auto patient = waits(queue, {.priority = low});
  EXPECT_EQ(queue.next(kStart + 2s - 1ns), late);
  EXPECT_EQ(pop(queue, kStart + 2s), patient);
  EXPECT_EQ(queue.next(kStart + 2s), std::nullopt);
  EXPECT_EQ(queue.size(), 2U) << "until they leave";
}

TEST(WaitQueue, EveryProblemIsReported) {  // CORE-6
  EXPECT_THAT(fields_of(WaitQueueOptions{.capacity = 0, .ageing_step = 0s}.validate()),
              ElementsAre("capacity", "ageing_step"));
  EXPECT_THROW(WaitQueue({.capacity = 4097}), InvalidOptions);
}

RC_GTEST_PROP(WaitQueueOracle, AgreesWithSortingTheWaiters, ()) {  // LIM-7.1
  struct Naive {
    std::uint64_t number;
    int priority;
    TimePoint since;
    TimePoint deadline;
  };
  const std::size_t capacity = *rc::gen::inRange<std::size_t>(1, 12);
  WaitQueue queue({.capacity = capacity, .ageing_step = 2s});
  std::vector<Naive> waiting;
  TimePoint now = kStart;
  const int steps = *rc::gen::inRange(1, 120);
  for (int step = 0; step < steps; ++step) {
    now += *rc::gen::element<Duration>(0s, 0s, 500ms, 1s, 3s);
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1:
      case 2: {
        const int priority = *rc::gen::inRange(0, 4);
        const auto deadline = *rc::gen::element(kNever, now + 1s, now + 4s, now + 9s, now);
        const auto ticket = queue.enqueue(now, {.priority = static_cast<Priority>(priority),
                                                .deadline = deadline == kNever ? Deadline() : Deadline::at(deadline)});
        RC_ASSERT(ticket.has_value() == (waiting.size() < capacity && deadline > now));
        if (ticket) waiting.push_back({ticket->number, priority, now, deadline});
        break;
      }
      case 3: {
        if (waiting.empty()) break;
        const auto index = *rc::gen::inRange<std::size_t>(0, waiting.size());
        RC_ASSERT(queue.cancel({waiting[index].number}));
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
        break;
      }
      default: {
        std::vector<Naive> ready;
        for (const Naive& waiter : waiting) {
          if (waiter.deadline > now) ready.push_back(waiter);
        }
        std::sort(ready.begin(), ready.end(), [&](const Naive& a, const Naive& b) {
          return std::tuple(-(a.priority + (now - a.since) / Duration(2s)), a.deadline, a.number) <
                 std::tuple(-(b.priority + (now - b.since) / Duration(2s)), b.deadline, b.number);
        });
        const auto popped = pop(queue, now);
        RC_ASSERT(popped.has_value() == !ready.empty());
        if (popped) {
          RC_ASSERT(popped->number == ready.front().number);
          std::erase_if(waiting, [&](const Naive& waiter) { return waiter.number == popped->number; });
        }
        std::erase_if(waiting, [&](const Naive& waiter) {
          const bool gives_up = waiter.deadline <= now;
          if (gives_up) RC_ASSERT(queue.cancel({waiter.number}));
          return gives_up;
        });
      }
    }
    RC_ASSERT(queue.size() == waiting.size());
  }
}

}  // namespace
}  // namespace fuseboard
