// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_guard.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class ToolGuardTest : public testing::Test {
 protected:
  ManualClock clock_;
};

TEST_F(ToolGuardTest, TenCallsAtOnceAndTwoASecondByDefault) {  // LIM-1 LIM-3
  ToolGuard guard({}, clock_);
  for (int i = 0; i < 10; ++i) call(guard, "search", ToolOutcome::success);
  const Rejection rejection = rejected(guard, "search");
  EXPECT_EQ(rejection.reason, RejectionReason::rate_limited);
  EXPECT_EQ(rejection.key, "search");
  EXPECT_GE(*rejection.retry_after, 500ms);
  EXPECT_LE(*rejection.retry_after, 551ms);
  call(guard, "fetch", ToolOutcome::success);
  clock_.advance(*rejection.retry_after);
  call(guard, "search", ToolOutcome::success);
}

TEST_F(ToolGuardTest, PrioritiesWeighByDefault) {  // LIM-2
  ToolGuard guard({}, clock_);
  for (int i = 0; i < 5; ++i) acquired(guard, "low", Priority::low).settle(ToolOutcome::success);
  EXPECT_EQ(rejected(guard, "low", Priority::low).reason, RejectionReason::rate_limited);
  for (int i = 0; i < 20; ++i) acquired(guard, "high", Priority::high).settle(ToolOutcome::success);
  EXPECT_EQ(rejected(guard, "high", Priority::high).retry_after, 250ms);
}

TEST_F(ToolGuardTest, SevenFailuresInARowOpenForFiveSecondsByDefault) {  // BRK-20
  ToolGuard guard({}, clock_);
  for (int i = 0; i < 7; ++i) {
    call(guard, "search", i % 2 == 0 ? ToolOutcome::timeout : ToolOutcome::execution_error);
  }
  const Rejection rejection = rejected(guard, "search");
  EXPECT_EQ(rejection.reason, RejectionReason::circuit_open);
  EXPECT_EQ(rejection.retry_after, 5s);
  EXPECT_EQ(rejection.consecutive_failures, 7U);
  EXPECT_EQ(rejection.last_failure, Category::timeout);
}

TEST_F(ToolGuardTest, ArgumentMistakesNeverTripATool) {  // BRK-3 BRK-19.1
  ToolOptions options = fragile();
  options.breaker.trips_on = CategorySet::all();
  ToolGuard guard({.defaults = options}, clock_);
  for (int i = 0; i < 100; ++i) call(guard, "search", ToolOutcome::invalid_argument);
  EXPECT_EQ(guard.peek_rejection("search"), std::nullopt);
  EXPECT_EQ(guard.snapshot("search").circuit.totals.neutral, 100U);
}

TEST_F(ToolGuardTest, ErrorsAndTimeoutsCountWhateverTheSetOfCategories) {  // BRK-19.1
  ToolOptions options = fragile();
  options.breaker.trips_on = {};
  ToolGuard guard({.defaults = options}, clock_);
  call(guard, "fails", ToolOutcome::execution_error);
  call(guard, "hangs", ToolOutcome::timeout);
  EXPECT_EQ(guard.open_count(), 2U);
}

TEST_F(ToolGuardTest, CancellingIsNeutralUnlessItIsAFailure) {  // BRK-10.6
  ToolOptions strict = fragile();
  strict.cancelled_is_failure = true;
  ToolGuardOptions options{.defaults = fragile()};
  options.tools.push_back({.tool = Key("strict"), .options = strict});
  ToolGuard guard(options, clock_);
  call(guard, "lenient", ToolOutcome::cancelled);
  call(guard, "strict", ToolOutcome::cancelled);
  EXPECT_EQ(guard.peek_rejection("lenient"), std::nullopt);
  EXPECT_EQ(rejected(guard, "strict").last_failure, Category::cancelled);
}

TEST_F(ToolGuardTest, AFailureThatWasJudgedCountsAsItsJudgementSays) {  // BRK-19.2 PIP-3
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "a", Failure::of(Category::permission_denied));
  call(guard, "b", HttpFailure{.status = 404});
  call(guard, "c", TransportFault::local_exhaustion);
  EXPECT_EQ(guard.open_count(), 0U);
  call(guard, "a", Failure::of(Category::overloaded));
  call(guard, "b", HttpFailure{.status = 503});
  call(guard, "c", TransportFault::reset);
  EXPECT_EQ(rejected(guard, "a").last_failure, Category::overloaded);
  EXPECT_EQ(rejected(guard, "b").last_failure, Category::service_unavailable);
  EXPECT_EQ(rejected(guard, "c").last_failure, Category::network);
  EXPECT_EQ(guard.totals().judged, 6U);
}

TEST_F(ToolGuardTest, AToolThatAsksForTimeIsLeftAloneWithOrWithoutALimit) {  // LIM-4.3 BRK-3
  ToolGuardOptions options{.defaults = fragile()};
  options.tools.push_back({.tool = Key("limited")});
  ToolGuard guard(options, clock_);
  for (const char* const tool : {"limited", "unlimited"}) {
    call(guard, tool, Failure::of(Category::rate_limit, 7s));
    EXPECT_EQ(guard.peek_rejection(tool)->retry_after, 7s);
    const Rejection rejection = rejected(guard, tool);
    EXPECT_EQ(rejection.reason, RejectionReason::rate_limited);
    EXPECT_EQ(rejection.retry_after, 7s);
    EXPECT_EQ(guard.snapshot(tool).paused_for, 7s);
    EXPECT_EQ(guard.snapshot(tool).circuit.state, CircuitState::closed);
  }
  clock_.advance(7s);
  call(guard, "limited", ToolOutcome::success);
  call(guard, "unlimited", Failure::of(Category::rate_limit, 24h));
  EXPECT_EQ(rejected(guard, "unlimited").retry_after, 5min) << "as long as `retry_after_max` allows";
}

TEST_F(ToolGuardTest, WhereHintsAreIgnoredNoToolIsLeftAlone) {  // LIM-4.3
  ToolGuardOptions options{.defaults = fragile()};
  options.defaults.breaker.retry_after_max = 0s;
  ToolGuard guard(options, clock_);
  call(guard, "search", Failure::of(Category::rate_limit, 7s));
  EXPECT_FALSE(guard.peek_rejection("search"));
  EXPECT_EQ(guard.snapshot("search").paused_for, 0s);
}

TEST_F(ToolGuardTest, AnOpenCircuitCostsNoTokens) {  // PIP-2
  ToolOptions options = fragile();
  options.limit = exact_limit(3);
  ToolGuard guard({.defaults = options}, clock_);
  call(guard, "search", ToolOutcome::timeout);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rejected(guard, "search").reason, RejectionReason::circuit_open);
  EXPECT_EQ(tokens(guard, "search"), 2.0);
  EXPECT_EQ(guard.snapshot("search").circuit.denials, 5U);
  EXPECT_EQ(guard.totals().circuit_open, 5U);
  options.limit = exact_limit(1);
  ToolGuard used_up({.defaults = options}, clock_);
  call(used_up, "search", ToolOutcome::timeout);
  EXPECT_EQ(rejected(used_up, "search").reason, RejectionReason::circuit_open) << "the bucket is not even asked";
}

TEST_F(ToolGuardTest, ABusyProbeCostsNoTokens) {  // PIP-2 BRK-6
  ToolOptions options = fragile();
  options.limit = exact_limit(3);
  ToolGuard guard({.defaults = options}, clock_);
  call(guard, "search", ToolOutcome::timeout);
  clock_.advance(10s);
  const ToolPermit probe = acquired(guard, "search");
  EXPECT_TRUE(probe.is_probe());
  EXPECT_EQ(rejected(guard, "search").reason, RejectionReason::half_open_busy);
  EXPECT_EQ(tokens(guard, "search"), 2.0);
}

TEST_F(ToolGuardTest, ARefusedBucketStrandsNoProbe) {  // PIP-2 BRK-11
  ToolOptions options = fragile();
  options.limit = TokenBucketOptions{.rate = 0.01, .burst = 1};
  options.breaker.abandoned_is_failure = true;
  ToolGuard guard({.defaults = options}, clock_);
  call(guard, "search", ToolOutcome::timeout);
  clock_.advance(10s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rejected(guard, "search").reason, RejectionReason::rate_limited);
  BreakerSnapshot circuit = guard.snapshot("search").circuit;
  EXPECT_EQ(circuit.state, CircuitState::open) << "no admission, no move";
  EXPECT_EQ(circuit.in_flight, 0U);
  EXPECT_EQ(circuit.totals.admitted, 1U);
  clock_.advance(90s);
  ToolPermit probe = acquired(guard, "search");
  EXPECT_TRUE(probe.is_probe());
  std::move(probe).settle(ToolOutcome::success);
  EXPECT_EQ(guard.snapshot("search").circuit.state, CircuitState::closed);
}

// Opens the circuit from within the admission of another call, between the look at the breaker and its permit.
class TrippingClock final : public Clock {
 public:
  TimePoint now() const noexcept override {
    if (ToolGuard* const tripped = std::exchange(guard, nullptr)) {
      tripped->breakers().report("search", Outcome::failed(Failure::of(Category::timeout)));
    }
    return clock.now();
  }
  ManualClock clock;
  mutable ToolGuard* guard = nullptr;
};

TEST_F(ToolGuardTest, TokensComeBackWhenTheBreakerRefusesAtLast) {  // PIP-2
  TrippingClock clock;
  ToolOptions options = fragile();
  options.limit = exact_limit(3);
  ToolGuard guard({.defaults = options}, clock);
  call(guard, "search", ToolOutcome::success);
  EXPECT_EQ(tokens(guard, "search"), 2.0);
  clock.guard = &guard;
  EXPECT_EQ(rejected(guard, "search").reason, RejectionReason::circuit_open);
  EXPECT_EQ(tokens(guard, "search"), 2.0);
  EXPECT_EQ(guard.totals().circuit_open, 1U);
  EXPECT_EQ(guard.snapshot("search").circuit.denials, 1U) << "once";
}

TEST_F(ToolGuardTest, AStuckCallOpensTheCircuitThatOthersAskFor) {  // BRK-2.4
  ToolOptions options = fragile();
  options.breaker.stuck_call_age = 60s;
  ToolGuard guard({.defaults = options}, clock_);
  const ToolPermit stuck = acquired(guard, "search");
  clock_.advance(61s);
  EXPECT_EQ(rejected(guard, "search").retry_after, 10s);
  EXPECT_EQ(guard.open_count(), 1U);
  clock_.advance(4s);
  EXPECT_EQ(rejected(guard, "search").retry_after, 6s) << "the open time runs";
}

TEST_F(ToolGuardTest, APermitSettlesOnce) {  // BRK-10.1
  ToolGuard guard({.defaults = fragile()}, clock_);
  ToolPermit first = acquired(guard, "search");
  ToolPermit second = std::move(first);
  std::move(first).settle(ToolOutcome::timeout);  // NOLINT(bugprone-use-after-move): it holds nothing
  std::move(second).settle(ToolOutcome::success);
  std::move(second).settle(ToolOutcome::timeout);  // NOLINT(bugprone-use-after-move)
  ToolPermit none;
  std::move(none).settle(ToolOutcome::timeout);
  EXPECT_EQ(guard.totals(), (ToolTotals{.admitted = 1, .succeeded = 1}));
  EXPECT_EQ(guard.snapshot("search").circuit.totals, (BreakerTotals{.admitted = 1, .succeeded = 1}));
}

TEST_F(ToolGuardTest, AForgottenPermitIsNeutralUnlessItIsAFailure) {  // BRK-10.2
  ToolOptions strict = fragile();
  strict.breaker.abandoned_is_failure = true;
  ToolGuardOptions options{.defaults = fragile()};
  options.tools.push_back({.tool = Key("strict"), .options = strict});
  ToolGuard guard(options, clock_);
  (void)acquired(guard, "lenient");
  (void)acquired(guard, "strict");
  ToolPermit replaced = acquired(guard, "lenient");
  replaced = acquired(guard, "lenient");
  std::move(replaced).settle(ToolOutcome::success);
  EXPECT_EQ(guard.open_count(), 1U);
  EXPECT_EQ(rejected(guard, "strict").reason, RejectionReason::circuit_open);
  EXPECT_EQ(guard.totals().abandoned, 3U);
  EXPECT_EQ(guard.snapshot("lenient").circuit.in_flight, 0U);
}

TEST_F(ToolGuardTest, ALostProbeGivesWayToTheNextByItsTimeout) {  // BRK-8.3
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "search", ToolOutcome::timeout);
  clock_.advance(10s);
  auto lost = guard.try_acquire("search", Priority::normal, 20s);
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(rejected(guard, "search").retry_after, 25s);
  clock_.advance(35s);
  EXPECT_TRUE(acquired(guard, "search").is_probe());
}

TEST_F(ToolGuardTest, AProbeThatAnswersBitByBitHasSucceededAtItsFirstContent) {  // BRK-8.5
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "search", ToolOutcome::timeout);
  clock_.advance(10s);
  ToolPermit permit = acquired(guard, "search");
  permit.first_content(1ms);
  EXPECT_EQ(guard.snapshot("search").circuit.state, CircuitState::closed);
  std::move(permit).settle(ToolOutcome::execution_error);
  EXPECT_EQ(guard.snapshot("search").circuit.state, CircuitState::open);
}

TEST_F(ToolGuardTest, SlowCallsAreKnownByTheirLatency) {  // BRK-2.3
  ToolOptions options = fragile();
  options.breaker.slow_call_rate = 0.5;
  options.breaker.slow_call_duration = 1s;
  options.breaker.minimum_calls = 2;
  ToolGuard guard({.defaults = options}, clock_);
  acquired(guard, "told").settle(ToolOutcome::success, 2s);
  acquired(guard, "told").settle(ToolOutcome::success, 1s);
  EXPECT_EQ(rejected(guard, "told").reason, RejectionReason::circuit_open);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(guard.call("measured", [&] { clock_.advance(2s); }).has_value());
  EXPECT_EQ(rejected(guard, "measured").reason, RejectionReason::circuit_open);
}

TEST_F(ToolGuardTest, OptionsGoByExactNameThenByTheFirstGlob) {  // BRK-17.2
  ToolGuardOptions options{.defaults = {.limit = exact_limit(9)}};
  options.tools.push_back({.tool = Key("fs__read"), .options = {.limit = exact_limit(1)}});
  options.globs.push_back({.pattern = Key("fs__r*"), .options = {.limit = exact_limit(2)}});
  options.globs.push_back({.pattern = Key("fs__*"), .options = {.limit = std::nullopt}});
  options.globs.push_back({.pattern = Key(KeyView("fs", "*")), .options = {.limit = exact_limit(4)}});
  ToolGuard guard(options, clock_);
  EXPECT_EQ(guard.snapshot("fs__read").limit->burst, 1.0) << "known before the first call";
  for (const char* const tool : {"fs__read", "fs__readdir", "fs__write", "web"}) {
    call(guard, tool, ToolOutcome::success);
  }
  call(guard, {"fs", "read"}, ToolOutcome::success);
  EXPECT_EQ(guard.snapshot("fs__read").limit->burst, 1.0);
  EXPECT_EQ(guard.snapshot("fs__readdir").limit->burst, 2.0);
  EXPECT_FALSE(guard.snapshot("fs__write").limit.has_value());
  EXPECT_EQ(guard.snapshot("web").limit->burst, 9.0);
  EXPECT_EQ(guard.snapshot({"fs", "read"}).limit->burst, 4.0);
}

TEST_F(ToolGuardTest, AllProblemsOfItsOptionsComeAtOnce) {  // CORE-6
  ToolGuardOptions options{.max_tools = 0};
  options.defaults.breaker.failure_threshold = 0;
  options.tools.push_back({.tool = Key("a"), .options = {.limit = TokenBucketOptions{.rate = 0.0}}});
  options.tools.push_back({.tool = Key("a")});
  options.globs.push_back({.pattern = Key("b*"), .options = {.breaker = {.half_open_successes = 0}}});
  std::vector<std::string> fields;
  for (const Problem& problem : options.validate()) fields.push_back(problem.field);
  EXPECT_EQ(fields, (std::vector<std::string>{"defaults.breaker.failure_threshold", "tools.a.limit.rate", "tools.a",
                                              "globs.b*.breaker.half_open_successes", "max_tools"}));
  EXPECT_THROW(ToolGuard(options, clock_), InvalidOptions);
}

TEST_F(ToolGuardTest, ASnapshotHasTheCircuitAndTheLimit) {  // BRK-16.1
  ToolGuard guard({.defaults = {.limit = exact_limit(4)}}, clock_);
  call(guard, "b", ToolOutcome::success);
  call(guard, "a", ToolOutcome::timeout);
  const std::vector<ToolSnapshot> all = guard.snapshot();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].circuit.key.view(), KeyView("b"));
  EXPECT_EQ(all[1].circuit.consecutive_failures, 1U);
  EXPECT_EQ(all[1].limit->available, 3.0);
  EXPECT_EQ(all[1].limit->rate, exact_limit(4).rate);
}

TEST_F(ToolGuardTest, AskingAboutAnUnknownToolCreatesNothing) {  // BRK-21.3
  ToolGuard guard({}, clock_);
  const ToolSnapshot snapshot = guard.snapshot("nobody");
  EXPECT_EQ(snapshot.circuit.state, CircuitState::closed);
  EXPECT_EQ(snapshot.circuit.totals, BreakerTotals{});
  EXPECT_EQ(snapshot.limit->available, 10.0);
  EXPECT_EQ(guard.peek_rejection("nobody"), std::nullopt);
  EXPECT_FALSE(guard.reset("nobody"));
  EXPECT_EQ(guard.size(), 0U);
}

TEST_F(ToolGuardTest, LookingTakesNothing) {  // PIP-2
  ToolOptions options = fragile();
  options.limit = exact_limit(1);
  ToolGuard guard({.defaults = options}, clock_);
  call(guard, "search", ToolOutcome::success);
  EXPECT_EQ(guard.peek_rejection("search")->reason, RejectionReason::rate_limited);
  clock_.advance(kTokenTime);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(guard.peek_rejection("search"), std::nullopt);
  call(guard, "search", ToolOutcome::timeout);
  EXPECT_EQ(guard.peek_rejection("search")->reason, RejectionReason::circuit_open);
  EXPECT_EQ(guard.totals().rejected(), 0U);
}

TEST_F(ToolGuardTest, AResetClosesFillsAndForgets) {  // BRK-21.2
  ToolOptions options = fragile();
  options.limit = exact_limit(2);
  ToolGuard guard({.defaults = options}, clock_);
  for (const char* const tool : {"a", "b"}) {
    call(guard, tool, Failure::of(Category::rate_limit, 60s));
    guard.breakers().report(tool, Outcome::failed(Failure::of(Category::timeout)));
  }
  EXPECT_TRUE(guard.reset("a"));
  call(guard, "a", ToolOutcome::success);
  EXPECT_EQ(tokens(guard, "a"), 1.0);
  EXPECT_EQ(rejected(guard, "b").reason, RejectionReason::circuit_open);
  guard.reset_all();
  call(guard, "b", ToolOutcome::success);
  EXPECT_EQ(tokens(guard, "a"), 2.0);
}

TEST_F(ToolGuardTest, ManyOpenCircuitsAreAReasonToPause) {  // BRK-16.5
  ToolGuard guard({.defaults = fragile()}, clock_);
  for (const char* const tool : {"a", "b", "c"}) call(guard, tool, ToolOutcome::timeout);
  EXPECT_TRUE(guard.should_pause_for_recovery(3));
  EXPECT_FALSE(guard.should_pause_for_recovery(4));
  guard.reset("b");
  EXPECT_FALSE(guard.should_pause_for_recovery(3));
}

TEST_F(ToolGuardTest, TotalsCountWhatHappened) {
  ToolOptions options = fragile();
  options.limit = exact_limit(6);
  ToolGuard guard({.defaults = options}, clock_);
  for (const ToolOutcome outcome :
       {ToolOutcome::success, ToolOutcome::invalid_argument, ToolOutcome::cancelled, ToolOutcome::execution_error}) {
    call(guard, "a", outcome);
  }
  (void)rejected(guard, "a");
  clock_.advance(10s);
  {
    const ToolPermit probe = acquired(guard, "a");
    (void)rejected(guard, "a");
  }
  call(guard, "a", ToolOutcome::timeout);
  clock_.advance(10s);
  call(guard, "a", ToolOutcome::success);
  for (int i = 0; i < 5; ++i) call(guard, "a", Failure::of(Category::rate_limit));
  (void)rejected(guard, "a");
  guard.reset("a");  // no transition: it was closed
  const ToolTotals expected{.admitted = 12,
                            .circuit_open = 1,
                            .half_open_busy = 1,
                            .rate_limited = 1,
                            .succeeded = 2,
                            .invalid_argument = 1,
                            .execution_error = 1,
                            .timeout = 1,
                            .cancelled = 1,
                            .judged = 5,
                            .abandoned = 1,
                            .transitions = {.opened = 2, .half_opened = 2, .closed = 1}};
  EXPECT_EQ(guard.totals(), expected);
  EXPECT_EQ(expected.rejected(), 3U);
}

TEST_F(ToolGuardTest, ListenersHearOfTransitionsInOrder) {  // CORE-4.1
  ToolGuard guard({.defaults = fragile()}, clock_);
  std::vector<std::pair<std::uint64_t, CircuitState>> heard;
  {
    const Subscription subscription = guard.subscribe([&](const BreakerEvent& event) {
      heard.emplace_back(event.sequence, event.to);
      (void)guard.snapshot();  // they may call back
      (void)guard.try_acquire("another");
    });
    call(guard, "search", ToolOutcome::timeout);
    clock_.advance(10s);
    call(guard, "search", ToolOutcome::success);
  }
  call(guard, "search", ToolOutcome::timeout);
  EXPECT_EQ(heard, (std::vector<std::pair<std::uint64_t, CircuitState>>{
                       {1, CircuitState::open}, {2, CircuitState::half_open}, {3, CircuitState::closed}}));
}

TEST_F(ToolGuardTest, OperatorsForceAToolByItsBreaker) {  // BRK-13
  ToolGuard guard({.defaults = fragile()}, clock_);
  ASSERT_TRUE(guard.breakers().set_override("search", OverrideKind::force_open, "maintenance"));
  EXPECT_EQ(rejected(guard, "search").reason, RejectionReason::circuit_open);
  EXPECT_TRUE(guard.snapshot("search").circuit.override_in_force.has_value());
  guard.breakers().lift_override("search");
  call(guard, "search", ToolOutcome::timeout);
  ASSERT_TRUE(guard.breakers().set_override("search", OverrideKind::force_closed, "it must"));
  call(guard, "search", ToolOutcome::success);
}

TEST(ToolGuardProcessDefault, IsOneForAll) {  // BRK-20
  ToolGuard& guard = ToolGuard::process_default();
  EXPECT_EQ(&guard, &ToolGuard::process_default());
  call(guard, "search", ToolOutcome::success);
  EXPECT_EQ(guard.snapshot("search").circuit.totals.succeeded, 1U);
}

}  // namespace
}  // namespace fuseboard
