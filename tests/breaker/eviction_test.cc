// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Patterns of keys, and which key goes from a full registry [BRK-17.2, BRK-17.6].
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/glob.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// By trying every split.
bool naive_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return naive_match(pattern.substr(1), text) || (!text.empty() && naive_match(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         naive_match(pattern.substr(1), text.substr(1));
}

RC_GTEST_PROP(Glob, AgreesWithTryingEverySplit, ()) {  // BRK-17.2
  const auto pattern = *rc::gen::resize(8, rc::gen::container<std::string>(rc::gen::element('a', 'b', '*', '?')));
  const auto text = *rc::gen::resize(10, rc::gen::container<std::string>(rc::gen::element('a', 'b')));
  RC_ASSERT(glob_match(pattern, text) == naive_match(pattern, text));
}

TEST(Glob, MatchesPairsPartByPart) {  // BRK-17.2
  EXPECT_TRUE(glob_matches(KeyView("openai", "gpt-*"), KeyView("openai", "gpt-4o")));
  EXPECT_TRUE(glob_matches(KeyView("*", "*"), KeyView("a/b", "c")));
  EXPECT_FALSE(glob_matches(KeyView("open*", "gpt"), KeyView("openai/x", "gpt-5")));
  EXPECT_FALSE(glob_matches(KeyView("*"), KeyView("openai", "gpt")));
  EXPECT_FALSE(glob_matches(KeyView("*", "*"), KeyView("openai")));
}

BreakerRegistryOptions threshold_by_rule() {
  BreakerRegistryOptions options{.defaults = {.failure_threshold = 9}};
  options.keys.push_back({.key = Key("fs__read"), .options = {.failure_threshold = 1}});
  options.globs.push_back({.pattern = Key("fs__r*"), .options = {.failure_threshold = 2}});
  options.globs.push_back({.pattern = Key("fs__*"), .options = {.failure_threshold = 3}});
  return options;
}

TEST(BreakerRegistryRules, AnExactNameWinsOverTheFirstGlobOverTheDefault) {  // BRK-17.2
  ManualClock clock;
  BreakerRegistry registry(threshold_by_rule(), clock);
  const auto failures_to_open = [&](KeyView key) {
    int failures = 0;
    for (; registry.peek_rejection(key) == std::nullopt; ++failures) registry.report(key, failed());
    return failures;
  };
  EXPECT_EQ(failures_to_open("fs__read"), 1);
  EXPECT_EQ(failures_to_open("fs__readdir"), 2);
  EXPECT_EQ(failures_to_open("fs__write"), 3);
  EXPECT_EQ(failures_to_open("web__fetch"), 9);
}

TEST(BreakerRegistryRules, ProblemsOfGlobsNameTheirPattern) {  // CORE-6
  BreakerRegistryOptions options = threshold_by_rule();
  options.globs[1].options.failure_threshold = 0;
  ASSERT_EQ(options.validate().size(), 1U);
  EXPECT_EQ(options.validate().front().field, "globs.fs__*.failure_threshold");
}

TEST(BreakerRegistryRules, NewOnesApplyToLiveKeysButThoseWithTheirOwn) {  // BRK-14
  ManualClock clock;
  BreakerRegistry registry(threshold_by_rule(), clock);
  const BreakerHandle own = registry.handle("fs__own", {.failure_threshold = 4});
  const BreakerHandle later = registry.handle("web__fetch");
  registry.report("fs__write", failed());
  BreakerRegistryOptions changed = threshold_by_rule();
  changed.globs[1].options.failure_threshold = 2;
  changed.defaults.failure_threshold = 5;
  registry.apply(changed);
  registry.report("fs__write", failed());
  EXPECT_EQ(registry.snapshot("fs__write").state, CircuitState::open) << "the failure of before still counts";
  for (int i = 0; i < 3; ++i) own.report(failed());
  EXPECT_EQ(own.peek_rejection(), std::nullopt);
  later.apply({.failure_threshold = 1});
  registry.apply(changed);
  later.report(failed());
  EXPECT_NE(later.peek_rejection(), std::nullopt);
  changed.defaults.failure_threshold = 0;
  EXPECT_THROW(registry.apply(changed), InvalidOptions);
}

TEST(BreakerRegistryState, OverridesAndSavedStatesByKey) {  // BRK-13 BRK-15
  ManualClock clock;
  BreakerRegistry registry(BreakerOptions{.failure_threshold = 2, .open_time = OpenTime::fixed(10s)}, clock);
  EXPECT_TRUE(registry.set_override("maintained", OverrideKind::force_open, "before its first call"));
  EXPECT_FALSE(registry.try_acquire("maintained").has_value());
  EXPECT_FALSE(registry.lift_override("nobody"));
  registry.report("fine", Outcome::success());
  registry.report("failing", failed());
  for (int i = 0; i < 2; ++i) registry.report({"openai", "gpt"}, failed());
  clock.advance(4s);
  const std::vector<SavedBreaker> saved = registry.save();
  EXPECT_EQ(saved.size(), 3U) << "nothing is to be said of the one that is fine";

  ManualClock later;
  BreakerRegistry next(BreakerOptions{.failure_threshold = 2, .open_time = OpenTime::fixed(10s)}, later);
  EXPECT_EQ(next.restore(saved), 3U);
  EXPECT_EQ(next.peek_rejection({"openai", "gpt"})->retry_after, 6s);
  EXPECT_EQ(next.open_count(), 1U);
  EXPECT_EQ(next.snapshot("failing").consecutive_failures, 1U);
  EXPECT_TRUE(next.lift_override("maintained"));
  EXPECT_TRUE(next.try_acquire("maintained").has_value());
}

class EvictionTest : public testing::Test {
 protected:
  void use(KeyView key) {
    auto permit = registry_.try_acquire(key);
    ASSERT_TRUE(permit.has_value());
    std::move(*permit).settle(Outcome::success());
  }
  bool holds(KeyView key) { return registry_.snapshot(key).generation != 0; }
  // Enough new keys to drive out whatever can go.
  void flood() {
    for (int i = 0; i < 50; ++i) use("flood-" + std::to_string(i));
  }

  ManualClock clock_;
  BreakerRegistry registry_{{.defaults = {.failure_threshold = 1, .open_time = OpenTime::fixed(10s)}, .max_keys = 8},
                            clock_};
};

TEST_F(EvictionTest, AnIdleClosedKeyMakesRoom) {  // BRK-17.6
  for (int i = 0; i < 100; ++i) use("key-" + std::to_string(i));
  EXPECT_EQ(registry_.size(), 8U);
  EXPECT_EQ(registry_.untracked_admissions(), 0U);
  EXPECT_TRUE(holds("key-99"));
  EXPECT_EQ(registry_.snapshot().size(), 8U);
}

TEST_F(EvictionTest, AKeyThatIsUsedAgainGetsASecondChance) {    // BRK-17.6
  for (int i = 0; i < 9; ++i) use("key-" + std::to_string(i));  // all marks are off but that of the last
  for (int i = 9; i < 60; ++i) {
    use("often");
    use("key-" + std::to_string(i));
    ASSERT_TRUE(holds("often")) << i;
  }
}

TEST_F(EvictionTest, WhatMustStayStays) {  // BRK-17.6
  const BreakerHandle held = registry_.handle("held");
  registry_.report("open", failed());
  registry_.report("half-open", failed());
  ASSERT_TRUE(registry_.set_override("overridden", OverrideKind::metrics_only, "a look first"));
  clock_.advance(5s);
  registry_.report("open-later", failed());
  clock_.advance(5s);
  auto probe = registry_.try_acquire("half-open");
  auto in_flight = registry_.try_acquire("in-flight");
  flood();
  for (const char* key : {"held", "open", "half-open", "overridden", "open-later", "in-flight"}) {
    EXPECT_TRUE(holds(key)) << key;
  }
  std::move(*in_flight).settle(Outcome::success());
  flood();
  EXPECT_FALSE(holds("in-flight"));
  EXPECT_TRUE(registry_.lift_override("overridden"));
  flood();
  EXPECT_FALSE(holds("overridden"));
  std::move(*probe).settle(Outcome::success());
  flood();
  EXPECT_FALSE(holds("half-open"));
  EXPECT_TRUE(held.tracked());
}

TEST_F(EvictionTest, AKeyOutlivesItsLastHandleByNoMoreThanItsUse) {  // BRK-17.6
  {
    const BreakerHandle first = registry_.handle("held");
    BreakerHandle copy = first;
    const BreakerHandle moved = std::move(copy);
    copy = registry_.handle("other");
    flood();
    EXPECT_TRUE(holds("held"));
    EXPECT_TRUE(holds("other"));
  }
  flood();
  EXPECT_FALSE(holds("held"));
  EXPECT_FALSE(holds("other"));
}

TEST_F(EvictionTest, AHandleThatWasMovedFromStillNamesItsKey) {  // BRK-17.1
  BreakerHandle handle = registry_.handle("a");
  const BreakerHandle moved = std::move(handle);
  handle.set_override(OverrideKind::force_open, "test");  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_FALSE(handle.try_acquire()) << "it lets nobody pass who would be refused";
  EXPECT_TRUE(moved.lift_override());
  EXPECT_TRUE(handle.try_acquire());
  EXPECT_EQ(registry_.untracked_admissions(), 0U);
}

TEST_F(EvictionTest, AKeyThatCannotBeHeldIsAdmittedUntrackedAndCounted) {  // BRK-17.5 CORE-5
  for (int i = 0; i < 8; ++i) registry_.report("open-" + std::to_string(i), failed());
  for (int i = 0; i < 3; ++i) {
    auto permit = registry_.try_acquire("new");
    ASSERT_TRUE(permit.has_value());
    EXPECT_EQ(permit->generation(), 0U);
    std::move(*permit).settle(failed());
  }
  EXPECT_EQ(registry_.untracked_admissions(), 3U);
  EXPECT_FALSE(registry_.set_override("new", OverrideKind::force_open, "x"));
  EXPECT_TRUE(registry_.reset("open-0"));
  use("new");
  EXPECT_TRUE(holds("new")) << "there is room again";
}

TEST_F(EvictionTest, AKeyThatComesBackBeginsAnew) {  // BRK-17.6
  BreakerRegistry registry({.defaults = {.failure_threshold = 2}, .max_keys = 1}, clock_);
  registry.report("a", failed());
  registry.report("b", Outcome::success());
  registry.report("b", Outcome::success());
  registry.report("a", failed());
  EXPECT_EQ(registry.snapshot("a").consecutive_failures, 1U);
  EXPECT_EQ(registry.snapshot("a").totals.reported, 1U);
}

// Asks for a new key from inside the admission of another.
class IntrudingClock final : public Clock {
 public:
  TimePoint now() const noexcept override {
    if (BreakerRegistry* const asked = std::exchange(registry, nullptr)) (void)asked->try_acquire("new");
    return clock.now();
  }
  ManualClock clock;
  mutable BreakerRegistry* registry = nullptr;
};

TEST(EvictionDuringUse, AKeyThatIsJustBeingAdmittedStays) {  // BRK-17.6
  IntrudingClock clock;
  BreakerRegistry registry({.defaults = {.track_in_flight = true}, .max_keys = 1}, clock);
  std::move(*registry.try_acquire("known")).settle(Outcome::success());
  clock.registry = &registry;
  auto permit = registry.try_acquire("known");
  EXPECT_EQ(registry.untracked_admissions(), 1U) << "the new key could not be held";
  EXPECT_EQ(registry.snapshot("known").in_flight, 1U);
}

TEST(EvictionThreads, NothingInFlightIsLetGoOfAndNothingIsLost) {  // BRK-17.6 BRK-10.1
  ManualClock clock;
  BreakerRegistry registry({.defaults = {.failure_threshold = 1'000'000}, .max_keys = 16}, clock);
  std::atomic<bool> wrong{false};
  std::atomic<std::uint64_t> tracked{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        Rng rng(t);
        for (int i = 0; i < 4000; ++i) {
          const std::string key = "key-" + std::to_string(rng.below(64));
          auto permit = registry.try_acquire(key);
          if (!permit) wrong = true;
          if (permit->generation() != 0) {
            ++tracked;
            // In flight, so it is there, and there once.
            if (registry.snapshot(key).in_flight == 0) wrong = true;
          }
          switch (rng.below(4)) {
            case 0:
              std::move(*permit).settle(failed());
              break;
            case 1:
              std::move(*permit).settle(Outcome::success());
              break;
            case 2:
              registry.report(key, Outcome::success());
              break;
            default: {
              const BreakerHandle handle = registry.handle(key);
              const BreakerHandle copy = handle;
              if (handle.tracked() && copy.key() != KeyView(key)) wrong = true;
            }
          }
          if (rng.below(200) == 0) (void)registry.snapshot();
          if (rng.below(200) == 0) registry.reset_all();
        }
      });
    }
  }
  EXPECT_FALSE(wrong);
  EXPECT_EQ(registry.size(), 16U);
  EXPECT_GT(tracked, 1000U);
  for (const BreakerSnapshot& snapshot : registry.snapshot()) EXPECT_EQ(snapshot.in_flight, 0U);
}

}  // namespace
}  // namespace fuseboard
