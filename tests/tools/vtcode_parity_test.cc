// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What VT Code documents of its resilience for tools, asked of Fuseboard: each with the options that docs/parity.md
// names for it, and where it differs on purpose, the difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/limit/tool_limiter.h"
#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Without a limit, so that the breaker alone decides.
ToolGuardOptions breaker_alone(BreakerOptions breaker = tool_preset()) {
  return {.defaults = {.breaker = std::move(breaker), .limit = std::nullopt}};
}

class VtCode : public testing::Test {
 protected:
  void fail(ToolGuard& guard, const KeyView& tool, int times, const ToolResult& result = ToolOutcome::execution_error) {
    for (int i = 0; i < times; ++i) call(guard, tool, result);
  }
  ManualClock clock_;
};

TEST_F(VtCode, OneBadToolTakesNoOtherDown) {  // parity V1
  ToolGuard guard(breaker_alone(), clock_);
  fail(guard, "tool_a", 7);
  EXPECT_EQ(rejected(guard, "tool_a").reason, RejectionReason::circuit_open);
  EXPECT_TRUE(guard.try_acquire("tool_b"));
}

TEST_F(VtCode, WithAThousandProbesAHalfOpenCircuitLetsEverybodyIn) {  // parity V1
  BreakerOptions breaker = tool_preset();
  breaker.half_open_max_probes = 1000;
  ToolGuard guard(breaker_alone(breaker), clock_);
  fail(guard, "tool", 7);
  clock_.advance(5s);
  std::vector<ToolPermit> callers;
  for (int i = 0; i < 10; ++i) callers.push_back(acquired(guard, "tool"));
  std::move(callers[0]).settle(ToolOutcome::success);
  EXPECT_EQ(guard.snapshot("tool").circuit.state, CircuitState::closed) << "the first good one closes it";
  ToolGuard one(breaker_alone(), clock_);
  fail(one, "tool", 7);
  clock_.advance(5s);
  const ToolPermit probe = acquired(one, "tool");
  EXPECT_EQ(rejected(one, "tool").reason, RejectionReason::half_open_busy) << "by default one is enough";
}

TEST_F(VtCode, APortKeepsThePermitUntilTheOutcomeIsKnown) {  // parity V1
  // There, admission is a question and the outcome is recorded by name. A permit that is dropped before the outcome is
  // reported would leave a half-open circuit waiting for a probe that nobody settles; kept by name, it does not.
  ToolGuard guard(breaker_alone(), clock_);
  std::map<std::string, ToolPermit> admitted;
  const auto try_acquire = [&](const std::string& tool) {
    auto permit = guard.try_acquire(tool);
    if (permit) admitted[tool] = std::move(*permit);
    return permit.has_value();
  };
  const auto record_outcome = [&](const std::string& tool, ToolOutcome outcome) {
    const auto permit = admitted.find(tool);
    if (permit == admitted.end()) return;
    std::move(permit->second).settle(outcome);
    admitted.erase(permit);
  };
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(try_acquire("shell"));
    record_outcome("shell", ToolOutcome::execution_error);
  }
  EXPECT_FALSE(try_acquire("shell"));
  clock_.advance(5s);
  ASSERT_TRUE(try_acquire("shell"));
  record_outcome("shell", ToolOutcome::success);
  EXPECT_EQ(guard.snapshot("shell").circuit.state, CircuitState::closed);
}

TEST_F(VtCode, WhatIsReportedWithoutAPermitIsEvidenceWhileClosedAlone) {  // parity V1
  ToolGuard guard(breaker_alone(), clock_);
  BreakerRegistry& breakers = guard.breakers();
  for (int i = 0; i < 7; ++i) breakers.report("shell", Outcome::failed(Failure::of(Category::timeout)));
  EXPECT_EQ(guard.open_count(), 1U);
  breakers.report("shell", Outcome::success());
  EXPECT_EQ(guard.open_count(), 1U) << "a late success closes nothing";
  clock_.advance(3s);
  breakers.report("shell", Outcome::failed(Failure::of(Category::timeout)));
  EXPECT_EQ(rejected(guard, "shell").retry_after, 2s) << "a late failure starts no wait anew";
}

TEST_F(VtCode, SevenFailuresOpenForFiveSecondsDoublingToTwoMinutes) {  // parity V2
  ToolGuard guard(breaker_alone(), clock_);
  fail(guard, "shell", 6);
  EXPECT_EQ(guard.open_count(), 0U);
  fail(guard, "shell", 1);
  for (const Duration expected : {5s, 10s, 20s, 40s, 80s, 120s, 120s}) {
    EXPECT_EQ(guard.snapshot("shell").circuit.remaining, expected);
    clock_.advance(expected);
    fail(guard, "shell", 1);
  }
}

TEST_F(VtCode, WithAStreakOfNothingTheGrowthIsForgottenAtTheFirstSuccess) {  // parity V2
  const auto open_time_after_recovery = [&](std::optional<Duration> streak_reset_after) {
    BreakerOptions breaker = tool_preset();
    breaker.streak_reset_after = streak_reset_after;
    ToolGuard guard(breaker_alone(breaker), clock_);
    fail(guard, "shell", 7);
    clock_.advance(5s);
    fail(guard, "shell", 1);
    clock_.advance(10s);
    call(guard, "shell", ToolOutcome::success);
    fail(guard, "shell", 7);
    return *rejected(guard, "shell").retry_after;
  };
  EXPECT_EQ(open_time_after_recovery(0s), 5s);
  EXPECT_EQ(open_time_after_recovery(std::nullopt), 10s) << "a tool that flaps goes on where it was";
}

TEST_F(VtCode, AnEnormousFactorEndsAtTheLongestOpenTime) {  // parity V2
  ToolGuard guard(breaker_alone({.failure_threshold = 1, .open_time = OpenTime::exponential(1ms, 100.0, 10ms)}),
                  clock_);
  fail(guard, "shell", 1);
  clock_.advance(1ms);
  fail(guard, "shell", 1);
  EXPECT_EQ(guard.snapshot("shell").circuit.open_time, 10ms);
  EXPECT_FALSE(OpenTime::exponential(1ms, 1e308, 10ms).validate().empty()) << "what nobody means is refused";
}

TEST_F(VtCode, AnOpenTimeHasNoResetTimeoutBesideIt) {  // parity V2
  // There, `reset_timeout` is what is waited for while no backoff is known; an opened circuit always knows one.
  ToolGuard guard(breaker_alone(), clock_);
  fail(guard, "shell", 7);
  clock_.advance(5s);
  EXPECT_TRUE(guard.try_acquire("shell")->is_probe()) << "five seconds, not sixty";
}

TEST_F(VtCode, MistakesInArgumentsDoNotTrip) {  // parity V3
  ToolGuard guard(breaker_alone({.failure_threshold = 1}), clock_);
  for (int i = 0; i < 3; ++i) call(guard, "read_file", ToolOutcome::invalid_argument);
  EXPECT_EQ(guard.snapshot("read_file").circuit.state, CircuitState::closed);
  EXPECT_EQ(guard.snapshot("read_file").circuit.consecutive_failures, 0U);
  for (const Category category : {Category::invalid_request, Category::permission_denied, Category::authentication})
    call(guard, "read_file", Failure::of(category));
  EXPECT_EQ(guard.open_count(), 0U);
}

TEST_F(VtCode, AJudgedExecutionErrorCountsWhereTheSetNamesIt) {  // parity V3
  BreakerOptions breaker{.failure_threshold = 1};
  ToolGuard by_default(breaker_alone(breaker), clock_);
  call(by_default, "shell", Failure::of(Category::execution_error));
  EXPECT_EQ(by_default.open_count(), 0U) << "it ran and said no";
  call(by_default, "shell", ToolOutcome::execution_error);
  EXPECT_EQ(by_default.open_count(), 1U) << "as its runner says";
  breaker.trips_on.insert(Category::execution_error);
  ToolGuard as_there(breaker_alone(breaker), clock_);
  call(as_there, "shell", Failure::of(Category::execution_error));
  EXPECT_EQ(as_there.open_count(), 1U);
}

TEST_F(VtCode, DiagnosticsTellWhatTheyTell) {  // parity V4
  ToolGuard guard(breaker_alone(), clock_);
  fail(guard, "shell", 7);
  clock_.advance(2s);
  (void)rejected(guard, "shell");
  const BreakerSnapshot circuit = guard.snapshot("shell").circuit;
  EXPECT_EQ(to_text(circuit.key.view()), "shell");
  EXPECT_EQ(circuit.state, CircuitState::open);
  EXPECT_EQ(circuit.consecutive_failures, 7U);
  EXPECT_EQ(circuit.open_time, 5s);
  EXPECT_EQ(circuit.remaining, 3s);
  EXPECT_EQ(circuit.opened_at, clock_.now() - 2s);
  EXPECT_EQ(circuit.times_opened, 1U);
  EXPECT_EQ(circuit.denials, 1U);
  EXPECT_EQ(circuit.last_denial, clock_.now());
  EXPECT_EQ(circuit.last_failure, Category::execution_error);
}

TEST_F(VtCode, TheSnapshotDiffersWhereThePageSaysSo) {  // parity V4
  ToolGuard guard(breaker_alone(), clock_);
  EXPECT_EQ(guard.snapshot("nobody").circuit.state, CircuitState::closed);
  EXPECT_EQ(guard.snapshot("nobody").circuit.open_time, 0s);
  EXPECT_EQ(guard.size(), 0U) << "asking creates nothing";
  call(guard, "shell", ToolOutcome::success);
  EXPECT_EQ(guard.snapshot("shell").circuit.open_time, 5s) << "while closed: what the next one would be, there zero";
  EXPECT_EQ(guard.snapshot("shell").circuit.remaining, 0s) << "there: none";
  fail(guard, "shell", 7);
  const TimePoint opened = clock_.now();
  clock_.advance(5s);
  fail(guard, "shell", 1);
  EXPECT_EQ(guard.snapshot("shell").circuit.consecutive_failures, 8U) << "a failed probe counts, there it does not";
  clock_.advance(10s);
  call(guard, "shell", ToolOutcome::success);
  const BreakerSnapshot closed = guard.snapshot("shell").circuit;
  EXPECT_EQ(closed.opened_at, opened + 5s) << "the last time, there forgotten with the closing";
  EXPECT_EQ(closed.last_failure, Category::execution_error) << "kept, there forgotten";
  EXPECT_EQ(closed.consecutive_failures, 0U);
}

TEST_F(VtCode, OpenCircuitsAreListedAndCountedAndAreAReasonToPause) {  // parity V5
  ToolGuard guard(breaker_alone(), clock_);
  fail(guard, "a", 7);
  fail(guard, "b", 7);
  std::vector<std::string> open;
  for (const Key& key : guard.breakers().open_keys()) open.push_back(to_text(key.view()));
  EXPECT_THAT(open, ElementsAre("a", "b"));
  EXPECT_EQ(guard.open_count(), 2U);
  EXPECT_TRUE(guard.should_pause_for_recovery(2));
  EXPECT_FALSE(guard.should_pause_for_recovery(3));
  clock_.advance(5s);
  EXPECT_FALSE(guard.should_pause_for_recovery(1)) << "there it stays true for whoever pauses";
  EXPECT_GE(guard.open_count(), 2U) << "by this, the old answer";
}

TEST_F(VtCode, ResetsCloseAndKeepTheTotals) {  // parity V6
  ToolGuard guard(breaker_alone(), clock_);
  fail(guard, "a", 7);
  fail(guard, "b", 7);
  EXPECT_TRUE(guard.reset("a"));
  EXPECT_TRUE(guard.try_acquire("a"));
  EXPECT_EQ(guard.snapshot("a").circuit.times_opened, 1U);
  guard.reset_all();
  EXPECT_EQ(guard.open_count(), 0U);
}

TEST_F(VtCode, OpeningsHalfOpeningsAndDenialsAreCounted) {  // parity V7
  ToolGuard guard(breaker_alone({.failure_threshold = 1, .open_time = OpenTime::fixed(10ms)}), clock_);
  fail(guard, "shell", 1);
  (void)rejected(guard, "shell");
  clock_.advance(10ms);
  EXPECT_TRUE(guard.try_acquire("shell"));
  const ToolTotals totals = guard.totals();
  EXPECT_EQ(totals.transitions.opened, 1U);
  EXPECT_EQ(totals.transitions.half_opened, 1U);
  EXPECT_EQ(totals.circuit_open, 1U);
  EXPECT_EQ(guard.snapshot("shell").circuit.denials, 1U);
}

TEST_F(VtCode, WhatItLogsIsAnEvent) {  // parity V8
  ToolGuard guard(breaker_alone(), clock_);
  std::vector<std::string> lines;
  const Subscription subscription = guard.subscribe([&](const BreakerEvent& event) {
    if (event.to != CircuitState::open) return;
    lines.push_back(std::string(event.key.view()) + " failures=" + std::to_string(event.consecutive_failures) +
                    " for=" + to_text(event.open_time));
  });
  fail(guard, "shell", 7);
  clock_.advance(5s);
  fail(guard, "shell", 1);
  EXPECT_THAT(lines, ElementsAre("shell failures=7 for=5s", "shell failures=8 for=10s"));
}

TEST_F(VtCode, TenCallsAtOnceTwoASecondAndAPriceByPriority) {  // parity V9
  ToolGuard guard({}, clock_);
  for (int i = 0; i < 10; ++i) call(guard, "search", ToolOutcome::success);
  EXPECT_EQ(rejected(guard, "search").reason, RejectionReason::rate_limited);
  clock_.advance(500ms);
  call(guard, "search", ToolOutcome::success);
  const auto admitted_at = [&](Priority priority) {
    ToolGuard fresh({}, clock_);
    int admitted = 0;
    while (auto permit = fresh.try_acquire("search", priority)) {
      std::move(*permit).settle(ToolOutcome::success);
      ++admitted;
    }
    return admitted;
  };
  EXPECT_EQ(admitted_at(Priority::low), 5);
  EXPECT_EQ(admitted_at(Priority::normal), 10);
  EXPECT_EQ(admitted_at(Priority::high), 20);
  EXPECT_EQ(admitted_at(Priority::critical), 99) << "a tenth has no exact binary fraction and is rounded up";
}

TEST_F(VtCode, TheWaitIsOneAfterWhichTheCallPassesAtEveryPriority) {  // parity V9
  for (const Priority priority : {Priority::low, Priority::normal, Priority::high, Priority::critical}) {
    ToolGuard guard({}, clock_, 1);
    while (guard.try_acquire("search", Priority::critical)) {
    }
    const Duration wait = *rejected(guard, "search", priority).retry_after;
    clock_.advance(wait);
    EXPECT_TRUE(guard.try_acquire("search", priority)) << name(priority);
  }
}

TEST_F(VtCode, ACostAboveTheBurstIsAnErrorOfTheOptions) {  // parity V9
  TokenBucketOptions limit = default_tool_limit();
  limit.burst = 1.0;
  EXPECT_FALSE(limit.validate().empty()) << "low costs two, and would wait for ever";
}

TEST(VtCodeLimiter, TwentyCallsASecondWithABurstOfAtLeastFive) {  // parity V10
  const TimePoint start = TimePoint(1h);
  const auto burst = [&](const ToolLimiterOptions& options) {
    ToolLimiter limiter(options, 1);
    int admitted = 0;
    while (limiter.try_acquire(start, "tool")) ++admitted;
    return admitted;
  };
  EXPECT_EQ(burst({}), 20);
  EXPECT_EQ(burst({.rate = 2}), 5);
  EXPECT_EQ(burst({.rate = 2, .burst = 3.0}), 3);
}

TEST(VtCodeLimiter, ReadsTheOldNamesWhereItIsHandedThem) {  // parity V10
  const std::map<std::string, std::string, std::less<>> variables = {
      {"VTTOOL_RATE_LIMIT", "0"}, {"VTTOOL_BURST", "7"}, {"VTTOOL_CALLS_PER_MIN", "60"}};
  const auto environment = [&](std::string_view name) -> std::optional<std::string> {
    std::string old(name);
    old.replace(0, std::string_view("FUSEBOARD_TOOL").size(), "VTTOOL");
    const auto found = variables.find(old);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  std::string warned;
  const ToolLimiterOptions options =
      tool_limiter_options_from(environment, [&](std::string_view text) { warned = text; });
  EXPECT_EQ(options.rate, 20.0) << "a zero is ignored, there it shuts the gate";
  EXPECT_NE(warned.find("FUSEBOARD_TOOL_RATE_LIMIT"), std::string::npos);
  EXPECT_EQ(options.burst, 7.0);
  EXPECT_EQ(options.process_calls_per_minute, 60.0);
}

TEST(VtCodeLimiter, ToolsAreApartAskingTakesNothingAndAResetFills) {  // parity V10
  const TimePoint start = TimePoint(1h);
  ToolLimiter limiter({.rate = 5}, 1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.try_acquire(start, "tool_a"));
  EXPECT_TRUE(limiter.is_limited(start, "tool_a"));
  EXPECT_FALSE(limiter.is_limited(start, "tool_b"));
  EXPECT_TRUE(limiter.try_acquire(start, "tool_b"));
  EXPECT_TRUE(limiter.reset("tool_a"));
  EXPECT_FALSE(limiter.is_limited(start, "tool_a"));
}

TEST(VtCodeLimiter, FractionsAreKeptAndTheMultiplierRaisesNoBurst) {  // parity V10
  const TimePoint start = TimePoint(1h);
  ToolLimiter limiter({.rate = 20, .burst = 5.0}, 1);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limiter.try_acquire(start, "tool"));
  // 40 ms are 0.8 of a token, and ten times that eight: there, each refill below 50 ms waits and drops the rest.
  int admitted = 0;
  for (int i = 1; i <= 10; ++i) admitted += limiter.try_acquire(start + i * 40ms, "tool") ? 1 : 0;
  EXPECT_EQ(admitted, 8);
  int fast = 0;
  while (limiter.try_acquire(start + 10s, "tool", 10.0)) ++fast;
  EXPECT_EQ(fast, 5) << "the burst, there ten times it";
}

TEST_F(VtCode, TheFacadeAdmitsAndTakesOutcomes) {  // parity V11
  ToolGuard guard(breaker_alone({.failure_threshold = 2}), clock_);
  call(guard, "alpha", ToolOutcome::execution_error);
  call(guard, "alpha", ToolOutcome::execution_error);
  EXPECT_EQ(rejected(guard, "alpha").reason, RejectionReason::circuit_open) << "and which policy it is";
  EXPECT_EQ(&ToolGuard::process_default(), &ToolGuard::process_default());
}

TEST_F(VtCode, CancelledCallsCountWhereTheyAreToldTo) {  // parity V11
  const auto opens = [&](bool cancelled_is_failure) {
    ToolGuardOptions options = breaker_alone({.failure_threshold = 1});
    options.defaults.cancelled_is_failure = cancelled_is_failure;
    ToolGuard guard(options, clock_);
    call(guard, "shell", ToolOutcome::cancelled);
    return guard.open_count() == 1;
  };
  EXPECT_FALSE(opens(false));
  EXPECT_TRUE(opens(true)) << "as there";
}

}  // namespace
}  // namespace fuseboard
