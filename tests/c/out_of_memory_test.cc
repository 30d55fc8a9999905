// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What C callers find when memory is short: a status that says so, and everything as it was.
#include <gtest/gtest.h>

#include <string>

#include "fuseboard/c/call.h"
#include "tests/support/count_allocations.h"

namespace fuseboard {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t read_clock(void* user) { return *static_cast<const std::int64_t*>(user); }

class OutOfMemoryTest : public testing::Test {
 protected:
  OutOfMemoryTest() {
    fuseboard_breaker_options_init(&breaker_, FUSEBOARD_PRESET_TOOL);
    breaker_.failure_threshold = 1;
    breaker_.abandoned_is_failure = true;
    fuseboard_tool_options_init(&tool_);
    tool_.breaker = &breaker_;
    tool_.burst = 3.0;
    fuseboard_tool_guard_options_init(&options_);
    options_.defaults = &tool_;
    options_.max_tools = 2;
    options_.clock_now_ns = read_clock;
    options_.clock_user = &now_;
  }
  ~OutOfMemoryTest() override { fuseboard_tool_guard_destroy(guard_); }

  fuseboard_status try_acquire(const char* tool, fuseboard_tool_permit** permit) {
    return fuseboard_tool_try_acquire(guard_, tool, FUSEBOARD_PRIORITY_NORMAL, FUSEBOARD_NO_TIMEOUT, permit, nullptr);
  }
  void call(const char* tool, fuseboard_outcome outcome) {
    fuseboard_tool_permit* permit = nullptr;
    ASSERT_EQ(try_acquire(tool, &permit), FUSEBOARD_OK) << fuseboard_last_error();
    fuseboard_tool_settle(permit, outcome, 0);
  }
  fuseboard_circuit circuit_of(const char* tool) {
    fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
    EXPECT_EQ(fuseboard_tool_snapshot(guard_, tool, &circuit, nullptr), FUSEBOARD_OK);
    return circuit;
  }
  double tokens_of(const char* tool) {
    fuseboard_tool_limit limit = FUSEBOARD_INIT(fuseboard_tool_limit);
    EXPECT_EQ(fuseboard_tool_snapshot(guard_, tool, nullptr, &limit), FUSEBOARD_OK);
    return limit.available;
  }
  fuseboard_tool_totals totals() {
    fuseboard_tool_totals totals = FUSEBOARD_INIT(fuseboard_tool_totals);
    EXPECT_EQ(fuseboard_tool_get_totals(guard_, &totals), FUSEBOARD_OK);
    return totals;
  }
  void create() { ASSERT_EQ(fuseboard_tool_guard_create(&options_, &guard_), FUSEBOARD_OK) << fuseboard_last_error(); }

  std::int64_t now_ = 3600 * kSecond;
  fuseboard_breaker_options breaker_{};
  fuseboard_tool_options tool_{};
  fuseboard_tool_guard_options options_{};
  fuseboard_tool_guard* guard_ = nullptr;
};

TEST_F(OutOfMemoryTest, AGuardThatCannotBeMadeIsNull) {  // CORE-5
  fuseboard_status status = FUSEBOARD_OK;
  const int failed_runs = fail_each_allocation([&] { status = fuseboard_tool_guard_create(&options_, &guard_); },
                                               [&](bool failed) {
                                                 EXPECT_EQ(status, failed ? FUSEBOARD_OUT_OF_MEMORY : FUSEBOARD_OK);
                                                 EXPECT_EQ(guard_ == nullptr, failed);
                                               });
  EXPECT_GT(failed_runs, 2);
}

TEST_F(OutOfMemoryTest, ANewToolThatFindsNoMemoryLeavesAFullGuardAsItWas) {  // BRK-17.6
  const char* const kNewcomer = "a tool whose name is too long for its place";
  const auto set_up = [&] {
    fuseboard_tool_guard_destroy(guard_);
    create();
    call("first", FUSEBOARD_OUTCOME_SUCCESS);
    call("second", FUSEBOARD_OUTCOME_SUCCESS);
    now_ += 60 * kSecond;  // their buckets are full again
  };
  set_up();
  fuseboard_tool_permit* permit = nullptr;
  fuseboard_status status = FUSEBOARD_OK;
  const int failed_runs = fail_each_allocation([&] { status = try_acquire(kNewcomer, &permit); },
                                               [&](bool failed) {
                                                 ASSERT_EQ(status, failed ? FUSEBOARD_OUT_OF_MEMORY : FUSEBOARD_OK);
                                                 ASSERT_EQ(permit == nullptr, failed);
                                                 fuseboard_tool_abandon(permit);
                                                 if (failed) {
                                                   EXPECT_EQ(circuit_of("first").succeeded, 1U);
                                                   EXPECT_EQ(circuit_of("second").succeeded, 1U);
                                                   EXPECT_EQ(circuit_of(kNewcomer).generation, 0U) << "unknown";
                                                   EXPECT_EQ(totals().admitted, 2U);
                                                   EXPECT_EQ(totals().abandoned, 0U);
                                                   call(kNewcomer, FUSEBOARD_OUTCOME_SUCCESS);
                                                   EXPECT_EQ(circuit_of(kNewcomer).succeeded, 1U);
                                                   EXPECT_EQ(totals().untracked, 0U);
                                                 }
                                                 set_up();
                                               });
  EXPECT_GE(failed_runs, 5);
}

TEST_F(OutOfMemoryTest, APermitThatCannotBeHandedOverIsNotTaken) {  // BRK-10.2 BRK-11
  create();
  call("tool", FUSEBOARD_OUTCOME_SUCCESS);
  fuseboard_tool_permit* permit = nullptr;
  fuseboard_status status = FUSEBOARD_OK;
  const int failed_runs = fail_each_allocation([&] { status = try_acquire("tool", &permit); },
                                               [&](bool failed) {
                                                 ASSERT_EQ(status, failed ? FUSEBOARD_OUT_OF_MEMORY : FUSEBOARD_OK);
                                                 if (!failed) return;
                                                 EXPECT_EQ(tokens_of("tool"), 2.0) << "no token is gone";
                                                 EXPECT_EQ(circuit_of("tool").in_flight, 0U);
                                                 EXPECT_EQ(circuit_of("tool").abandoned, 0U) << "nor a failure counted";
                                                 EXPECT_EQ(circuit_of("tool").state, FUSEBOARD_CIRCUIT_CLOSED);
                                               });
  EXPECT_TRUE(failed_runs == 1 || !kAllocationsSeen) << failed_runs;
  fuseboard_tool_settle(permit, FUSEBOARD_OUTCOME_EXECUTION_ERROR, 0);
  // A probe, too.
  now_ += 60 * kSecond;
  fail_each_allocation([&] { status = try_acquire("tool", &permit); },
                       [&](bool failed) { ASSERT_EQ(status, failed ? FUSEBOARD_OUT_OF_MEMORY : FUSEBOARD_OK); });
  EXPECT_EQ(circuit_of("tool").probes_in_flight, 1U);
  fuseboard_tool_settle(permit, FUSEBOARD_OUTCOME_SUCCESS, 0);
  EXPECT_EQ(circuit_of("tool").state, FUSEBOARD_CIRCUIT_CLOSED);
}

TEST_F(OutOfMemoryTest, ABreakersPermitIsNotTakenEither) {  // BRK-11
  fuseboard_breakers* breakers = nullptr;
  ASSERT_EQ(fuseboard_breakers_create(&breaker_, 1, read_clock, &now_, &breakers), FUSEBOARD_OK);
  const auto acquire = [&](const char* key, fuseboard_breaker_permit** permit) {
    return fuseboard_breaker_try_acquire(breakers, key, nullptr, FUSEBOARD_NONE_MS, permit, nullptr);
  };
  for (const std::string& key : {std::string("one"), std::string("another with a name that is a long one")}) {
    fuseboard_breaker_permit* permit = nullptr;
    fuseboard_status status = FUSEBOARD_OK;
    fail_each_allocation([&] { status = acquire(key.c_str(), &permit); },
                         [&](bool failed) { ASSERT_EQ(status, failed ? FUSEBOARD_OUT_OF_MEMORY : FUSEBOARD_OK); });
    fuseboard_breaker_settle(permit, nullptr, 0);
    fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
    ASSERT_EQ(fuseboard_breaker_snapshot(breakers, key.c_str(), nullptr, &circuit), FUSEBOARD_OK);
    EXPECT_EQ(circuit.succeeded, 1U) << key;
    EXPECT_EQ(circuit.abandoned, 0U) << key;
  }
  fuseboard_breakers_destroy(breakers);
}

// The first target fails, the second answers.
void answer(void*, fuseboard_call* call, const fuseboard_attempt* attempt) {
  fuseboard_failure failure;
  fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_NETWORK, FUSEBOARD_NONE_MS);
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  if (attempt->target == 0) report.failure = &failure;
  (void)fuseboard_call_report(call, attempt->number, &report);
}

TEST_F(OutOfMemoryTest, ACallThatFindsNoMemoryHoldsNothing) {  // PIP-2 PIP-3
  fuseboard_breakers* breakers = nullptr;
  breaker_.failure_threshold = 1'000'000;
  ASSERT_EQ(fuseboard_breakers_create(&breaker_, 0, read_clock, &now_, &breakers), FUSEBOARD_OK);
  fuseboard_target_options target;
  fuseboard_target_options_init(&target);
  target.breakers = breakers;
  target.concurrency = 1;
  fuseboard_target* targets[2] = {};
  for (int i = 0; i < 2; ++i) {
    target.provider = i == 0 ? "first" : "second";
    ASSERT_EQ(fuseboard_target_create(&target, &targets[i]), FUSEBOARD_OK) << fuseboard_last_error();
  }
  const fuseboard_route routes[] = {{targets[0], nullptr}, {targets[1], nullptr}};
  fuseboard_retry_options retry;
  fuseboard_retry_options_init(&retry);
  retry.max_attempts = 1;
  fuseboard_plan_options options;
  fuseboard_plan_options_init(&options);
  options.retry = &retry;
  fuseboard_plan* plan = nullptr;
  ASSERT_EQ(fuseboard_plan_create(routes, 2, &options, &plan), FUSEBOARD_OK) << fuseboard_last_error();
  fuseboard_call_callbacks callbacks = FUSEBOARD_INIT(fuseboard_call_callbacks);
  callbacks.send = answer;

  fuseboard_call* call = nullptr;
  fuseboard_status status = FUSEBOARD_OK;
  const int failed_runs = fail_each_allocation(
      [&] {
        status = fuseboard_call_create(plan, nullptr, &callbacks, nullptr, &call);
        if (status == FUSEBOARD_OK) status = fuseboard_call_run(call);
      },
      [&](bool failed) {
        ASSERT_EQ(status, failed ? FUSEBOARD_OUT_OF_MEMORY : FUSEBOARD_OK) << fuseboard_last_error();
        if (!failed) {
          fuseboard_call_summary summary = FUSEBOARD_INIT(fuseboard_call_summary);
          ASSERT_EQ(fuseboard_call_get_summary(call, &summary), FUSEBOARD_OK);
          EXPECT_EQ(summary.served_by, 1);
        }
        fuseboard_call_destroy(call);
        call = nullptr;
        for (const fuseboard_target* one : targets) {
          fuseboard_target_usage usage = FUSEBOARD_INIT(fuseboard_target_usage);
          ASSERT_EQ(fuseboard_target_get_usage(one, &usage), FUSEBOARD_OK);
          EXPECT_EQ(usage.in_flight, 0U);
          EXPECT_EQ(usage.waiting, 0U);
        }
      });
  EXPECT_GE(failed_runs, 2);
  fuseboard_plan_destroy(plan);
  for (fuseboard_target* one : targets) fuseboard_target_destroy(one);
  fuseboard_breakers_destroy(breakers);
}

}  // namespace
}  // namespace fuseboard
