// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/events.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace fuseboard {
namespace {

TEST(EventOutbox, EveryListenerSeesEventsInTheOrderOfPosting) {  // CORE-4.1
  EventOutbox<int> outbox;
  std::vector<int> first;
  std::vector<int> second;
  const auto one = outbox.subscribe([&](int event) { first.push_back(event); });
  const auto two = outbox.subscribe([&](int event) { second.push_back(event); });
  for (int i = 0; i < 5; ++i) outbox.post(i);
  EXPECT_TRUE(first.empty()) << "post() must not call listeners: its caller holds a lock";
  outbox.deliver();
  EXPECT_EQ(first, (std::vector{0, 1, 2, 3, 4}));
  EXPECT_EQ(second, first);
}

TEST(EventOutbox, ManyThreadsPostAndDeliverWithoutLosingOrder) {  // CORE-4.1, CORE-4.2
  EventOutbox<std::pair<int, int>> outbox(1'000'000);
  std::vector<int> last(4, -1);
  std::size_t seen = 0;
  bool ordered = true;
  const auto subscription = outbox.subscribe([&](const std::pair<int, int>& event) {
    int& before = last[static_cast<std::size_t>(event.first)];
    ordered = ordered && event.second == before + 1;
    before = event.second;
    ++seen;  // no lock: one thread delivers at a time
  });
  std::barrier start(4);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < 2000; ++i) {
        outbox.post({t, i});
        outbox.deliver();
      }
    });
  }
  threads.clear();
  outbox.deliver();
  EXPECT_EQ(seen, 8000U);
  EXPECT_TRUE(ordered);
}

TEST(EventOutbox, AListenerThatThrowsIsCountedAndTheOthersGoOn) {  // CORE-4.3
  EventOutbox<int> outbox;
  int heard = 0;
  const auto bad = outbox.subscribe([](int) { throw std::runtime_error("listener"); });
  const auto good = outbox.subscribe([&](int) { ++heard; });
  outbox.post(1);
  outbox.post(2);
  outbox.deliver();
  EXPECT_EQ(heard, 2);
  EXPECT_EQ(outbox.listener_errors(), 2U);
}

TEST(EventOutbox, AListenerMayPostDeliverSubscribeAndUnsubscribe) {  // CORE-3 CORE-4.4
  EventOutbox<int> outbox;
  std::vector<int> heard;
  Subscription later;
  Subscription self = outbox.subscribe([&](int event) {
    heard.push_back(event);
    if (event == 1) {
      outbox.post(2);
      outbox.deliver();  // comes after this event, not inside it
      heard.push_back(-1);
      later = outbox.subscribe([&](int inner) { heard.push_back(inner * 10); });
    }
    if (event == 2) self.reset();
  });
  outbox.post(1);
  outbox.deliver();
  EXPECT_EQ(heard, (std::vector{1, -1, 2, 20}));
  heard.clear();
  outbox.post(3);
  outbox.deliver();
  EXPECT_EQ(heard, std::vector{30});
}

TEST(EventOutbox, AListenerThatBlocksDelaysNoOtherThread) {  // CORE-3 CORE-4.2
  EventOutbox<int> outbox;
  std::barrier inside(2);
  std::barrier leave(2);
  int heard = 0;
  const auto subscription = outbox.subscribe([&](int event) {
    ++heard;
    if (event == 1) {
      inside.arrive_and_wait();
      leave.arrive_and_wait();
    }
  });
  outbox.post(1);
  std::jthread blocked([&] { outbox.deliver(); });
  inside.arrive_and_wait();
  outbox.post(2);
  outbox.deliver();  // would wait for ever if it waited for the listener
  EXPECT_EQ(heard, 1);
  leave.arrive_and_wait();
  blocked.join();
  EXPECT_EQ(heard, 2);
}

TEST(EventOutbox, AtTheBoundNewEventsAreDroppedAndCounted) {  // CORE-5
  EventOutbox<int> outbox(3);
  std::vector<int> heard;
  const auto subscription = outbox.subscribe([&](int event) { heard.push_back(event); });
  for (int i = 0; i < 5; ++i) outbox.post(i);
  EXPECT_EQ(outbox.dropped(), 2U);
  outbox.deliver();
  EXPECT_EQ(heard, (std::vector{0, 1, 2}));
}

TEST(EventOutbox, NothingIsKeptWhileNobodyListens) {  // CORE-5
  EventOutbox<int> outbox(1);
  for (int i = 0; i < 5; ++i) outbox.post(i);
  EXPECT_EQ(outbox.dropped(), 0U);
  int heard = 0;
  const auto subscription = outbox.subscribe([&](int) { ++heard; });
  outbox.deliver();
  EXPECT_EQ(heard, 0);
}

TEST(EventOutbox, AListenerMayDestroyTheOutboxAndASubscriptionMayOutliveIt) {  // CORE-4.4
  auto outbox = std::make_unique<EventOutbox<int>>();
  const Subscription subscription = outbox->subscribe([&](int) { outbox.reset(); });
  outbox->post(1);
  outbox->deliver();
  EXPECT_EQ(outbox, nullptr);
}

TEST(Subscription, EndsWithItsObjectAndCanBeMoved) {
  EventOutbox<int> outbox;
  int heard = 0;
  {
    Subscription moved;
    {
      Subscription subscription = outbox.subscribe([&](int) { ++heard; });
      moved = std::move(subscription);
    }
    outbox.post(1);
    outbox.deliver();
    EXPECT_EQ(heard, 1);
  }
  outbox.post(2);
  outbox.deliver();
  EXPECT_EQ(heard, 1);
}

TEST(Subscription, OneThatIsDestroyedWaitsForADeliveryUnderWayOnAnotherThread) {  // CORE-4.5
  EventOutbox<int> outbox;
  std::barrier inside(2);
  std::atomic<bool> ending{false};
  std::atomic<bool> ended{false};
  bool ended_within = true;
  std::optional<Subscription> subscription(outbox.subscribe([&](int) {
    inside.arrive_and_wait();
    ending.wait(false);
    // An end that does not wait comes while this goes on.
    for (int i = 0; i < 200 && !ended; ++i) std::this_thread::yield();
    ended_within = ended;
  }));
  outbox.post(1);
  std::jthread delivering([&] { outbox.deliver(); });
  inside.arrive_and_wait();
  ending = true;
  ending.notify_one();
  subscription.reset();
  ended = true;
  const bool seen = ended_within;  // no lock: what the listener did is over
  EXPECT_FALSE(seen);
}

TEST(Subscription, ItsOwnListenerMayEndItAndIsNotCalledAgain) {  // CORE-4.5, CORE-4.6
  EventOutbox<int> outbox;
  int heard = 0;
  const auto alive = std::make_shared<int>(0);
  Subscription self = outbox.subscribe([&, alive](int) {
    ++heard;
    self.reset();
  });
  for (int i = 0; i < 5; ++i) outbox.post(i);
  outbox.deliver();
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(alive.use_count(), 1) << "the listener is gone, with what it held";
}

TEST(Subscription, AListenerMayDestroyTheOwnerOfAnother) {  // CORE-4.5
  struct Owner {
    explicit Owner(EventOutbox<int>& outbox)
        : subscription(outbox.subscribe([this](int event) { heard.push_back(event); })) {}
    std::vector<int> heard;
    Subscription subscription;
  };
  EventOutbox<int> outbox;
  std::unique_ptr<Owner> before;
  std::unique_ptr<Owner> after;
  std::vector<int> heard_by_first;
  before = std::make_unique<Owner>(outbox);
  const Subscription destroyer = outbox.subscribe([&](int event) {
    if (before != nullptr) heard_by_first = before->heard;
    before.reset();
    after.reset();
    if (event == 1) outbox.deliver();
  });
  after = std::make_unique<Owner>(outbox);
  const Subscription last = outbox.subscribe([&](int event) { heard_by_first.push_back(-event); });
  outbox.post(1);
  outbox.post(2);
  outbox.deliver();
  EXPECT_EQ(heard_by_first, (std::vector{1, -1, -2})) << "those that stay hear everything, those that are gone no more";
  EXPECT_EQ(outbox.listener_errors(), 0U) << "nothing that is gone was called";
}

TEST(Subscription, WhatItsListenerHoldsMayCallBackAsItGoes) {  // CORE-4.4
  struct CallsBack {
    explicit CallsBack(EventOutbox<int>& posted_to) : outbox(posted_to) {}
    ~CallsBack() { outbox.post(7); }
    EventOutbox<int>& outbox;
  };
  EventOutbox<int> outbox;
  std::vector<int> heard;
  const Subscription other = outbox.subscribe([&](int event) { heard.push_back(event); });
  Subscription self;
  self = outbox.subscribe([&self, held = std::make_shared<CallsBack>(outbox)](int) { self.reset(); });
  outbox.post(1);
  outbox.deliver();
  EXPECT_EQ(heard, (std::vector{1, 7}));
}

TEST(Subscription, FromInsideADeliveryItsEndDoesNotWait) {  // CORE-4.6
  // Each listener ends the other's subscription while that one runs: who waits here waits for ever.
  EventOutbox<int> left;
  EventOutbox<int> right;
  std::barrier both(2);
  Subscription on_left;
  Subscription on_right;
  on_left = left.subscribe([&](int) {
    both.arrive_and_wait();
    on_right.reset();
    both.arrive_and_wait();
  });
  on_right = right.subscribe([&](int) {
    both.arrive_and_wait();
    on_left.reset();
    both.arrive_and_wait();
  });
  left.post(1);
  right.post(1);
  std::jthread other([&] { right.deliver(); });
  left.deliver();
  other.join();
  int heard = 0;
  const auto counting = left.subscribe([&](int) { ++heard; });
  left.post(2);
  left.deliver();
  EXPECT_EQ(heard, 1);
}

TEST(Subscription, SeveralThreadsMayEndTheirsWhileOneDelivers) {  // CORE-4.5
  EventOutbox<int> outbox;
  std::atomic<bool> stop{false};
  std::jthread delivering([&] {
    while (!stop) {
      outbox.post(1);
      outbox.deliver();
    }
  });
  std::vector<std::jthread> owners;
  std::atomic<int> called_late{0};
  for (int t = 0; t < 3; ++t) {
    owners.emplace_back([&] {
      for (int i = 0; i < 60; ++i) {
        auto alive = std::make_unique<bool>(true);
        {
          const auto subscription = outbox.subscribe([&called_late, &alive](int) {
            if (!*alive) ++called_late;
          });
          std::this_thread::yield();
        }
        *alive = false;
        alive.reset();
      }
    });
  }
  owners.clear();
  stop = true;
  EXPECT_EQ(called_late, 0);
}

}  // namespace
}  // namespace fuseboard
