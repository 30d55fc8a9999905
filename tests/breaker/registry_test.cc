// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr BreakerOptions kQuick = {.failure_threshold = 2, .open_time = OpenTime::fixed(10s)};

class BreakerRegistryTest : public testing::Test {
 protected:
  void trip(KeyView key) {
    const BreakerHandle handle = registry_.handle(key);
    fuseboard::trip(handle, 2);
  }
  static std::vector<std::string> texts(const std::vector<Key>& keys) {
    std::vector<std::string> texts;
    for (const Key& key : keys) texts.push_back(to_text(key.view()));
    return texts;
  }

  ManualClock clock_;
  BreakerRegistry registry_{kQuick, clock_, 1};
};

TEST_F(BreakerRegistryTest, KeysFailByThemselves) {  // BRK-17.1
  trip("search");
  EXPECT_FALSE(registry_.try_acquire("search").has_value());
  EXPECT_TRUE(registry_.try_acquire("fetch").has_value());
}

TEST_F(BreakerRegistryTest, PairsAreNotJoinedAmbiguously) {  // BRK-17.1
  trip({"a", "b/c"});
  EXPECT_FALSE(registry_.try_acquire({"a", "b/c"}).has_value());
  EXPECT_TRUE(registry_.try_acquire({"a/b", "c"}).has_value());
  EXPECT_TRUE(registry_.try_acquire("a/b/c").has_value());
  EXPECT_EQ(registry_.size(), 3U);
}

TEST_F(BreakerRegistryTest, AHandleAndItsNameAreOneBreaker) {  // BRK-17.1
  const BreakerHandle handle = registry_.handle("search");
  const BreakerHandle copy = handle;
  call(handle, failed());
  call(copy, failed());
  EXPECT_FALSE(registry_.try_acquire("search").has_value());
  EXPECT_EQ(handle.peek_rejection()->key, "search");
  EXPECT_EQ(registry_.peek_rejection("search")->reason, RejectionReason::circuit_open);
  handle.reset();
  EXPECT_EQ(copy.peek_rejection(), std::nullopt);
  EXPECT_EQ(copy.key(), KeyView("search"));
}

TEST(BreakerRegistryOptionsRules, AKeyHasItsOwnOptionsOrTheDefault) {  // BRK-17.2
  ManualClock clock;
  BreakerRegistryOptions options{.defaults = kQuick};
  options.keys.push_back({.key = Key({"openai", "gpt"}), .options = {.failure_threshold = 1}});
  options.keys.push_back({.key = Key("openai/gpt"), .options = {.failure_threshold = 3}});
  BreakerRegistry registry(options, clock);
  const auto failures_to_open = [&](KeyView key) {
    const BreakerHandle handle = registry.handle(key);
    int failures = 0;
    for (; handle.peek_rejection() == std::nullopt; ++failures) call(handle, failed());
    return failures;
  };
  EXPECT_EQ(failures_to_open({"openai", "gpt"}), 1);
  EXPECT_EQ(failures_to_open("openai/gpt"), 3);
  EXPECT_EQ(failures_to_open("other"), 2);
}

TEST_F(BreakerRegistryTest, OptionsAtTheHandleAreThoseOfANewKey) {  // BRK-17.3
  const BreakerHandle own = registry_.handle("own", {.failure_threshold = 1});
  call(own, failed());
  EXPECT_NE(own.peek_rejection(), std::nullopt);
  const BreakerHandle again = registry_.handle("search");
  (void)registry_.handle("search", {.failure_threshold = 1});
  call(again, failed());
  EXPECT_EQ(again.peek_rejection(), std::nullopt) << "a known key keeps the options it has";
  EXPECT_THROW((void)registry_.handle("bad", {.failure_threshold = 0}), InvalidOptions);
}

TEST(BreakerRegistryOptionsRules, ProblemsNameTheirKey) {  // CORE-6
  BreakerRegistryOptions options{.defaults = {.failure_threshold = 0}, .max_keys = 0};
  options.keys.push_back({.key = Key("a"), .options = {.half_open_max_probes = 0}});
  options.keys.push_back({.key = Key("a")});
  std::vector<std::string> fields;
  for (const Problem& problem : options.validate()) fields.push_back(problem.field);
  EXPECT_THAT(fields, ElementsAre("defaults.failure_threshold", "keys.a.half_open_max_probes", "keys.a", "max_keys"));
  EXPECT_THROW(BreakerRegistry{options}, InvalidOptions);
}

TEST(BreakerRegistryBound, ANewKeyBeyondTheBoundIsAdmittedUntrackedAndCounted) {  // BRK-17.5 CORE-5
  ManualClock clock;
  BreakerRegistry registry({.defaults = {.failure_threshold = 1}, .max_keys = 3}, clock);
  std::vector<BreakerHandle> held;
  for (const char* key : {"a", "b", "c"}) held.push_back(registry.handle(key));
  const BreakerHandle handle = registry.handle("d");
  EXPECT_FALSE(handle.tracked());
  for (int i = 0; i < 5; ++i) call(handle, failed());
  auto permit = registry.try_acquire("e");
  ASSERT_TRUE(permit.has_value());
  std::move(*permit).settle(failed());
  EXPECT_EQ(registry.untracked_admissions(), 6U);
  EXPECT_EQ(registry.size(), 3U);
  EXPECT_EQ(handle.peek_rejection(), std::nullopt);
  EXPECT_EQ(handle.snapshot().totals, BreakerTotals{});
  handle.reset();
  handle.report(failed());

  registry.report("a", failed());
  EXPECT_FALSE(registry.try_acquire("a").has_value()) << "known keys are kept and guarded";
}

TEST_F(BreakerRegistryTest, AskingAboutAnUnknownKeyCreatesNothing) {  // BRK-21.3
  const BreakerSnapshot snapshot = registry_.snapshot("nobody");
  EXPECT_EQ(snapshot.key.view(), KeyView("nobody"));
  EXPECT_EQ(snapshot.state, CircuitState::closed);
  EXPECT_EQ(snapshot.generation, 0U);
  EXPECT_EQ(snapshot.totals, BreakerTotals{});
  EXPECT_EQ(registry_.peek_rejection("nobody"), std::nullopt);
  EXPECT_FALSE(registry_.reset("nobody"));
  EXPECT_EQ(registry_.size(), 0U);
  EXPECT_TRUE(registry_.snapshot().empty());
}

TEST_F(BreakerRegistryTest, ReportsByKeyAreEvidence) {  // BRK-21.1
  registry_.report("search", failed());
  registry_.report("search", failed());
  EXPECT_EQ(registry_.snapshot("search").state, CircuitState::open);
}

TEST_F(BreakerRegistryTest, OpenKeysAreListedAndCounted) {  // BRK-16.4
  registry_.report("fine", Outcome::success());
  trip("search");
  trip({"openai", "gpt"});
  EXPECT_THAT(texts(registry_.open_keys()), ElementsAre("search", "openai/gpt"));
  EXPECT_EQ(registry_.open_count(), 2U);
  clock_.advance(10s);
  const BreakerPermit probe = acquired(*std::make_unique<BreakerHandle>(registry_.handle("search")));
  EXPECT_EQ(registry_.open_count(), 1U) << "half-open is being tried";
  EXPECT_TRUE(registry_.reset("search"));
  registry_.reset_all();
  EXPECT_EQ(registry_.open_count(), 0U);
  EXPECT_TRUE(registry_.open_keys().empty());
}

TEST_F(BreakerRegistryTest, WhoeverPausesForRecoveryIsReleasedWithoutTraffic) {  // BRK-16.5
  trip("search");
  EXPECT_TRUE(registry_.should_pause_for_recovery(1));
  EXPECT_FALSE(registry_.should_pause_for_recovery(2));
  clock_.advance(5s);
  trip("shell");
  EXPECT_TRUE(registry_.should_pause_for_recovery(2));
  EXPECT_FALSE(registry_.should_pause_for_recovery(3));
  clock_.advance(5s - 1ns);
  EXPECT_TRUE(registry_.should_pause_for_recovery(2)) << "the first open time is over in a nanosecond";
  clock_.advance(1ns);
  EXPECT_FALSE(registry_.should_pause_for_recovery(2)) << "though nobody has asked it yet";
  EXPECT_TRUE(registry_.should_pause_for_recovery(1));
  EXPECT_EQ(registry_.open_count(), 2U) << "which counts states";
  clock_.advance(5s);
  EXPECT_FALSE(registry_.should_pause_for_recovery(1));
  EXPECT_TRUE(registry_.should_pause_for_recovery(0));
}

TEST_F(BreakerRegistryTest, ProbesPauseNobodyUntilTheyAreLost) {  // BRK-16.5, BRK-8.3
  trip("search");
  clock_.advance(10s);
  const BreakerPermit probe = acquired(*std::make_unique<BreakerHandle>(registry_.handle("search")));
  EXPECT_FALSE(registry_.should_pause_for_recovery(1)) << "busy, but being tried";
  clock_.advance(60s);
  EXPECT_TRUE(registry_.should_pause_for_recovery(1)) << "a lost probe opens it again, whoever notices that";
  clock_.advance(10s);
  EXPECT_FALSE(registry_.should_pause_for_recovery(1));
}

TEST_F(BreakerRegistryTest, OverridesPauseAsTheyRefuse) {  // BRK-16.5, BRK-13
  trip("search");
  ASSERT_TRUE(registry_.set_override("search", OverrideKind::force_closed, "needed"));
  EXPECT_FALSE(registry_.should_pause_for_recovery(1)) << "it admits everything";
  ASSERT_TRUE(registry_.set_override("shell", OverrideKind::force_open, "maintenance", 3s));
  EXPECT_TRUE(registry_.should_pause_for_recovery(1));
  clock_.advance(3s);
  EXPECT_FALSE(registry_.should_pause_for_recovery(1)) << "its time is up";
  ASSERT_TRUE(registry_.lift_override("search"));
  EXPECT_TRUE(registry_.should_pause_for_recovery(1)) << "the circuit underneath is open still";
  EXPECT_TRUE(registry_.reset("search"));
  EXPECT_FALSE(registry_.should_pause_for_recovery(1));
}

TEST_F(BreakerRegistryTest, TheSnapshotListsEveryKeyInOrder) {  // BRK-16.4
  for (const char* key : {"c", "a", "b"}) registry_.report(key, Outcome::success());
  std::vector<std::string> keys;
  for (const BreakerSnapshot& snapshot : registry_.snapshot()) {
    keys.push_back(to_text(snapshot.key.view()));
    EXPECT_EQ(snapshot.totals.reported, 1U);
  }
  EXPECT_THAT(keys, ElementsAre("c", "a", "b"));
}

TEST_F(BreakerRegistryTest, ResetAllStartsAGenerationEverywhere) {  // BRK-21.2
  trip("search");
  const BreakerHandle fine = registry_.handle("fine");
  call(fine, failed());
  const std::uint64_t generation = fine.snapshot().generation;
  registry_.reset_all();
  EXPECT_EQ(fine.snapshot().generation, generation + 1);
  EXPECT_EQ(fine.snapshot().consecutive_failures, 0U);
  EXPECT_TRUE(registry_.try_acquire("search").has_value());
  EXPECT_EQ(registry_.snapshot("search").totals.failed, 2U);
}

TEST_F(BreakerRegistryTest, EventsOfAKeyAreNumberedByKey) {  // CORE-4.1
  std::map<std::string, std::vector<std::uint64_t>> heard;
  auto subscription = registry_.subscribe(
      [&](const BreakerEvent& event) { heard[std::string(event.key.view())].push_back(event.sequence); });
  trip("a");
  trip("b");
  EXPECT_TRUE(registry_.reset("a"));
  EXPECT_THAT(heard["a"], ElementsAre(1, 2));
  EXPECT_THAT(heard["b"], ElementsAre(1));
  subscription.reset();
  EXPECT_TRUE(registry_.reset("b"));
  EXPECT_EQ(heard["b"].size(), 1U);
}

TEST(BreakerRegistryGrowth, ManyKeysKeepTheirOwnState) {  // BRK-17.1
  ManualClock clock;
  BreakerRegistry registry(BreakerOptions{.failure_threshold = 1}, clock);
  for (int i = 0; i < 2000; ++i)
    registry.report("key-" + std::to_string(i), i % 2 == 0 ? failed() : Outcome::success());
  EXPECT_EQ(registry.open_count(), 1000U);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(registry.peek_rejection("key-" + std::to_string(i)).has_value(), i % 2 == 0);
  }
}

}  // namespace
}  // namespace fuseboard
