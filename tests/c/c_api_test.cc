// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What C callers rely on: statuses, texts, ownership, and that no exception comes out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "fuseboard/c/fuseboard.h"
#include "fuseboard/core/category.h"

namespace fuseboard {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t read_clock(void* user) { return *static_cast<const std::int64_t*>(user); }

class CApiTest : public testing::Test {
 protected:
  CApiTest() {
    fuseboard_breaker_options_init(&breaker_, FUSEBOARD_PRESET_TOOL);
    breaker_.failure_threshold = 1;
    fuseboard_tool_options_init(&tool_);
    tool_.breaker = &breaker_;
    fuseboard_tool_guard_options_init(&options_);
    options_.defaults = &tool_;
    options_.clock_now_ns = read_clock;
    options_.clock_user = &now_;
  }
  ~CApiTest() override {
    fuseboard_tool_guard_destroy(guard_);
    fuseboard_breakers_destroy(breakers_);
  }

  void create() { ASSERT_EQ(fuseboard_tool_guard_create(&options_, &guard_), FUSEBOARD_OK) << fuseboard_last_error(); }
  void create_breakers() {
    ASSERT_EQ(fuseboard_breakers_create(&breaker_, 0, read_clock, &now_, &breakers_), FUSEBOARD_OK);
  }
  fuseboard_tool_permit* acquired(const char* tool) {
    fuseboard_tool_permit* permit = nullptr;
    EXPECT_EQ(try_acquire(tool, &permit), FUSEBOARD_OK) << fuseboard_last_error();
    return permit;
  }
  fuseboard_status try_acquire(const char* tool, fuseboard_tool_permit** permit) {
    return fuseboard_tool_try_acquire(guard_, tool, FUSEBOARD_PRIORITY_NORMAL, FUSEBOARD_NO_TIMEOUT, permit,
                                      &rejection_);
  }
  fuseboard_circuit circuit_of(const char* tool) {
    fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
    EXPECT_EQ(fuseboard_tool_snapshot(guard_, tool, &circuit, nullptr), FUSEBOARD_OK);
    return circuit;
  }
  fuseboard_tool_totals totals() {
    fuseboard_tool_totals totals = FUSEBOARD_INIT(fuseboard_tool_totals);
    EXPECT_EQ(fuseboard_tool_get_totals(guard_, &totals), FUSEBOARD_OK);
    return totals;
  }

  std::int64_t now_ = 3600 * kSecond;
  fuseboard_breaker_options breaker_{};
  fuseboard_tool_options tool_{};
  fuseboard_tool_guard_options options_{};
  fuseboard_rejection rejection_ = FUSEBOARD_INIT(fuseboard_rejection);
  fuseboard_tool_guard* guard_ = nullptr;
  fuseboard_breakers* breakers_ = nullptr;
};

TEST(CApiNames, VersionAndStatusesHaveTexts) {  // CORE-5
  EXPECT_THAT(fuseboard_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_STREQ(fuseboard_status_name(FUSEBOARD_REJECTED), "rejected");
  EXPECT_STREQ(fuseboard_status_name(FUSEBOARD_INTERNAL_ERROR), "internal_error");
  EXPECT_STREQ(fuseboard_status_name(77), "unknown");
  EXPECT_STREQ(fuseboard_reason_name(FUSEBOARD_REASON_HALF_OPEN_BUSY), "half_open_busy");
  EXPECT_STREQ(fuseboard_reason_name(FUSEBOARD_REASON_NOT_ELIGIBLE), "not_eligible");
  EXPECT_EQ(fuseboard_reason_name(10), nullptr);
  EXPECT_STREQ(fuseboard_circuit_state_name(FUSEBOARD_CIRCUIT_HALF_OPEN), "half_open");
  EXPECT_EQ(fuseboard_circuit_state_name(-1), nullptr);
}

TEST(CApiNames, CategoriesAreThoseOfTheTable) {  // BRK-19.1
  for (const CategoryProperties& row : all_categories()) {
    const auto category = static_cast<fuseboard_category>(row.category);
    EXPECT_EQ(fuseboard_category_name(category), row.name);
    EXPECT_EQ(fuseboard_category_from_name(std::string(row.name).c_str()), category);
    fuseboard_category_properties properties = FUSEBOARD_INIT(fuseboard_category_properties);
    ASSERT_EQ(fuseboard_category_get_properties(category, &properties), FUSEBOARD_OK);
    EXPECT_EQ(properties.retryable, row.retryable);
    EXPECT_EQ(properties.trips_breaker, row.trips_breaker);
    EXPECT_EQ(properties.fallback, row.fallback);
  }
  EXPECT_EQ(fuseboard_category_from_name("nothing"), FUSEBOARD_CATEGORY_NONE);
  EXPECT_EQ(fuseboard_category_from_name(nullptr), FUSEBOARD_CATEGORY_NONE);
  EXPECT_EQ(fuseboard_category_name(FUSEBOARD_CATEGORY_COUNT), nullptr);
  EXPECT_EQ(fuseboard_category_get_properties(0, nullptr), FUSEBOARD_INVALID_ARGUMENT);
}

TEST(CApiFailures, HttpAnswersAreJudged) {  // PIP-3
  fuseboard_failure failure;
  ASSERT_EQ(fuseboard_classify_http(429, "insufficient_quota", nullptr, "You exceeded your quota", 1500, &failure),
            FUSEBOARD_OK);
  EXPECT_EQ(failure.category, FUSEBOARD_CATEGORY_QUOTA_EXHAUSTED);
  ASSERT_EQ(fuseboard_classify_http(503, nullptr, nullptr, nullptr, 1500, &failure), FUSEBOARD_OK);
  EXPECT_EQ(failure.category, FUSEBOARD_CATEGORY_SERVICE_UNAVAILABLE);
  EXPECT_EQ(failure.retry_after_ms, 1500);
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(failure.scope, FUSEBOARD_SCOPE_UNNAMED);
  ASSERT_EQ(fuseboard_classify_http(402, nullptr, nullptr,
                                    "This request requires more credits, or fewer max_tokens. You requested up to 8000 "
                                    "tokens, but can only afford 1200.",
                                    FUSEBOARD_NONE_MS, &failure),
            FUSEBOARD_OK);
  EXPECT_EQ(failure.scope, FUSEBOARD_SCOPE_REQUEST) << "nothing is held against the credential";
  EXPECT_EQ(fuseboard_classify_http(503, nullptr, nullptr, nullptr, -7, &failure), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_failure_init(&failure, 19, FUSEBOARD_NONE_MS), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_failure_init(nullptr, 0, FUSEBOARD_NONE_MS), FUSEBOARD_INVALID_ARGUMENT);
}

TEST_F(CApiTest, AToolGoesThroughAllStates) {  // BRK-1.1 BRK-5 BRK-21.4
  create();
  ASSERT_EQ(fuseboard_tool_settle(acquired("search"), FUSEBOARD_OUTCOME_TIMEOUT, 0), FUSEBOARD_OK);
  fuseboard_tool_permit* permit = nullptr;
  ASSERT_EQ(try_acquire("search", &permit), FUSEBOARD_REJECTED);
  EXPECT_EQ(permit, nullptr);
  EXPECT_EQ(rejection_.reason, FUSEBOARD_REASON_CIRCUIT_OPEN);
  EXPECT_EQ(rejection_.retry_after_ms, 5000);
  EXPECT_EQ(rejection_.consecutive_failures, 1U);
  EXPECT_EQ(rejection_.last_failure, FUSEBOARD_CATEGORY_TIMEOUT);
  EXPECT_EQ(fuseboard_tool_open_count(guard_), 1U);
  EXPECT_TRUE(fuseboard_tool_should_pause(guard_, 1));
  EXPECT_FALSE(fuseboard_tool_should_pause(guard_, 2));
  now_ += 5 * kSecond - 1;
  ASSERT_EQ(try_acquire("search", &permit), FUSEBOARD_REJECTED);
  EXPECT_EQ(rejection_.retry_after_ms, 1) << "rounded up";
  now_ += 1;
  fuseboard_tool_permit* const probe = acquired("search");
  EXPECT_EQ(circuit_of("search").state, FUSEBOARD_CIRCUIT_HALF_OPEN);
  ASSERT_EQ(try_acquire("search", &permit), FUSEBOARD_REJECTED);
  EXPECT_EQ(rejection_.reason, FUSEBOARD_REASON_HALF_OPEN_BUSY);
  ASSERT_EQ(fuseboard_tool_settle(probe, FUSEBOARD_OUTCOME_SUCCESS, 0), FUSEBOARD_OK);
  const fuseboard_circuit circuit = circuit_of("search");
  EXPECT_EQ(circuit.state, FUSEBOARD_CIRCUIT_CLOSED);
  EXPECT_EQ(circuit.admitted, 2U);
  EXPECT_EQ(circuit.denials, 3U);
  const fuseboard_tool_totals counted = totals();
  EXPECT_EQ(counted.denied_circuit_open, 2U);
  EXPECT_EQ(counted.denied_half_open_busy, 1U);
  EXPECT_EQ(counted.opened + counted.half_opened + counted.closed, 3U);
}

TEST_F(CApiTest, LimitsAreShown) {  // LIM-1 BRK-16.1 BRK-10.2
  create();
  for (int i = 0; i < 10; ++i) fuseboard_tool_settle(acquired("search"), FUSEBOARD_OUTCOME_SUCCESS, 0);
  fuseboard_tool_permit* permit = nullptr;
  ASSERT_EQ(try_acquire("search", &permit), FUSEBOARD_REJECTED);
  EXPECT_EQ(rejection_.reason, FUSEBOARD_REASON_RATE_LIMITED);
  fuseboard_tool_limit limit = FUSEBOARD_INIT(fuseboard_tool_limit);
  ASSERT_EQ(fuseboard_tool_snapshot(guard_, "search", nullptr, &limit), FUSEBOARD_OK);
  EXPECT_TRUE(limit.limited);
  EXPECT_EQ(limit.rate, 2.0);
  EXPECT_EQ(limit.burst, 10.0);
  EXPECT_EQ(limit.available, 0.0);
  ASSERT_EQ(fuseboard_tool_reset(guard_, "search"), FUSEBOARD_OK);
  fuseboard_tool_abandon(acquired("search"));
  EXPECT_EQ(fuseboard_tool_reset(guard_, "nobody"), FUSEBOARD_NOT_FOUND);
  EXPECT_EQ(circuit_of("nobody").generation, 0U);
  EXPECT_EQ(totals().abandoned, 1U);
}

TEST_F(CApiTest, JudgedFailuresCountAsTheyAreJudged) {  // BRK-19.2 LIM-4.3
  create();
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_RATE_LIMIT, 7000);
  ASSERT_EQ(fuseboard_tool_settle_failure(acquired("a"), &failure, 0), FUSEBOARD_OK);
  fuseboard_tool_limit limit = FUSEBOARD_INIT(fuseboard_tool_limit);
  fuseboard_tool_snapshot(guard_, "a", nullptr, &limit);
  EXPECT_EQ(limit.paused_for_ms, 7000);
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_OVERLOADED, FUSEBOARD_NONE_MS);
  failure.evidence = FUSEBOARD_EVIDENCE_DOES_NOT_COUNT;
  fuseboard_tool_settle_failure(acquired("b"), &failure, 0);
  EXPECT_EQ(circuit_of("b").state, FUSEBOARD_CIRCUIT_CLOSED);
  failure.evidence = FUSEBOARD_EVIDENCE_BY_CATEGORY;
  fuseboard_tool_settle_failure(acquired("b"), &failure, 0);
  EXPECT_EQ(circuit_of("b").state, FUSEBOARD_CIRCUIT_OPEN);
}

TEST_F(CApiTest, WhatMeansNothingIsRefusedAndItsPermitAbandoned) {  // BRK-10.2 CORE-6
  create();
  EXPECT_EQ(fuseboard_tool_settle(acquired("a"), 5, 0), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "outcome: 5 is not allowed; allowed: 0 to 4");
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, 0, FUSEBOARD_NONE_MS);
  failure.category = 99;
  EXPECT_EQ(fuseboard_tool_settle_failure(acquired("a"), &failure, 0), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_settle_failure(acquired("a"), nullptr, 0), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(totals().abandoned, 3U);
  EXPECT_EQ(circuit_of("a").in_flight, 0U);

  fuseboard_tool_permit* permit = nullptr;
  EXPECT_EQ(fuseboard_tool_try_acquire(guard_, "a", 4, -1, &permit, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_try_acquire(guard_, "a", 0, -2, &permit, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_try_acquire(guard_, "", 0, -1, &permit, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_try_acquire(guard_, nullptr, 0, -1, &permit, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_try_acquire(guard_, "a", 0, -1, nullptr, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_try_acquire(nullptr, "a", 0, -1, &permit, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(permit, nullptr);
  EXPECT_EQ(fuseboard_tool_settle(nullptr, 0, 0), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_visit_all(guard_, nullptr, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_reset_all(nullptr), FUSEBOARD_INVALID_ARGUMENT);
  fuseboard_tool_abandon(nullptr);
  fuseboard_tool_guard_destroy(nullptr);
  EXPECT_EQ(fuseboard_tool_open_count(nullptr), 0U);
  EXPECT_FALSE(fuseboard_tool_should_pause(nullptr, 0));
  EXPECT_EQ(totals().admitted, 3U);
}

TEST_F(CApiTest, NamesHaveABound) {  // CORE-5
  create();
  const std::string longest(FUSEBOARD_MAX_NAME, 'x');
  fuseboard_tool_abandon(acquired(longest.c_str()));
  // No byte beyond the bound is read: this text has no end.
  const std::vector<char> endless(FUSEBOARD_MAX_NAME + 1, 'x');
  fuseboard_tool_permit* permit = nullptr;
  EXPECT_EQ(try_acquire(endless.data(), &permit), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "tool: allowed: 1 to 1024 bytes");
  std::vector<std::string> seen;
  const auto visit = [](const char* tool, const fuseboard_circuit*, const fuseboard_tool_limit*, void* user) {
    static_cast<std::vector<std::string>*>(user)->emplace_back(tool);
  };
  ASSERT_EQ(fuseboard_tool_visit_all(guard_, visit, &seen), FUSEBOARD_OK);
  EXPECT_EQ(seen, std::vector<std::string>{longest});
}

TEST_F(CApiTest, AllProblemsOfOptionsAreInTheErrorWhichHasABound) {  // CORE-6 CORE-5
  breaker_.failure_threshold = 0;
  breaker_.open_factor = std::numeric_limits<double>::quiet_NaN();
  tool_.rate = -1.0;
  fuseboard_tool_guard* guard = guard_;
  EXPECT_EQ(fuseboard_tool_guard_create(&options_, &guard), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(guard, nullptr);
  EXPECT_THAT(fuseboard_last_error(), HasSubstr("defaults.breaker.failure_threshold"));
  EXPECT_THAT(fuseboard_last_error(), HasSubstr("defaults.breaker.open_time.factor"));
  EXPECT_THAT(fuseboard_last_error(), HasSubstr("defaults.limit.rate"));
  const std::string name(1000, 'n');
  const fuseboard_tool_rule rule = {name.c_str(), false, &tool_};
  options_.rules = &rule;
  options_.rule_count = 1;
  EXPECT_EQ(fuseboard_tool_guard_create(&options_, &guard), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(std::strlen(fuseboard_last_error()), std::size_t{FUSEBOARD_MAX_ERROR});
  options_.rules = nullptr;
  EXPECT_EQ(fuseboard_tool_guard_create(&options_, &guard), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "rules: NULL is not allowed");
  breaker_.trips_on = 1U << FUSEBOARD_CATEGORY_COUNT;
  options_.rule_count = 0;
  EXPECT_EQ(fuseboard_tool_guard_create(&options_, &guard), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "trips_on: has bits of no category");
}

TEST_F(CApiTest, ErrorsAreTheThreadsOwn) {  // CORE-5
  EXPECT_EQ(fuseboard_tool_reset(nullptr, "a"), FUSEBOARD_INVALID_ARGUMENT);
  std::string elsewhere = "unset";
  std::thread([&] { elsewhere = fuseboard_last_error(); }).join();
  EXPECT_EQ(elsewhere, "");
  EXPECT_STREQ(fuseboard_last_error(), "guard: NULL is not allowed");
}

TEST_F(CApiTest, RulesGoByNameAndPattern) {  // BRK-17.2
  fuseboard_tool_options one = tool_;
  one.burst = 1.0;
  one.priorities = FUSEBOARD_PRIORITIES_ALIKE;
  fuseboard_tool_options unlimited = tool_;
  unlimited.rate = 0.0;
  const std::array<fuseboard_tool_rule, 3> rules = {
      {{"fs__*", true, &unlimited}, {"fs__read", false, &one}, {"web", false, nullptr}}};
  options_.rules = rules.data();
  options_.rule_count = rules.size();
  create();
  fuseboard_tool_limit limit = FUSEBOARD_INIT(fuseboard_tool_limit);
  fuseboard_tool_snapshot(guard_, "fs__read", nullptr, &limit);
  EXPECT_EQ(limit.burst, 1.0);
  fuseboard_tool_snapshot(guard_, "fs__write", nullptr, &limit);
  EXPECT_FALSE(limit.limited);
  fuseboard_tool_snapshot(guard_, "web", nullptr, &limit);
  EXPECT_EQ(limit.burst, 10.0);
}

TEST_F(CApiTest, APermitOutlivesTheHandleOfItsGuard) {  // BRK-10.1
  create();
  fuseboard_tool_permit* const permit = acquired("search");
  fuseboard_tool_guard_destroy(guard_);
  guard_ = nullptr;
  EXPECT_EQ(fuseboard_tool_settle(permit, FUSEBOARD_OUTCOME_TIMEOUT, 0), FUSEBOARD_OK);
  create_breakers();
  fuseboard_breaker_permit* attempt = nullptr;
  ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, "openai", "gpt", -1, &attempt, nullptr), FUSEBOARD_OK);
  fuseboard_breakers_destroy(breakers_);
  breakers_ = nullptr;
  EXPECT_EQ(fuseboard_breaker_settle(attempt, nullptr, 0), FUSEBOARD_OK);
}

TEST_F(CApiTest, ShorterStructsOfOlderCallersWork) {  // CORE-6
  // A caller whose options end before `priorities`, and whose rejection ends before the wait.
  tool_.struct_size = offsetof(fuseboard_tool_options, priorities);
  tool_.priorities = 77;
  create();
  fuseboard_tool_settle(acquired("search"), FUSEBOARD_OUTCOME_TIMEOUT, 0);
  rejection_.struct_size = offsetof(fuseboard_rejection, retry_after_ms);
  rejection_.retry_after_ms = 77;
  fuseboard_tool_permit* permit = nullptr;
  ASSERT_EQ(try_acquire("search", &permit), FUSEBOARD_REJECTED);
  EXPECT_EQ(rejection_.consecutive_failures, 1U);
  EXPECT_EQ(rejection_.retry_after_ms, 77) << "not written to";
  rejection_.struct_size = 0;
  EXPECT_EQ(try_acquire("search", &permit), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "struct_size: not set");
  // And one that knows more than this library.
  struct {
    fuseboard_circuit known;
    std::uint64_t unknown;
  } newer = {{}, 77};
  newer.known.struct_size = sizeof newer;
  ASSERT_EQ(fuseboard_tool_snapshot(guard_, "search", &newer.known, nullptr), FUSEBOARD_OK);
  EXPECT_EQ(newer.known.state, FUSEBOARD_CIRCUIT_OPEN);
  EXPECT_EQ(newer.unknown, 77U);
}

TEST_F(CApiTest, BreakersByProviderAndModel) {  // BRK-17.1 BRK-8.1 BRK-4.5
  create_breakers();
  fuseboard_breaker_permit* permit = nullptr;
  ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, "openai", "gpt", -1, &permit, nullptr), FUSEBOARD_OK);
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_SERVICE_UNAVAILABLE, 9000);
  ASSERT_EQ(fuseboard_breaker_settle(permit, &failure, 0), FUSEBOARD_OK);
  ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, "openai", "gpt", -1, &permit, &rejection_), FUSEBOARD_REJECTED);
  EXPECT_EQ(rejection_.retry_after_ms, 9000) << "the server's hint";
  ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, "openai", nullptr, -1, &permit, nullptr), FUSEBOARD_OK);
  fuseboard_breaker_abandon(permit);
  EXPECT_EQ(fuseboard_breakers_open_count(breakers_), 1U);
  EXPECT_TRUE(fuseboard_breakers_should_pause(breakers_, 1));
  now_ += 9 * kSecond;
  fuseboard_breaker_permit* probe = nullptr;
  ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, "openai", "gpt", 2000, &probe, nullptr), FUSEBOARD_OK);
  ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, "openai", "gpt", -1, &permit, &rejection_), FUSEBOARD_REJECTED);
  EXPECT_EQ(rejection_.retry_after_ms, 2000) << "its lease";
  fuseboard_breaker_settle(probe, nullptr, 0);
  fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
  ASSERT_EQ(fuseboard_breaker_snapshot(breakers_, "openai", "gpt", &circuit), FUSEBOARD_OK);
  EXPECT_EQ(circuit.state, FUSEBOARD_CIRCUIT_CLOSED);
  EXPECT_EQ(circuit.succeeded, 1U);
  EXPECT_EQ(circuit.failed, 1U);
  EXPECT_EQ(fuseboard_breaker_reset(breakers_, "openai", "gpt"), FUSEBOARD_OK);
  EXPECT_EQ(fuseboard_breaker_reset(breakers_, "openai/gpt", nullptr), FUSEBOARD_NOT_FOUND);
  fuseboard_breakers* none = breakers_;
  EXPECT_EQ(fuseboard_breakers_create(nullptr, 2'000'000, nullptr, nullptr, &none), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(none, nullptr);
}

TEST_F(CApiTest, FailuresWithinATimeStandAloneAndARunExpires) {  // BRK-2.6, BRK-2.7
  const auto call_fails = [&](const char* key) {
    fuseboard_breaker_permit* permit = nullptr;
    ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, key, nullptr, -1, &permit, nullptr), FUSEBOARD_OK);
    fuseboard_failure failure;
    fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_NETWORK, -1);
    ASSERT_EQ(fuseboard_breaker_settle(permit, &failure, 0), FUSEBOARD_OK);
  };
  breaker_.failure_threshold = 0;
  breaker_.failures_within = 2;
  breaker_.failures_within_ms = 2000;
  breaker_.failure_run_expires_ms = 1000;
  create_breakers();
  call_fails("openai");
  now_ += 2 * kSecond;
  fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
  call_fails("openai");
  ASSERT_EQ(fuseboard_breaker_snapshot(breakers_, "openai", nullptr, &circuit), FUSEBOARD_OK);
  EXPECT_EQ(circuit.state, FUSEBOARD_CIRCUIT_OPEN);
  EXPECT_EQ(circuit.consecutive_failures, 1U) << "the first had expired";
}

TEST(CApiOptions, PresetsAreThoseOfTheLibrary) {  // BRK-20
  fuseboard_breaker_options options;
  ASSERT_EQ(fuseboard_breaker_options_init(&options, FUSEBOARD_PRESET_TOOL), FUSEBOARD_OK);
  EXPECT_EQ(options.failure_threshold, 7U);
  EXPECT_EQ(options.open_initial_ms, 5000);
  EXPECT_EQ(options.open_max_ms, 120'000);
  EXPECT_EQ(options.open_factor, 2.0);
  EXPECT_EQ(options.half_open_failure_rate, 0.0);
  EXPECT_EQ(options.failures_within, 0U);
  EXPECT_EQ(options.failure_run_expires_ms, 0);
  ASSERT_EQ(fuseboard_breaker_options_init(&options, FUSEBOARD_PRESET_STRICT_PROVIDER), FUSEBOARD_OK);
  EXPECT_EQ(options.trips_on, ((1U << FUSEBOARD_CATEGORY_COUNT) - 1) & ~(1U << FUSEBOARD_CATEGORY_CANCELLED));
  EXPECT_EQ(fuseboard_breaker_options_init(&options, 3), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_tool_options_init(nullptr), FUSEBOARD_INVALID_ARGUMENT);
}

TEST_F(CApiTest, AClockOfTheMachineAndDefaultsDoWithoutOptions) {  // BRK-20
  ASSERT_EQ(fuseboard_tool_guard_create(nullptr, &guard_), FUSEBOARD_OK);
  fuseboard_tool_settle(acquired("search"), FUSEBOARD_OUTCOME_SUCCESS, 0);
  ASSERT_EQ(fuseboard_breakers_create(nullptr, 0, nullptr, nullptr, &breakers_), FUSEBOARD_OK);
  EXPECT_EQ(totals().succeeded, 1U);
}

TEST_F(CApiTest, AnOutputThatWasNotSetUpIsRefusedByTheFirstCall) {  // CORE-6
  create();
  create_breakers();
  rejection_ = {};
  fuseboard_tool_permit* permit = nullptr;
  EXPECT_EQ(try_acquire("tool", &permit), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(permit, nullptr);
  EXPECT_STREQ(fuseboard_last_error(), "struct_size: not set");
  EXPECT_EQ(totals().admitted, 0U);
  fuseboard_breaker_permit* breakers_permit = nullptr;
  EXPECT_EQ(fuseboard_breaker_try_acquire(breakers_, "key", nullptr, FUSEBOARD_NONE_MS, &breakers_permit, &rejection_),
            FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(breakers_permit, nullptr);
  // Both outputs are looked at before either is written.
  fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
  circuit.generation = 77;
  fuseboard_tool_limit limit = {};
  EXPECT_EQ(fuseboard_tool_snapshot(guard_, "tool", &circuit, &limit), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "struct_size: not set");
  EXPECT_EQ(circuit.generation, 77U);
}

}  // namespace
}  // namespace fuseboard
