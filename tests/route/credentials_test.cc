// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/credentials.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "tests/route/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

const Outcome kSuccess = Outcome::success();
const Outcome kRefused = failed(Category::authentication);

Outcome refused_for(Duration hint, Category category = Category::quota_exhausted) {
  return Outcome::failed(Failure::of(category, hint));
}

class CredentialGateTest : public testing::Test {
 protected:
  CredentialPass pass(TimePoint now) {
    auto pass = gate_.try_pass(now);
    EXPECT_TRUE(pass);
    return pass ? *std::move(pass) : CredentialPass();
  }
  void settle(TimePoint now, const Outcome& outcome) { pass(now).settle(now, outcome); }
  bool open(TimePoint now) const { return !gate_.peek_rejection(now); }

  CredentialGate gate_{"openai"};
};

TEST_F(CredentialGateTest, ARefusedCredentialRestsForAMinute) {  // FBK-6.3
  settle(kStart, kRefused);
  const auto rejection = gate_.try_pass(kStart + 1s);
  ASSERT_FALSE(rejection);
  EXPECT_EQ(rejection.error().reason, RejectionReason::credential_parked);
  EXPECT_EQ(rejection.error().key, "openai");
  EXPECT_EQ(rejection.error().retry_after, 59s);
  EXPECT_EQ(rejection.error().last_failure, Category::authentication);
  EXPECT_FALSE(open(kStart + 60s - 1ns));
  EXPECT_TRUE(open(kStart + 60s));
}

TEST_F(CredentialGateTest, OnlyWhatIsAboutTheCredentialParksIt) {  // FBK-6.2
  for (const CategoryProperties& row : all_categories()) {
    CredentialGate gate("key");
    std::move(*gate.try_pass(kStart)).settle(kStart, failed(row.category));
    EXPECT_EQ(gate.snapshot(kStart).parked,
              row.category == Category::authentication || row.category == Category::quota_exhausted)
        << row.name;
  }
}

TEST_F(CredentialGateTest, AHintReplacesTheMinuteUpToAnHour) {  // FBK-6.3
  const auto parked_for = [](Duration hint) {
    CredentialGate gate("key");
    std::move(*gate.try_pass(kStart)).settle(kStart, refused_for(hint));
    return *gate.snapshot(kStart).until - kStart;
  };
  EXPECT_EQ(parked_for(90s), 90s);
  EXPECT_EQ(parked_for(5s), 5s);
  EXPECT_EQ(parked_for(24h * 30), 1h);
  EXPECT_EQ(parked_for(kForever), 1h);
  EXPECT_EQ(parked_for(0s), 60s) << "no time is no hint";
}

TEST_F(CredentialGateTest, OneProbeIsLetThroughAndItsSuccessUnparks) {  // FBK-6.3, FBK-6.4
  settle(kStart, kRefused);
  const TimePoint later = kStart + 60s;
  CredentialPass probe = pass(later);
  EXPECT_TRUE(probe.is_probe());
  EXPECT_TRUE(gate_.snapshot(later).probe_in_flight);
  const auto second = gate_.try_pass(later + 1s);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().retry_after, gate_.options().probe_lease - 1s);
  std::move(probe).settle(later + 1s, kSuccess);
  EXPECT_FALSE(gate_.snapshot(later + 1s).parked);
  EXPECT_FALSE(pass(later + 1s).is_probe());
}

TEST_F(CredentialGateTest, AProbesFailureParksAgain) {  // FBK-6.4
  settle(kStart, kRefused);
  settle(kStart + 60s, refused_for(10min));
  const auto snapshot = gate_.snapshot(kStart + 61s);
  EXPECT_EQ(snapshot.parked_since, kStart);
  EXPECT_EQ(snapshot.until, kStart + 60s + 10min);
  EXPECT_EQ(snapshot.category, Category::quota_exhausted);
  EXPECT_EQ(snapshot.times_parked, 2U);
  EXPECT_EQ(snapshot.probes, 1U);
  EXPECT_FALSE(open(kStart + 10min));
  EXPECT_TRUE(open(kStart + 11min));
}

TEST_F(CredentialGateTest, AProbeThatSaysNothingOfTheCredentialLeavesItToTheNext) {  // FBK-6.4
  settle(kStart, kRefused);
  const TimePoint later = kStart + 60s;
  for (const Outcome& outcome : {failed(Category::network), failed(Category::rate_limit), Outcome::cancelled(),
                                 failed(Category::invalid_request)}) {
    settle(later, outcome);
    EXPECT_TRUE(gate_.snapshot(later).parked);
    EXPECT_TRUE(open(later));
  }
  {
    const CredentialPass forgotten = pass(later);
  }
  EXPECT_TRUE(open(later));
}

TEST_F(CredentialGateTest, ALostProbeDoesNotWedgeIt) {  // FBK-6.4
  settle(kStart, kRefused);
  const TimePoint later = kStart + 60s;
  CredentialPass lost = pass(later);
  const TimePoint lease_end = later + gate_.options().probe_lease;
  EXPECT_FALSE(open(lease_end - 1ns));
  CredentialPass next = pass(lease_end);
  EXPECT_TRUE(next.is_probe());
  std::move(lost).settle(lease_end + 1s, kRefused);
  EXPECT_EQ(gate_.snapshot(lease_end + 1s).times_parked, 1U) << "its late report changes nothing";
  EXPECT_FALSE(open(lease_end + 1s)) << "and frees nobody else's place";
  std::move(next).settle(lease_end + 1s, kSuccess);
  EXPECT_TRUE(open(lease_end + 1s));
}

TEST_F(CredentialGateTest, LateReportsFromBeforeTheParkingChangeNothing) {  // FBK-6.5
  CredentialPass slow_success = pass(kStart);
  CredentialPass slow_refusal = pass(kStart);
  settle(kStart, kRefused);
  std::move(slow_success).settle(kStart + 1s, kSuccess);
  EXPECT_FALSE(open(kStart + 59s)) << "a late success unparks nothing";
  std::move(slow_refusal).settle(kStart + 50s, kRefused);
  EXPECT_TRUE(open(kStart + 60s)) << "a late refusal extends nothing";
}

TEST_F(CredentialGateTest, AReloadUnparksAndOldPassesSpeakOfTheOldSecret) {  // FBK-6.5, FBK-6.6
  CredentialPass old_call = pass(kStart);
  settle(kStart, kRefused);
  CredentialPass old_probe = pass(kStart + 60s);
  gate_.unpark();
  EXPECT_TRUE(open(kStart + 60s));
  std::move(old_call).settle(kStart + 61s, kRefused);
  std::move(old_probe).settle(kStart + 61s, kRefused);
  EXPECT_FALSE(gate_.snapshot(kStart + 61s).parked);
  CredentialPass before_a_second_reload = pass(kStart + 61s);
  gate_.unpark();
  std::move(before_a_second_reload).settle(kStart + 61s, kRefused);
  EXPECT_FALSE(gate_.snapshot(kStart + 61s).parked);
}

TEST_F(CredentialGateTest, APassCountsOnceHoweverItIsMoved) {  // FBK-6.4
  settle(kStart, kRefused);
  CredentialPass probe = pass(kStart + 60s);
  CredentialPass moved = std::move(probe);
  EXPECT_FALSE(open(kStart + 60s));
  moved = CredentialPass();
  EXPECT_TRUE(open(kStart + 60s)) << "overwritten is forgotten";
  CredentialPass next = pass(kStart + 60s);
  std::move(next).settle(kStart + 60s, kSuccess);
  std::move(next).settle(kStart + 60s, kRefused);
  EXPECT_FALSE(gate_.snapshot(kStart + 60s).parked) << "settled twice is settled once";
  CredentialPass().settle(kStart, kRefused);
}

TEST_F(CredentialGateTest, LookingTakesNoProbeAndCountsNoDenial) {  // FBK-6.3
  settle(kStart, kRefused);
  EXPECT_FALSE(open(kStart));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(open(kStart + 60s));
  EXPECT_EQ(gate_.snapshot(kStart).denials, 0U);
  EXPECT_EQ(gate_.snapshot(kStart).probes, 0U);
  EXPECT_FALSE(gate_.try_pass(kStart + 1s));
  EXPECT_EQ(gate_.snapshot(kStart).denials, 1U);
}

TEST_F(CredentialGateTest, TheEndsOfTimeAreNoTrouble) {  // CORE-7
  settle(TimePoint::max() - 1ns, refused_for(kForever));
  EXPECT_EQ(gate_.snapshot(TimePoint::max()).until, TimePoint::max());
  EXPECT_TRUE(open(TimePoint::max()));
}

TEST_F(CredentialGateTest, OptionsAreChecked) {  // CORE-6
  EXPECT_EQ((CredentialGateOptions{.park = 0s, .park_max = 25h, .probe_lease = 0s}.validate().size()), 3U);
  EXPECT_EQ((CredentialGateOptions{.park = 2h}.validate().size()), 1U) << "longer than the longest";
  EXPECT_THROW(CredentialGate("key", {.park = 0s}), InvalidOptions);
}

TEST_F(CredentialGateTest, ThreadsTogetherGetOneProbe) {  // FBK-6.3
  for (int round = 0; round < 200; ++round) {
    CredentialGate gate("key");
    std::move(*gate.try_pass(kStart)).settle(kStart, kRefused);
    std::atomic<int> probes{0};
    std::vector<CredentialPass> held(kThreads);
    together(kThreads, [&](int thread) {
      auto pass = gate.try_pass(kStart + 60s);
      if (!pass) return;
      ++probes;
      held[static_cast<std::size_t>(thread)] = *std::move(pass);
    });
    ASSERT_EQ(probes, 1);
  }
}

TEST_F(CredentialGateTest, ThreadsThatParkProbeAndReloadLeaveItUsable) {  // FBK-6.4
  std::atomic<std::int64_t> seconds{0};
  together(kThreads, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      const TimePoint now = kStart + std::chrono::seconds(seconds.fetch_add(1));
      auto pass = gate_.try_pass(now);
      if (pass && i % 4 != 0) std::move(*pass).settle(now, (i + thread) % 3 == 0 ? kRefused : kSuccess);
      if (i % 500 == 0) gate_.unpark();
      (void)gate_.peek_rejection(now);
      (void)gate_.snapshot(now);
    }
  });
  const TimePoint end = kStart + std::chrono::seconds(seconds) + 3h;
  settle(end, kSuccess);
  EXPECT_FALSE(gate_.snapshot(end).parked);
}

// Against a naive model, with passes that are settled in any order or lost.
RC_GTEST_PROP(CredentialGateProperty, AdmitsWhatANaiveModelAdmits, ()) {  // FBK-6.3, FBK-6.4
  CredentialGate gate("key");
  struct Held {
    CredentialPass pass;
    int generation;
    int probe;  // 0: none
  };
  std::vector<Held> held;
  TimePoint now = kStart;
  bool parked = false;
  TimePoint until{};
  int generation = 0;
  int probes = 0;
  int running = 0;
  TimePoint lease_end{};
  const int steps = *rc::gen::inRange(1, 80);
  for (int i = 0; i < steps; ++i) {
    now += *rc::gen::element<Duration>(0s, 1s, 30s, 60s, 65s, 1h);
    const int action = *rc::gen::weightedElement<int>({{6, 0}, {5, 1}, {1, 2}});
    if (action == 0) {
      const bool expected = !parked || (now >= until && (running == 0 || now >= lease_end));
      auto pass = gate.try_pass(now);
      RC_ASSERT(pass.has_value() == expected);
      RC_ASSERT(!pass || pass->is_probe() == parked);
      if (!pass) {
        RC_ASSERT(*pass.error().retry_after > 0s);
        RC_ASSERT(!gate.peek_rejection(now + *pass.error().retry_after).has_value());
        continue;
      }
      if (parked) {
        running = ++probes;
        lease_end = now + gate.options().probe_lease;
      }
      held.push_back({*std::move(pass), generation, parked ? running : 0});
    } else if (action == 1 && !held.empty()) {
      const auto which = *rc::gen::inRange<std::size_t>(0, held.size());
      Held taken = std::move(held[which]);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
      const bool current = taken.generation == generation && (!parked || taken.probe == running);
      const int end = *rc::gen::inRange(0, 4);  // success, refusal, another failure, forgotten
      if (end == 0) std::move(taken.pass).settle(now, kSuccess);
      if (end == 1) std::move(taken.pass).settle(now, kRefused);
      if (end == 2) std::move(taken.pass).settle(now, failed(Category::network));
      // A probe's success counts after its lease, too.
      const bool proves = end == 0 && parked && taken.probe != 0 && taken.generation == generation;
      if (proves || (current && taken.probe != 0)) running = 0;
      if (proves) {
        parked = false;
        ++generation;
      } else if (current && end == 1) {
        parked = true;
        until = now + 60s;
        ++generation;
      }
    } else if (action == 2) {
      gate.unpark();
      parked = false;
      running = 0;
      ++generation;
    }
    RC_ASSERT(gate.snapshot(now).parked == parked);
  }
  held.clear();
  RC_ASSERT(!gate.peek_rejection(now + 2h).has_value());
}

}  // namespace
}  // namespace fuseboard
