// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/verdict_answer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class VerdictAnswer : public testing::Test {
 protected:
  VerdictAnswer() : breakers_(provider_preset()), plan_("smart", {target("p/m"), target("q/n")}) {}

  Target target(std::string name) {
    auto state = std::make_shared<TargetState>(BreakerScopes{breakers_.handle(name)});
    return {.name = std::move(name), .state = std::move(state)};
  }
  static CallRecord after(Ending ending, std::initializer_list<AttemptRecord> attempts) {
    CallRecord record;
    record.ending = ending;
    record.ended = record.started + milliseconds(120);
    for (const AttemptRecord& attempt : attempts) record.attempts.push_back(attempt);
    record.attempts_sent = static_cast<std::uint32_t>(attempts.size());
    if (attempts.size() > 0) record.telling_attempt = 1;
    return record;
  }
  Answer answer(const CallRecord& record, const UpstreamError* upstream = nullptr) {
    return failure_answer(record, plan_, {.upstream = upstream},
                          {.request_id = "req_1", .target = "p/m", .attempts = record.attempts_sent});
  }
  static std::string code(const Answer& answer) { return nlohmann::json::parse(answer.body)["error"]["code"]; }

  BreakerRegistry breakers_;
  Plan plan_;
};

TEST_F(VerdictAnswer, OpenCircuitsAreA503WithAnHonestWaitInBothForms) {
  CallRecord record = after(Ending::circuit_open, {});
  record.retry_after = milliseconds(1500) + std::chrono::microseconds(1);
  record.refusals.push_back({.target = 0, .reason = RejectionReason::circuit_open, .retry_after = record.retry_after});
  const Answer it = answer(record);
  EXPECT_EQ(it.head.status, 503);
  EXPECT_EQ(code(it), "circuit_open");
  EXPECT_EQ(it.head.headers.get("retry-after-ms"), "1501") << "rounded up: waiting that long must be enough";
  EXPECT_EQ(it.head.headers.get("retry-after"), "2");
  EXPECT_FALSE(it.head.headers.contains("x-should-retry"));
}

TEST_F(VerdictAnswer, AWaitAboveAMinuteIsNotForSdksToSitOut) {
  CallRecord record = after(Ending::circuit_open, {});
  record.retry_after = minutes(2);
  EXPECT_EQ(answer(record).head.headers.get("x-should-retry"), "false");
}

TEST_F(VerdictAnswer, AnUpstreamsErrorPassesWithItsStatusBodyAndHeaders) {  // RTY-8, FBK-4
  const CallRecord record =
      after(Ending::failed,
            {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::invalid_request)}});
  const UpstreamError upstream{
      .attempt = 1,
      .head = {.status = 400, .headers = {{"content-type", "application/json"}, {"x-kept", "1"}}},
      .body = R"({"error":{"message":"theirs"}})"};
  const Answer it = answer(record, &upstream);
  EXPECT_EQ(it.head.status, 400);
  EXPECT_EQ(it.body, upstream.body);
  EXPECT_EQ(it.head.headers.get("x-kept"), "1");
  EXPECT_FALSE(it.head.headers.contains("x-should-retry")) << "a single failure passes as it is";
}

TEST_F(VerdictAnswer, AFilteredAnswerPassesAsItCameThoughItsStatusIsASuccess) {  // FBK-2
  const CallRecord record = after(
      Ending::failed, {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::content_policy)}});
  const UpstreamError upstream{.attempt = 1,
                               .head = {.status = 200, .headers = {{"content-type", "application/json"}}},
                               .body = R"({"choices":[{"index":0,"finish_reason":"content_filter"}]})"};
  const Answer it = answer(record, &upstream);
  EXPECT_EQ(it.head.status, 200);
  EXPECT_EQ(it.body, upstream.body);
  EXPECT_FALSE(it.head.headers.contains("x-should-retry"));
}

TEST_F(VerdictAnswer, OnceOurRetriesAreSpentTheClientIsToldNotToAddItsOwn) {
  const CallRecord record =
      after(Ending::retries_exhausted,
            {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::overloaded)}});
  const UpstreamError upstream{.attempt = 1, .head = {.status = 529, .headers = {}}, .body = "{}"};
  EXPECT_EQ(answer(record, &upstream).head.headers.get("x-should-retry"), "false");
  EXPECT_EQ(answer(record, &upstream).head.status, 529);
}

TEST_F(VerdictAnswer, WithoutAnUpstreamAnswerItIsA502ThatSaysWhatHappened) {
  const CallRecord record =
      after(Ending::retries_exhausted, {{.number = 1, .failure = Failure::of(Category::network)},
                                        {.number = 2, .target = 1, .failure = Failure::of(Category::timeout)}});
  const Answer it = answer(record);
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(code(it), "retries_exhausted");
  EXPECT_NE(it.body.find("2 attempts in 120 ms; the last, on q/n, ended with timeout"), std::string::npos) << it.body;
}

TEST_F(VerdictAnswer, ARefusedCredentialOfOursNeverLooksLikeTheCallers) {  // FBK-6
  const CallRecord record = after(Ending::retries_exhausted,
                                  {{.number = 1, .answered = true, .failure = Failure::of(Category::authentication)}});
  const UpstreamError upstream{
      .attempt = 1, .head = {.status = 401, .headers = {}}, .body = "Incorrect API key sk-secret"};
  const Answer it = answer(record, &upstream);
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(code(it), "upstream_authentication");
  EXPECT_EQ(it.body.find("sk-secret"), std::string::npos);
}

TEST_F(VerdictAnswer, APassedDeadlineIsA504) {
  const CallRecord record =
      after(Ending::deadline_exceeded, {{.number = 1, .failure = Failure::of(Category::timeout)}});
  EXPECT_EQ(answer(record).head.status, 504);
  EXPECT_EQ(code(answer(record)), "deadline_exceeded");
}

}  // namespace
}  // namespace fuseboard::gateway
