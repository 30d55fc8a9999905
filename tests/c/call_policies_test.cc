// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What calls through the C API run under: limits, budgets, credentials; and options that make no sense.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "call_world.h"
#include "fuseboard/c/call.h"
#include "fuseboard/c/plan.h"

namespace fuseboard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CPoliciesTest : public CCallTest {
 protected:
  CPoliciesTest() {
    fuseboard_budget_caps_init(&caps_);
    fuseboard_ledger_options_init(&ledger_options_);
    ledger_options_.global = &caps_;
  }
  ~CPoliciesTest() override {
    fuseboard_ledger_destroy(ledger_);
    fuseboard_credential_destroy(credential_);
  }

  void create_ledger() {
    ASSERT_EQ(fuseboard_ledger_create(&ledger_options_, &ledger_), FUSEBOARD_OK) << fuseboard_last_error();
    call_.ledger = ledger_;
  }
  fuseboard_budget_level level(const char* key = nullptr, const char* session = nullptr) {
    fuseboard_budget_level level = FUSEBOARD_INIT(fuseboard_budget_level);
    EXPECT_EQ(fuseboard_ledger_get_level(ledger_, key, session, &level), FUSEBOARD_OK) << fuseboard_last_error();
    return level;
  }

  fuseboard_budget_caps caps_{};
  fuseboard_ledger_options ledger_options_{};
  fuseboard_ledger* ledger_ = nullptr;
  fuseboard_credential* credential_ = nullptr;
};

TEST_F(CPoliciesTest, ATargetsLimitsHoldForAllCalls) {  // LIM-5.1, LIM-5.2
  target_.requests_per_minute = 60.0;
  target_.requests_burst = 1.0;
  target_.tokens_per_minute = 600.0;
  call_.input_tokens = 100;
  fuseboard_plan* const one = plan({"a"});
  Caller first;
  first.begin(one, &call_);
  first.proceed();
  EXPECT_EQ(usage("a").requests_available, 0.0);
  EXPECT_EQ(usage("a").tokens_available, 500.0);
  Caller second;
  second.begin(one, &call_);
  second.proceed();
  EXPECT_EQ(second.ending(), "rate_limited");
  EXPECT_EQ(second.rejection(0).reason, FUSEBOARD_REASON_RATE_LIMITED);
  EXPECT_GE(second.summary().retry_after_ms, 1000);
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  report.has_usage = true;
  report.input_tokens = 30;
  report.output_tokens = 20;
  ASSERT_EQ(fuseboard_call_report(first.call, 1, &report), FUSEBOARD_OK);
  EXPECT_EQ(usage("a").tokens_available, 550.0);
}

TEST_F(CPoliciesTest, APriorityMayNotDrawOnTheReserve) {  // LIM-2
  target_.requests_per_minute = 60.0;
  target_.requests_burst = 2.0;
  target_.reserve_for_priorities = true;
  fuseboard_plan* const one = plan({"a"});
  Caller first;
  first.begin(one);
  first.proceed();
  call_.priority = FUSEBOARD_PRIORITY_LOW;
  Caller low;
  low.begin(one, &call_);
  low.proceed();
  EXPECT_EQ(low.ending(), "rate_limited");
  call_.priority = FUSEBOARD_PRIORITY_CRITICAL;
  Caller critical;
  critical.begin(one, &call_);
  critical.proceed();
  EXPECT_THAT(critical.sent, ElementsAre("a"));
}

TEST_F(CPoliciesTest, ABudgetThatIsSpentSendsNothing) {  // BUD-2, BUD-6
  caps_.rounds = 1;
  create_ledger();
  fuseboard_plan* const two = plan({"a", "b"});
  Caller first;
  first.begin(two, &call_);
  first.proceed();
  EXPECT_EQ(level().open_reservations, 1U);
  first.succeed(1);
  EXPECT_EQ(first.attempt(0).charged_rounds, 1U);
  Caller second;
  second.begin(two, &call_);
  second.proceed();
  EXPECT_THAT(second.sent, IsEmpty());
  EXPECT_EQ(second.ending(), "budget_exceeded");
  const fuseboard_rejection_record rejection = second.rejection(0);
  EXPECT_EQ(rejection.reason, FUSEBOARD_REASON_BUDGET_EXCEEDED);
  EXPECT_EQ(rejection.kind, FUSEBOARD_BUDGET_ROUNDS);
  EXPECT_EQ(rejection.scope, FUSEBOARD_BUDGET_GLOBAL);
  EXPECT_EQ(rejection.consumed, 1U);
  EXPECT_EQ(rejection.requested, 1U);
  EXPECT_EQ(rejection.limit, 1U);
  EXPECT_EQ(level().rejections, 2U) << "of both targets";
  ASSERT_EQ(fuseboard_ledger_reset(ledger_, nullptr, nullptr), FUSEBOARD_OK);
  Caller third;
  third.begin(two, &call_);
  third.proceed();
  EXPECT_THAT(third.sent, ElementsAre("a"));
}

TEST_F(CPoliciesTest, ASessionWithoutAKeyIsALevelOfItsOwn) {  // BUD-1
  fuseboard_budget_caps of_session;
  fuseboard_budget_caps_init(&of_session);
  of_session.tokens = 5000;
  ledger_options_.session = &of_session;
  create_ledger();
  call_.session = "one";
  Caller caller;
  caller.begin(plan({"a"}), &call_);
  caller.proceed();
  caller.succeed(1);
  EXPECT_EQ(level(nullptr, "one").rounds, 1U);
  ASSERT_EQ(fuseboard_ledger_reset(ledger_, nullptr, "one"), FUSEBOARD_OK);
  EXPECT_EQ(level(nullptr, "one").rounds, 0U);
  EXPECT_EQ(level().rounds, 1U);
}

TEST_F(CPoliciesTest, MoneyIsChargedByKeyAndSession) {  // BUD-1, BUD-3, BUD-8
  fuseboard_budget_caps of_key;
  fuseboard_budget_caps_init(&of_key);
  of_key.usd_nanos = kSecond;  // a dollar
  const fuseboard_budget_key keys[] = {{"agent", &of_key}};
  ledger_options_.keys = keys;
  ledger_options_.key_count = 1;
  fuseboard_budget_caps of_session;
  fuseboard_budget_caps_init(&of_session);
  of_session.tokens = 5000;
  ledger_options_.session = &of_session;
  create_ledger();
  fuseboard_price price = FUSEBOARD_INIT(fuseboard_price);
  price.input_nanos = 3 * kSecond;
  price.cached_input_nanos = FUSEBOARD_NO_MONEY;
  price.output_nanos = 15 * kSecond;
  fuseboard_route_options route;
  fuseboard_route_options_init(&route);
  route.price = &price;
  call_.key = "agent";
  call_.session = "one";
  call_.input_tokens = 1000;
  call_.output_tokens = 1000;
  Caller caller;
  caller.begin(plan({"a"}, &route), &call_);
  caller.proceed();
  EXPECT_EQ(level("agent").reserved_usd_nanos, 18'000'000);
  EXPECT_EQ(level("agent", "one").reserved_tokens, 2000U);
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  report.has_usage = true;
  report.input_tokens = 2000;
  report.output_tokens = 100;
  ASSERT_EQ(fuseboard_call_report(caller.call, 1, &report), FUSEBOARD_OK);
  EXPECT_EQ(caller.attempt(0).charged_usd_nanos, 7'500'000);
  EXPECT_EQ(caller.attempt(0).charged_tokens, 2100U);
  EXPECT_EQ(level("agent").usd_nanos, 7'500'000);
  EXPECT_EQ(level("agent").reserved_usd_nanos, 0);
  EXPECT_EQ(level("agent", "one").tokens, 2100U);
  EXPECT_EQ(level().tokens, 2100U);
  fuseboard_budget_level out = FUSEBOARD_INIT(fuseboard_budget_level);
  EXPECT_EQ(fuseboard_ledger_get_level(ledger_, "nobody", nullptr, &out), FUSEBOARD_NOT_FOUND);
  EXPECT_EQ(fuseboard_ledger_reset(ledger_, "nobody", nullptr), FUSEBOARD_NOT_FOUND);
}

TEST_F(CPoliciesTest, WithoutAPriceACallThatNeedsOneIsRefused) {  // BUD-8
  caps_.usd_nanos = kSecond;
  create_ledger();
  fuseboard_route_options route;
  fuseboard_route_options_init(&route);
  route.price_required = true;
  Caller caller;
  caller.begin(plan({"a"}, &route), &call_);
  caller.proceed();
  EXPECT_EQ(caller.ending(), "budget_exceeded");
  EXPECT_EQ(caller.rejection(0).reason, FUSEBOARD_REASON_PRICE_MISSING);
}

TEST_F(CPoliciesTest, SeveralCallsShareTheirAttempts) {  // RTY-10
  fuseboard_attempt_budget* shared = nullptr;
  ASSERT_EQ(fuseboard_attempt_budget_create(2, &shared), FUSEBOARD_OK);
  call_.attempt_budget = shared;
  fuseboard_plan* const one = plan({"a"});
  Caller first;
  first.begin(one, &call_);
  first.proceed();
  first.succeed(1);
  EXPECT_EQ(fuseboard_attempt_budget_left(shared), 1U);
  Caller second;
  second.begin(one, &call_);
  fuseboard_attempt_budget_destroy(shared);
  second.proceed();
  second.fail(1, FUSEBOARD_CATEGORY_NETWORK);
  now_ = second.timer;
  second.proceed();
  EXPECT_EQ(second.ending(), "retries_exhausted");
  EXPECT_EQ(fuseboard_attempt_budget_left(nullptr), 0U);
}

TEST_F(CPoliciesTest, ARefusedCredentialRestsForAllWhoShareIt) {  // FBK-6.3, FBK-6.6, FBK-6.7, FBK-2.7
  ASSERT_EQ(fuseboard_credential_create("team", nullptr, &credential_), FUSEBOARD_OK);
  target_.credential = credential_;
  target("a");
  target("b");
  target_.credential = nullptr;
  Caller first;
  first.begin(plan({"a", "b", "c"}));
  first.proceed();
  first.fail(1, FUSEBOARD_CATEGORY_AUTHENTICATION);
  EXPECT_THAT(first.sent, ElementsAre("a", "c"));
  EXPECT_EQ(first.rejection(0).target, 1U);
  EXPECT_EQ(first.rejection(0).reason, FUSEBOARD_REASON_NOT_ELIGIBLE)
      << "ruled out before its credential was looked at";
  EXPECT_EQ(first.rejection(0).last_failure, FUSEBOARD_CATEGORY_AUTHENTICATION);
  fuseboard_plan* const shared = plan({"a", "b"});
  Caller second;
  second.begin(shared);
  second.proceed();
  EXPECT_EQ(second.ending(), "credential_parked");
  EXPECT_EQ(second.summary().retry_after_ms, 60'000);
  ASSERT_EQ(fuseboard_credential_unpark(credential_), FUSEBOARD_OK);
  Caller third;
  third.begin(shared);
  third.proceed();
  EXPECT_THAT(third.sent, ElementsAre("a"));
}

TEST_F(CPoliciesTest, ABoundCallStaysWithItsProvider) {  // FBK-7.1, FBK-7.3
  call_.bound_to_provider = "b";
  Caller caller;
  caller.begin(plan({"a", "b"}), &call_);
  caller.proceed();
  EXPECT_THAT(caller.sent, ElementsAre("b"));
  call_.bound_to_provider = "nobody";
  Caller nowhere;
  nowhere.begin(plan({"a", "b"}), &call_);
  nowhere.proceed();
  EXPECT_EQ(nowhere.ending(), "no_target");
  EXPECT_EQ(nowhere.rejection(0).reason, FUSEBOARD_REASON_NOT_ELIGIBLE);
}

TEST_F(CPoliciesTest, WhatIsTooLongGoesToALargerWindow) {  // FBK-2.6
  fuseboard_route_options small;
  fuseboard_route_options_init(&small);
  small.context_window = 8000;
  fuseboard_route_options large = small;
  large.context_window = 200'000;
  const fuseboard_route routes[] = {{target("a"), &small}, {target("b"), &small}, {target("c"), &large}};
  fuseboard_plan* plan = nullptr;
  ASSERT_EQ(fuseboard_plan_create(routes, 3, nullptr, &plan), FUSEBOARD_OK);
  plans_.push_back(plan);
  Caller caller;
  caller.begin(plan);
  caller.proceed();
  caller.fail(1, FUSEBOARD_CATEGORY_CONTEXT_LENGTH_EXCEEDED);
  EXPECT_THAT(caller.sent, ElementsAre("a", "c"));
}

TEST_F(CPoliciesTest, FailuresToConnectAreTheProviders) {  // BRK-22
  target_.model = "m";
  target_.provider_breaker = true;
  Caller caller;
  caller.begin(plan({"a"}));
  caller.proceed();
  EXPECT_STREQ(caller.latest.target_name, "a/m");
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_NETWORK, FUSEBOARD_NONE_MS);
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  report.failure = &failure;
  report.not_connected = true;
  ASSERT_EQ(fuseboard_call_report(caller.call, 1, &report), FUSEBOARD_OK);
  EXPECT_EQ(circuit("a").failed, 1U);
  fuseboard_circuit model = FUSEBOARD_INIT(fuseboard_circuit);
  ASSERT_EQ(fuseboard_breaker_snapshot(breakers_, "a", "m", &model), FUSEBOARD_OK);
  EXPECT_EQ(model.failed, 0U);
}

TEST_F(CPoliciesTest, WhatMustNotRunTwiceIsRepeatedOnlyWhereItDidNotRun) {  // RTY-7.2
  call_.idempotent = false;
  fuseboard_plan* const two = plan({"a", "b"});
  Caller ran;
  ran.begin(two, &call_);
  ran.proceed();
  ran.fail(1, FUSEBOARD_CATEGORY_NETWORK);
  EXPECT_EQ(ran.ending(), "failed");
  Caller rejected;
  rejected.begin(two, &call_);
  rejected.proceed();
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_OVERLOADED, FUSEBOARD_NONE_MS);
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  report.failure = &failure;
  report.did_not_run = true;
  fuseboard_call_report(rejected.call, 1, &report);
  EXPECT_FALSE(fuseboard_call_has_ended(rejected.call));
}

TEST_F(CPoliciesTest, ACategoryMayHaveItsOwnPatience) {  // RTY-10
  fuseboard_retry_options once = retry_;
  once.max_attempts = 1;
  const fuseboard_retry_rule rules[] = {{FUSEBOARD_CATEGORY_OVERLOADED, &once}};
  options_.retry_rules = rules;
  options_.retry_rule_count = 1;
  Caller caller;
  caller.begin(plan({"a", "b"}));
  caller.proceed();
  caller.fail(1, FUSEBOARD_CATEGORY_OVERLOADED);
  caller.fail(2, FUSEBOARD_CATEGORY_NETWORK);
  EXPECT_THAT(caller.sent, ElementsAre("a", "b"));
  EXPECT_EQ(caller.timer, now_ + 500 * kMillisecond) << "b is tried again";
}

TEST_F(CPoliciesTest, ABackoffMayBeLinearOrAList) {  // RTY-1.5, CORE-6
  retry_.base_ms = 1000;
  retry_.step_ms = 3000;
  retry_.backoff = FUSEBOARD_BACKOFF_LINEAR;
  const auto waits = [this] {
    Caller caller;
    caller.begin(plan({"a"}));
    caller.proceed();
    std::vector<std::int64_t> seen;
    for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
      fuseboard_failure failure;
      fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_OVERLOADED, FUSEBOARD_NONE_MS);
      failure.evidence = FUSEBOARD_EVIDENCE_DOES_NOT_COUNT;  // to a breaker, which would ask for a wait of its own
      fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
      report.failure = &failure;
      EXPECT_EQ(fuseboard_call_report(caller.call, attempt, &report), FUSEBOARD_OK);
      seen.push_back(caller.timer - now_);
      now_ = caller.timer;
      caller.proceed();
    }
    return seen;
  };
  EXPECT_THAT(waits(), ElementsAre(1 * kSecond, 4 * kSecond));
  const std::int64_t list[] = {200, 100};
  retry_.backoff = FUSEBOARD_BACKOFF_LIST;
  retry_.list_ms = list;
  retry_.list_count = 2;
  EXPECT_THAT(waits(), ElementsAre(200 * kMillisecond, 100 * kMillisecond));
  retry_.list_count = 0;
  fuseboard_plan* none = nullptr;
  const fuseboard_route route = {target("a"), nullptr};
  EXPECT_EQ(fuseboard_plan_create(&route, 1, &options_, &none), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_THAT(fuseboard_last_error(), HasSubstr("plan.retry.backoff: a list of 0"));
  retry_.backoff = 3;
  EXPECT_EQ(fuseboard_plan_create(&route, 1, &options_, &none), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_THAT(fuseboard_last_error(), HasSubstr("plan.retry.backoff: 3 is not allowed; allowed: 0 to 2"));
}

TEST_F(CPoliciesTest, TheCallersDeadlineHoldsBesideThePlans) {  // RTY-3.1
  call_.deadline_ms = 2000;
  Caller caller;
  caller.begin(plan({"a"}), &call_);
  caller.proceed();
  EXPECT_EQ(caller.latest.total_by_ns, now_ + 2 * kSecond);
  now_ += 2 * kSecond;
  caller.fail(1, FUSEBOARD_CATEGORY_TIMEOUT);
  EXPECT_EQ(caller.ending(), "deadline_exceeded");
}

TEST_F(CPoliciesTest, AllProblemsOfAPlanAreInTheError) {  // CORE-6
  retry_.max_attempts = 0;
  retry_.jitter = 4;
  options_.strategy = -1;
  options_.max_total_attempts = 1001;
  options_.overall_deadline_ms = -5;
  options_.fallback_on = 1U << FUSEBOARD_CATEGORY_COUNT;
  fuseboard_route_options route;
  fuseboard_route_options_init(&route);
  route.idle_ms = 0;
  fuseboard_price price = FUSEBOARD_INIT(fuseboard_price);
  price.output_nanos = -2;
  route.price = &price;
  const fuseboard_route routes[] = {{target("a"), &route}};
  fuseboard_plan* plan = plans_.emplace_back();
  EXPECT_EQ(fuseboard_plan_create(routes, 1, &options_, &plan), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(plan, nullptr);
  for (const char* field :
       {"plan.retry.max_attempts", "plan.retry.jitter", "plan.strategy", "plan.max_total_attempts",
        "plan.overall_deadline", "plan.fallback_on", "target a.timeouts.idle", "target a.price.output_nanos"}) {
    EXPECT_THAT(fuseboard_last_error(), HasSubstr(field));
  }
  EXPECT_EQ(fuseboard_plan_create(nullptr, 0, nullptr, &plan), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_THAT(fuseboard_last_error(), HasSubstr("at least one target"));
  EXPECT_EQ(fuseboard_plan_create(nullptr, 1, nullptr, &plan), FUSEBOARD_INVALID_ARGUMENT);
  const fuseboard_route nobody[] = {{nullptr, nullptr}};
  EXPECT_EQ(fuseboard_plan_create(nobody, 1, nullptr, &plan), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_plan_create(routes, 1, nullptr, nullptr), FUSEBOARD_INVALID_ARGUMENT);
}

TEST_F(CPoliciesTest, AllProblemsOfATargetAreInTheErrorAndItLeavesNoBreaker) {  // CORE-6
  target_.provider = "new";
  target_.requests_per_minute = std::numeric_limits<double>::quiet_NaN();
  target_.tokens_burst = -1.0;
  target_.queue_capacity = 0;
  target_.retry_ratio = 11.0;
  target_.retry_after_max_ms = -1;
  fuseboard_target* target = nullptr;
  EXPECT_EQ(fuseboard_target_create(&target_, &target), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(target, nullptr);
  for (const char* field : {"limits.requests_per_minute", "limits.tokens_burst", "queue.capacity", "retry_budget.ratio",
                            "retry_after_max"}) {
    EXPECT_THAT(fuseboard_last_error(), HasSubstr(field));
  }
  EXPECT_EQ(fuseboard_breaker_reset(breakers_, "new", nullptr), FUSEBOARD_NOT_FOUND);
  fuseboard_target_options_init(&target_);
  EXPECT_EQ(fuseboard_target_create(&target_, &target), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "breakers: NULL is not allowed");
  target_.breakers = breakers_;
  EXPECT_EQ(fuseboard_target_create(&target_, &target), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "provider: NULL is not allowed");
  fuseboard_credential_options credential;
  fuseboard_credential_options_init(&credential);
  credential.park_ms = 0;
  EXPECT_EQ(fuseboard_credential_create("team", &credential, &credential_), FUSEBOARD_INVALID_ARGUMENT);
}

TEST_F(CPoliciesTest, AllProblemsOfALedgerAreInTheError) {  // CORE-6
  caps_.usd_nanos = -2;
  caps_.period = 3;
  caps_.tokens = std::numeric_limits<std::uint64_t>::max();
  ledger_options_.max_sessions = 0;
  const fuseboard_budget_key keys[] = {{"twice", nullptr}, {"twice", nullptr}};
  ledger_options_.keys = keys;
  ledger_options_.key_count = 2;
  EXPECT_EQ(fuseboard_ledger_create(&ledger_options_, &ledger_), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(ledger_, nullptr);
  for (const char* field : {"global.usd_nanos", "global.period", "global.tokens", "max_sessions", "keys.twice"}) {
    EXPECT_THAT(fuseboard_last_error(), HasSubstr(field));
  }
}

TEST_F(CPoliciesTest, TargetsOfOnePlanHaveOneClock) {  // CORE-1
  static std::int64_t other_now = 0;                   // until the targets are gone
  fuseboard_breakers* others = nullptr;
  ASSERT_EQ(fuseboard_breakers_create(nullptr, 0, read_clock, &other_now, &others), FUSEBOARD_OK);
  target("a");
  target_.breakers = others;
  target("b");
  fuseboard_breakers_destroy(others);
  const fuseboard_route routes[] = {{target("a"), nullptr}, {target("b"), nullptr}};
  fuseboard_plan* plan = nullptr;
  EXPECT_EQ(fuseboard_plan_create(routes, 2, nullptr, &plan), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "routes: the breakers of their targets have different clocks");
}

TEST_F(CPoliciesTest, WhatMeansNothingToACallIsRefusedAndChangesNothing) {  // CORE-6
  fuseboard_plan* const one = plan({"a"});
  Caller caller;
  fuseboard_call* call = nullptr;
  const auto create = [&](const fuseboard_plan* given) {
    return fuseboard_call_create(given, &call_, &caller.callbacks, &caller, &call);
  };
  EXPECT_EQ(create(nullptr), FUSEBOARD_INVALID_ARGUMENT);
  call_.priority = 4;
  EXPECT_EQ(create(one), FUSEBOARD_INVALID_ARGUMENT);
  call_.priority = FUSEBOARD_PRIORITY_LOW;
  call_.deadline_ms = -2;
  EXPECT_EQ(create(one), FUSEBOARD_INVALID_ARGUMENT);
  call_.deadline_ms = FUSEBOARD_NO_TIMEOUT;
  call_.bound_to_provider = "";
  EXPECT_EQ(create(one), FUSEBOARD_INVALID_ARGUMENT);
  call_.bound_to_provider = nullptr;
  EXPECT_EQ(fuseboard_call_create(one, nullptr, nullptr, nullptr, &call), FUSEBOARD_INVALID_ARGUMENT);
  const auto send = std::exchange(caller.callbacks.send, nullptr);
  EXPECT_EQ(create(one), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_STREQ(fuseboard_last_error(), "callbacks.send: NULL is not allowed");
  EXPECT_EQ(call, nullptr);
  caller.callbacks.send = send;

  caller.begin(one);
  caller.proceed();
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_NETWORK, FUSEBOARD_NONE_MS);
  failure.category = FUSEBOARD_CATEGORY_COUNT;
  report.failure = &failure;
  EXPECT_EQ(fuseboard_call_report(caller.call, 1, &report), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_call_report(caller.call, 1, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_call_run(caller.call), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(caller.succeed(1), FUSEBOARD_OK) << "it is still in flight";
  EXPECT_EQ(fuseboard_call_proceed(nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_EQ(fuseboard_call_get_summary(nullptr, nullptr), FUSEBOARD_INVALID_ARGUMENT);
  EXPECT_FALSE(fuseboard_call_has_ended(nullptr));
  EXPECT_EQ(fuseboard_call_now_ns(nullptr), 0);
  fuseboard_call_stop(nullptr);
  fuseboard_call_destroy(nullptr);
  EXPECT_EQ(fuseboard_ending_name(FUSEBOARD_ENDING_NO_TARGET + 1), nullptr);
  EXPECT_EQ(fuseboard_ending_name(-1), nullptr);
}

TEST_F(CPoliciesTest, ShorterStructsOfOlderCallersHaveDefaults) {  // CORE-6
  options_.struct_size = offsetof(fuseboard_plan_options, max_total_attempts);
  options_.max_total_attempts = 5000;
  call_.struct_size = offsetof(fuseboard_call_options, deadline_ms);
  call_.deadline_ms = -77;
  Caller caller;
  caller.callbacks.struct_size = offsetof(fuseboard_call_callbacks, wake);
  caller.begin(plan({"a"}), &call_);
  caller.proceed();
  caller.succeed(1);
  fuseboard_call_summary summary = FUSEBOARD_INIT(fuseboard_call_summary);
  summary.struct_size = offsetof(fuseboard_call_summary, attempts_sent);
  summary.attempts_sent = 77;
  ASSERT_EQ(fuseboard_call_get_summary(caller.call, &summary), FUSEBOARD_OK);
  EXPECT_EQ(summary.ending, FUSEBOARD_ENDING_SUCCESS);
  EXPECT_EQ(summary.attempts_sent, 77U) << "not written to";
}

}  // namespace
}  // namespace fuseboard
