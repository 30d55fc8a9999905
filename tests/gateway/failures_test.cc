// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failures.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "gateway/event_text.h"
#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;

class FailuresTest : public testing::Test {
 protected:
  static config::Config configured() {
    config::Config config;
    config.providers.push_back({.name = "p", .base_url = {.tls = false, .host = "127.0.0.1", .port = 1}});
    config.models.push_back({.alias = "smart", .targets = {{.provider = "p", .model = "m"}}});
    return config;
  }
  CallRecord failed(Ending ending = Ending::retries_exhausted) {
    CallRecord record;
    record.ending = ending;
    record.ended = record.started + milliseconds(120);
    record.attempts_sent = 1;
    record.attempts.push_back({.number = 1, .failure = Failure::of(Category::network)});
    return record;
  }
  const std::shared_ptr<const Plan>& plan() { return models_.routing->routes().front()->plan; }

  ManualClock clock_;
  TestRouting models_{configured(), clock_};
  std::vector<std::string> lines_;
  Failures failures_{models_.routing->targets(), clock_, [this](std::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(FailuresTest, TheLastCauseOfEachConfiguredTargetIsKept) {
  EXPECT_FALSE(failures_.last("p/m"));
  failures_.attempt_failed("p/m", Category::network, "it was refused");
  clock_.advance(milliseconds(5));
  failures_.attempt_failed("p/m", Category::timeout, "it was silent");
  ASSERT_TRUE(failures_.last("p/m"));
  EXPECT_EQ(failures_.last("p/m")->category, Category::timeout);
  EXPECT_EQ(failures_.last("p/m")->cause, "it was silent");
  EXPECT_EQ(failures_.last("p/m")->at, clock_.now());
  failures_.attempt_failed("p/m", Category::cancelled, "");
  EXPECT_EQ(failures_.last("p/m")->cause, "it was silent") << "nobody's failure";
  failures_.attempt_failed("p/written-by-a-caller", Category::network, "no");
  EXPECT_FALSE(failures_.last("p/written-by-a-caller")) << "bounded by what is configured";
}

TEST_F(FailuresTest, AChangeOfRoutingAddsTargetsAndForgetsNone) {
  failures_.attempt_failed("p/m", Category::network, "it was refused");
  config::Config config = configured();
  config.models[0].targets[0].model = "new";
  models_.change(config);
  failures_.add(models_.routing->targets());
  failures_.attempt_failed("p/new", Category::timeout, "it was silent");
  ASSERT_TRUE(failures_.last("p/m"));
  EXPECT_EQ(failures_.last("p/m")->cause, "it was refused");
  ASSERT_TRUE(failures_.last("p/new"));
  EXPECT_EQ(failures_.last("p/new")->cause, "it was silent");
}

TEST_F(FailuresTest, AFailedCallIsOneLineWithItsCauseAtTheEnd) {
  CallRecord record = failed();
  record.notes.push_back({.attempt = 1, .cause = "connecting to http://127.0.0.1:1: Connection refused"});
  failures_.call_ended(CallId("req_1"), plan(), record);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0],
            "call failed request_id=req_1 model=smart target=p/m ending=retries_exhausted attempts=1 duration_ms=120 "
            "cause=provider \"p\": connecting to http://127.0.0.1:1: Connection refused");
}

TEST_F(FailuresTest, ACallThatWasRefusedSaysWhoRefusedItAndWhoCouldNotBeAsked) {
  CallRecord record;
  record.ending = Ending::circuit_open;
  record.rejections.push_back({.target = 0, .reason = RejectionReason::circuit_open});
  record.not_asked.push_back("q/n: no words for\nit");
  record.not_asked.push_back("r/o: nor here");
  EXPECT_EQ(failed_call_line("req_1", record, *plan()),
            "call failed request_id=req_1 model=smart target=- ending=circuit_open attempts=0 duration_ms=0 "
            "cause=p/m (circuit_open); not asked: q/n: no words for\\x0ait; r/o: nor here");
}

TEST_F(FailuresTest, AStormOfFailuresIsTwentyLinesASecond) {
  for (int i = 0; i < 100; ++i) failures_.call_ended(CallId("req_1"), plan(), failed());
  EXPECT_EQ(lines_.size(), Failures::kMaxLines);
  EXPECT_EQ(Failures::kMaxLines, 20U);
  clock_.advance(milliseconds(999));
  failures_.call_ended(CallId("req_1"), plan(), failed());
  EXPECT_EQ(lines_.size(), 20U);
  clock_.advance(milliseconds(1));
  failures_.call_ended(CallId("req_2"), plan(), failed());
  ASSERT_EQ(lines_.size(), 22U);
  EXPECT_EQ(lines_[20], "81 more calls failed and have no line of their own");
  EXPECT_TRUE(lines_[21].contains("request_id=req_2")) << lines_[21];
}

TEST_F(FailuresTest, ABreakersLineTellsTheCauseOfItsLastFailure) {
  const BreakerEvent event{.kind = BreakerEventKind::transition,
                           .key = "p/m",
                           .from = CircuitState::closed,
                           .to = CircuitState::open,
                           .cause = TransitionCause::consecutive_failures,
                           .consecutive_failures = 5,
                           .open_time = std::chrono::seconds(30),
                           .last_failure = Category::network};
  EXPECT_EQ(
      event_text(event, "connection\nrefused"),
      "p/m: closed -> open after 5 failures in a row, the last network (connection\\x0arefused); refusing for 30s");
}

}  // namespace
}  // namespace fuseboard::gateway
