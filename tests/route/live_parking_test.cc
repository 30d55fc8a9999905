// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// New options for gates that are in use, and gates that outlive their process.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <utility>

#include "fuseboard/route/credentials.h"
#include "fuseboard/route/parking.h"
#include "tests/route/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Of another process, whose clock says something else.
constexpr TimePoint kRestart = TimePoint(17s);

void park(TimePoint now, ParkingGate& gate, Category category = Category::authentication) {
  auto pass = gate.try_pass(now);
  ASSERT_TRUE(pass);
  std::move(*pass).settle(now, failed(category));
}

TEST(LiveParking, WhatRestsGoesOnRestingForNoLongerThanTheOptionsAllow) {  // FBK-6.14
  ParkingGate gate("name", {.park = 10min});
  park(kStart, gate);
  gate.apply(kStart, {.park = 1s});
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 10min);
  gate.apply(kStart + 1min, {.park = 1s, .park_max = 2min});
  EXPECT_EQ(gate.peek_rejection(kStart + 1min)->retry_after, 2min);
  EXPECT_EQ(gate.options().park_max, 2min);
  EXPECT_THROW(gate.apply(kStart, {.park = 0s}), InvalidOptions);
  EXPECT_EQ(gate.options().park, 1s);
}

TEST(LiveParking, ProbesAndPassesStayWhatTheyWere) {  // FBK-6.14
  ParkingGate gate("name", {.probe_lease = 100s});
  auto before = gate.try_pass(kStart);
  park(kStart, gate);
  auto probe = gate.try_pass(kStart + 60s);
  ASSERT_TRUE(before && probe && probe->is_probe());
  gate.apply(kStart + 60s, {.probe_lease = 10s});
  EXPECT_EQ(gate.peek_rejection(kStart + 60s)->retry_after, 10s);
  std::move(*before).settle(kStart + 61s, Outcome::success());
  EXPECT_TRUE(gate.snapshot(kStart + 61s).parked) << "a report from before changes nothing";
  std::move(*probe).settle(kStart + 61s, Outcome::success());
  EXPECT_FALSE(gate.snapshot(kStart + 61s).parked);
}

TEST(LiveParking, AllGatesOfACredentialFollow) {  // FBK-6.14
  CredentialGate gate("name");
  gate.apply(kStart, {.park = 5s});
  Failure refused = Failure::of(Category::authentication);
  refused.scope = FailureScope::endpoint;
  std::move(*gate.try_pass(kStart, {.endpoint = 3})).settle(kStart, Outcome::failed(refused));
  EXPECT_EQ(gate.peek_rejection(kStart, {.endpoint = 3})->retry_after, 5s);
  std::move(*gate.try_pass(kStart)).settle(kStart, failed(Category::authentication));
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 5s);
}

TEST(LiveParking, ThreadsGoOnBesideNewOptions) {  // FBK-6.14
  CredentialGate gate("name");
  std::atomic<int> working{kThreads - 1};
  together(kThreads, [&](int thread) {
    if (thread == 0) {
      for (int round = 0; working > 0; ++round) gate.apply(kStart, {.park = 1s + round % 3 * 1s});
      return;
    }
    for (int i = 0; i < 1000; ++i) {
      EXPECT_GE(gate.options().park, 1s);
      if (auto pass = gate.try_pass(kStart + i * 1s)) {
        std::move(*pass).settle(kStart + i * 1s, i % 10 == 0 ? failed(Category::authentication) : Outcome::success());
      }
    }
    --working;
  });
  gate.unpark();
  EXPECT_TRUE(gate.try_pass(kStart));
}

TEST(SavedParking, RestsForAsLongAsItWouldHave) {  // FBK-6.15
  ParkingGate before("name");
  EXPECT_FALSE(before.save(kStart));
  park(kStart, before, Category::quota_exhausted);
  const auto saved = before.save(kStart + 20s);
  ASSERT_TRUE(saved);
  ParkingGate after("name");
  auto early = after.try_pass(kRestart);
  after.restore(kRestart, *saved);
  const auto rejection = after.peek_rejection(kRestart);
  ASSERT_TRUE(rejection);
  EXPECT_EQ(rejection->retry_after, 40s);
  EXPECT_EQ(rejection->last_failure, Category::quota_exhausted);
  EXPECT_EQ(after.snapshot(kRestart).parked_since, kRestart - 20s);
  EXPECT_EQ(after.snapshot(kRestart).times_parked, 1U);
  std::move(*early).settle(kRestart, Outcome::success());
  EXPECT_TRUE(after.snapshot(kRestart).parked) << "a pass from before teaches nothing";
  auto probe = after.try_pass(kRestart + 40s);
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->is_probe());
  EXPECT_FALSE(after.try_pass(kRestart + 40s)) << "one probe, as ever";
  std::move(*probe).settle(kRestart + 41s, Outcome::success());
  EXPECT_FALSE(after.save(kRestart + 41s));
}

TEST(SavedParking, WhatWaitsForItsProbeStillDoes) {  // FBK-6.15
  ParkingGate before("name");
  park(kStart, before);
  ParkingGate after("name");
  after.restore(kRestart, *before.save(kStart + 1h));
  EXPECT_FALSE(after.peek_rejection(kRestart));
  EXPECT_TRUE(after.try_pass(kRestart)->is_probe());
}

TEST(SavedParking, NonsenseIsTakenForWhatTheOptionsAllow) {  // FBK-6.15
  const auto restored = [](const SavedParkingGate& saved) {
    ParkingGate gate("name", {.park_max = 5min});
    gate.restore(kRestart, saved);
    return gate.snapshot(kRestart);
  };
  EXPECT_EQ(restored({.remaining = -1s}).until, kRestart);
  EXPECT_EQ(restored({.remaining = Duration::min()}).until, kRestart);
  EXPECT_EQ(restored({.remaining = kForever}).until, kRestart + 5min);
  EXPECT_EQ(restored({.parked_for = -1s}).parked_since, kRestart);
  EXPECT_LT(restored({.parked_for = kForever}).parked_since, kRestart);
  EXPECT_EQ(restored({.category = Category::timeout}).category, Category::authentication);
  EXPECT_EQ(restored({.category = static_cast<Category>(200)}).category, Category::authentication);
  ParkingGate knows("name");
  park(kRestart, knows);
  knows.restore(kRestart, {.remaining = 5min});
  EXPECT_EQ(knows.peek_rejection(kRestart)->retry_after, 60s) << "what was told since is newer";
}

TEST(SavedParking, ACredentialKeepsWhatRestsOfIt) {  // FBK-6.15
  CredentialGate before("name");
  EXPECT_FALSE(before.save(kStart));
  Failure refused = Failure::of(Category::authentication);
  refused.scope = FailureScope::endpoint;
  std::move(*before.try_pass(kStart, {.endpoint = 200})).settle(kStart, Outcome::failed(refused));
  const auto of_endpoint = before.save(kStart);
  ASSERT_TRUE(of_endpoint);
  EXPECT_FALSE(of_endpoint->whole);
  std::move(*before.try_pass(kStart)).settle(kStart + 10s, failed(Category::authentication));
  const auto saved = before.save(kStart + 30s);
  ASSERT_TRUE(saved);
  CredentialGate after("name");
  after.restore(kRestart, *saved);
  EXPECT_EQ(after.peek_rejection(kRestart)->retry_after, 40s);
  EXPECT_EQ(after.snapshot(kRestart, 15).until, kRestart + 30s);
  EXPECT_FALSE(after.snapshot(kRestart, 0).parked);
}

}  // namespace
}  // namespace fuseboard
