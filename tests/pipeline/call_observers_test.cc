// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a call's record says for those who report on calls, and who is told.
#include "fuseboard/pipeline/call_observers.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "fuseboard/pipeline/explanation.h"
#include "world.h"

namespace fuseboard {
namespace {

class Noting final : public CallObserver {
 public:
  Noting(std::string name, std::vector<std::string>& told) : name_(std::move(name)), told_(told) {}
  void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                  const CallRecord& record) noexcept override {
    told_.push_back(name_ + " " + std::string(id.view()) + " " + plan->name() + " " +
                    std::string(record.origin.caller.view()));
  }

 private:
  const std::string name_;
  std::vector<std::string>& told_;
};

TEST(CallObservers, EachIsToldOnceInTheOrderInWhichTheyCame) {  // PIP-3
  World world;
  std::vector<std::string> told;
  Noting first("first", told);
  Noting second("second", told);
  CallObservers observers;
  observers.add(first);
  observers.add(second);
  const auto plan = world.plan({"a"});
  const CallOptions options{.id = CallId("call-1"), .origin = {.caller = "team-a"}};
  Execution call(world.clock.now(), plan, options, world.rng, {}, &observers);
  (void)call.next(world.clock.now());
  report_latest(world.clock.now(), call, succeeded());
  EXPECT_TRUE(told.empty());
  (void)call.next(world.clock.now());
  (void)call.next(world.clock.now());
  EXPECT_EQ(told, (std::vector<std::string>{"first call-1 test team-a", "second call-1 test team-a"}));
}

TEST(CallRecord, SaysWhoseCallItWasWhatTheCallerWasToldAndWhatEachAttemptMet) {  // PIP-6.1
  World world;
  const auto plan = world.plan({"a", "b"}, World::quick(1));
  const CallOptions options{.origin = {.caller = "team-a", .dialect = "anthropic", .endpoint = "/v1/messages"}};
  Execution call(world.clock.now(), plan, options, world.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(call.next(world.clock.now())));
  AttemptReport overloaded = failed(Category::overloaded);
  overloaded.status = 529;
  overloaded.upstream_request_id = "req-upstream";
  report_latest(world.clock.now(), call, overloaded);
  EXPECT_FALSE(call.record().usage()) << "nobody told one";
  ASSERT_TRUE(std::holds_alternative<Attempt>(call.next(world.clock.now())));
  AttemptReport good = succeeded();
  good.status = 200;
  good.skipped_events = 3;
  good.usage = TokenUsage{.input = 10, .cached_input = 4, .output = 5};
  report_latest(world.clock.now(), call, good);
  ASSERT_TRUE(std::holds_alternative<Finished>(call.next(world.clock.now())));
  const std::vector<std::string> not_asked = {"c: no words for the field 'logprobs'"};
  call.note_caller_result({.status = 200, .not_asked = not_asked});

  const CallRecord& record = call.record();
  EXPECT_EQ(record.origin.caller, "team-a");
  EXPECT_EQ(record.origin.dialect, "anthropic");
  EXPECT_EQ(record.origin.endpoint, "/v1/messages");
  EXPECT_EQ(record.status, 200);
  EXPECT_FALSE(record.shut_down);
  EXPECT_EQ(record.attempts[0].status, 529);
  EXPECT_EQ(record.note_of(1)->upstream_request_id, "req-upstream");
  EXPECT_EQ(record.attempts[1].status, 200);
  EXPECT_EQ(record.attempts[1].skipped_events, 3U);
  EXPECT_EQ(record.usage(), (TokenUsage{.input = 10, .cached_input = 4, .output = 5}));
  ASSERT_EQ(record.not_asked.size(), 1U);
  EXPECT_EQ(record.not_asked[0], "c: no words for the field 'logprobs'");
  const std::string text = explain(record, *plan);
  for (const char* part : {", of team-a, at /v1/messages (anthropic), returned to the caller: 200\n",
                           "not asked: c: no words for the field 'logprobs'\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "in " << text;
  }
}

TEST(CallRecord, AResentAttemptIsOneHoweverItEnds) {  // RTY-6.4
  World world;
  Execution call(world.clock.now(), world.plan({"a"}), {}, world.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(call.next(world.clock.now())));
  call.note_resent(1);
  call.cancel(world.clock.now());
  EXPECT_TRUE(call.record().attempts[0].resent) << "its caller left before it could say so";
}

TEST(CallRecord, ItsUsageIsThatOfAllAttemptsThatToldOne) {
  CallRecord record;
  record.attempts.push_back({.number = 1, .usage = TokenUsage{.input = 10, .cached_input = 2, .output = 5}});
  record.attempts.push_back({.number = 2});
  record.attempts.push_back({.number = 3, .usage = TokenUsage{.input = 1, .output = ~std::uint64_t{0}}});
  EXPECT_EQ(record.usage(), (TokenUsage{.input = 11, .cached_input = 2, .output = ~std::uint64_t{0}}));
}

TEST(Explanations, KeepWhatARecordSaysOfItsCallerToo) {  // PIP-6.2
  World world;
  const auto plan = world.plan({"a"});
  CallRecord record;
  record.origin = {.caller = "team-a", .dialect = "openai", .endpoint = "/v1/chat/completions"};
  record.status = 503;
  record.attempts.push_back({.number = 1, .status = 500, .usage = TokenUsage{.input = 3}});
  record.not_asked.push_back("b: no words for it");
  Explanations explanations;
  explanations.call_ended(CallId("x"), plan, record);
  const auto kept = explanations.find("x");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->record.origin.endpoint, "/v1/chat/completions");
  EXPECT_EQ(kept->record.status, 503);
  EXPECT_EQ(kept->record.attempts[0].status, 500);
  EXPECT_EQ(kept->record.usage()->input, 3U);
  EXPECT_EQ(kept->record.not_asked[0], "b: no words for it");
}

}  // namespace
}  // namespace fuseboard
