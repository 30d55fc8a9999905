// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failure_answer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class FailureAnswer : public testing::Test {
 protected:
  FailureAnswer() : breakers_(provider_preset()), plan_("smart", {target("p/m"), target("q/n")}) {}

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
    if (attempts.size() > 0) record.primary_attempt = 1;
    return record;
  }
  Answer answer(const CallRecord& record, const UpstreamError* upstream = nullptr) {
    return failure_response(record, plan_, {.upstream = upstream},
                            {.request_id = "req_1", .target = "p/m", .attempts = record.attempts_sent});
  }
  static std::string code(const Answer& answer) { return nlohmann::json::parse(answer.body)["error"]["code"]; }

  BreakerRegistry breakers_;
  Plan plan_;
};

TEST_F(FailureAnswer, OpenCircuitsAreA503WithAnHonestWaitInBothForms) {
  CallRecord record = after(Ending::circuit_open, {});
  record.retry_after = milliseconds(1500) + std::chrono::microseconds(1);
  record.rejections.push_back(
      {.target = 0, .reason = RejectionReason::circuit_open, .retry_after = record.retry_after});
  const Answer it = answer(record);
  EXPECT_EQ(it.head.status, 503);
  EXPECT_EQ(code(it), "circuit_open");
  EXPECT_EQ(it.head.headers.get("retry-after-ms"), "1501") << "rounded up: waiting that long must be enough";
  EXPECT_EQ(it.head.headers.get("retry-after"), "2");
  EXPECT_FALSE(it.head.headers.contains("x-should-retry"));
}

TEST_F(FailureAnswer, AWaitAboveAMinuteIsNotForSdksToSitOut) {
  CallRecord record = after(Ending::circuit_open, {});
  record.retry_after = minutes(2);
  EXPECT_EQ(answer(record).head.headers.get("x-should-retry"), "false");
}

TEST_F(FailureAnswer, AParkedCredentialIsWorthAnotherTryAfterItsWait) {  // FBK-6.7
  CallRecord record = after(Ending::credential_parked, {});
  for (const auto& [wait, seconds, retry] : {std::tuple<Duration, const char*, bool>{milliseconds(59'001), "60", true},
                                             {minutes(1), "60", true},
                                             {minutes(1) + milliseconds(1), "61", false}}) {
    record.retry_after = wait;
    const Answer it = answer(record);
    EXPECT_EQ(code(it), "upstream_authentication");
    EXPECT_EQ(it.head.headers.get("retry-after"), seconds);
    EXPECT_EQ(it.head.headers.contains("x-should-retry"), !retry) << seconds;
  }
}

TEST_F(FailureAnswer, ASpentBudgetIsNamedWithItsNumbersAndAWayOn) {  // BUD-6
  RejectionRecord refusal{.reason = RejectionReason::budget_exceeded,
                          .kind = BudgetKind::tokens,
                          .level = BudgetLevel::session,
                          .consumed = 19'000,
                          .requested = 1'030,
                          .limit = 20'000};
  const auto message = [&] {
    CallRecord record = after(Ending::budget_exceeded, {});
    record.rejections.push_back(refusal);
    const Answer it = answer(record);
    EXPECT_EQ(it.head.status, 429);
    EXPECT_EQ(code(it), "budget_exceeded");
    EXPECT_EQ(it.head.headers.get("x-should-retry"), "false");
    return nlohmann::json::parse(it.body)["error"]["message"].get<std::string>();
  };
  EXPECT_EQ(
      message(),
      "'smart': the session's budget of 20000 tokens does not allow this call: 19000 spent, and it may need 1030; "
      "begin a new session, or raise budgets.session.tokens: p/m (budget_exceeded)");
  refusal.kind = BudgetKind::usd;
  refusal.level = BudgetLevel::global;
  refusal.reserved = 500'000'000;
  EXPECT_EQ(message(),
            "'smart': the global budget of $0.00002 does not allow this call: $0.000019 spent, $0.50 held by calls in "
            "flight, and it may need $0.00000103; raise budgets.global.usd: p/m (budget_exceeded)");
  refusal.level = BudgetLevel::key;
  EXPECT_NE(message().find("the key's budget of $0.00002 does"), std::string::npos);
  refusal = {.reason = RejectionReason::price_missing};
  EXPECT_EQ(message(),
            "'smart': a model without a price is not asked (on_missing_price: reject); add it to prices: p/m "
            "(price_missing)");
  refusal = {.reason = RejectionReason::budget_exceeded,
             .kind = BudgetKind::sessions,
             .level = BudgetLevel::session,
             .limit = 10'000};
  EXPECT_EQ(message(),
            "'smart': session limit (10000) reached; reuse a session or wait until one is idle for 24h: p/m "
            "(budget_exceeded)");
}

TEST_F(FailureAnswer, AnUpstreamsErrorPassesWithItsStatusBodyAndHeaders) {  // RTY-8.1, FBK-4
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

TEST_F(FailureAnswer, WhatNoClientCouldReadIsSaidInTheCallersDialect) {  // FBK-4
  const CallRecord record =
      after(Ending::failed,
            {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::service_unavailable)}});
  UpstreamError page{.attempt = 1,
                     .head = {.status = 502, .headers = {{"content-type", "text/html"}, {"content-encoding", "br"}}},
                     .body = "<html>Bad gateway</html>"};
  const Answer it = answer(record, &page);
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(it.head.headers.get("content-type"), "application/json");
  EXPECT_FALSE(it.head.headers.contains("content-encoding"));
  EXPECT_TRUE(nlohmann::json::parse(it.body)["error"].contains("message"));
  page.body.clear();
  EXPECT_TRUE(nlohmann::json::parse(answer(record, &page).body)["error"].contains("message"));
}

TEST_F(FailureAnswer, AnErrorOfAnotherDialectIsTranslated) {  // FBK-4
  const CallRecord record =
      after(Ending::failed,
            {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::invalid_request)}});
  const UpstreamError upstream{
      .attempt = 1,
      .dialect = llm::Dialect::anthropic,
      .head = {.status = 400, .headers = {{"content-type", "application/json"}, {"anthropic-organization-id", "o"}}},
      .body = R"({"type":"error","error":{"type":"invalid_request_error","message":"theirs"}})"};
  const Answer it = answer(record, &upstream);
  EXPECT_EQ(nlohmann::json::parse(it.body)["error"]["message"], "theirs");
  EXPECT_EQ(nlohmann::json::parse(it.body).count("type"), 0U);
  EXPECT_FALSE(it.head.headers.contains("anthropic-organization-id"));
}

TEST_F(FailureAnswer, AWaitThatIsTooLongToSitOutIsMarkedOnShownErrorsToo) {  // RTY-8.1
  Failure quota = Failure::of(Category::quota_exhausted);
  quota.retry_after = std::chrono::hours(1);
  const CallRecord record = after(Ending::failed, {{.number = 1, .target = 0, .answered = true, .failure = quota}});
  const UpstreamError upstream{.attempt = 1,
                               .head = {.status = 429, .headers = {{"retry-after", "3600"}}},
                               .body = R"({"error":{"message":"spent"}})"};
  EXPECT_EQ(answer(record, &upstream).head.headers.get("x-should-retry"), "false");
}

TEST_F(FailureAnswer, ACallersOwnCredentialThatWasRefusedIsTheCallersAffair) {  // FBK-6.9
  const CallRecord record = after(
      Ending::failed, {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::authentication)}});
  const UpstreamError upstream{
      .attempt = 1, .head = {.status = 401, .headers = {}}, .body = R"({"error":{"message":"wrong key"}})"};
  const Answer it =
      failure_response(record, plan_, {.upstream = &upstream, .passthrough = true}, {.request_id = "req_1"});
  EXPECT_EQ(it.head.status, 401);
}

TEST_F(FailureAnswer, ARequestThatNobodyCanBeToldIsA400ThatNamesTheField) {
  const std::vector<Untranslatable> untranslatable = {
      {.target = 1,
       .error = {.message = "'seed' cannot be carried.", .param = "seed", .code = "unsupported_parameter"}}};
  const Answer it = failure_response(after(Ending::no_target, {}), plan_, {.untranslatable = untranslatable},
                                     {.request_id = "req_1"});
  EXPECT_EQ(it.head.status, 400);
  const auto error = nlohmann::json::parse(it.body)["error"];
  EXPECT_EQ(error["param"], "seed");
  EXPECT_EQ(error["message"], "no target of 'smart' can take this request: q/n: 'seed' cannot be carried");
}

TEST_F(FailureAnswer, WhoeverElseFailsTheMessageSaysWhichTargetWasRuledOutByWhichField) {
  const std::vector<Untranslatable> untranslatable = {
      {.target = 1, .error = {.message = "no words for it.", .param = "logprobs"}}};
  const CallRecord record =
      after(Ending::failed, {{.number = 1, .answered = true, .failure = Failure::of(Category::invalid_request)}});
  const UpstreamError upstream{.attempt = 1,
                               .head = {.status = 400, .headers = {{"etag", "theirs"}}},
                               .body = R"({"error":{"message":"theirs","code":7}})"};
  Answer it = failure_response(record, plan_, {.upstream = &upstream, .untranslatable = untranslatable},
                               {.request_id = "req_1"});
  EXPECT_EQ(it.body, R"json({"error":{"message":"theirs; not asked: q/n: no words for it (logprobs)","code":7}})json");
  EXPECT_FALSE(it.head.headers.contains("etag"));
  for (const char* body : {"{}", "", "busy", R"({"error":"busy"})"}) {
    const UpstreamError terse{.attempt = 1, .head = {.status = 503, .headers = {}}, .body = body};
    it = failure_response(record, plan_, {.upstream = &terse, .untranslatable = untranslatable},
                          {.request_id = "req_1"});
    EXPECT_EQ(it.head.status, 503);
    EXPECT_NE(it.body.find("; not asked: q/n: no words for it (logprobs)"), std::string::npos) << it.body;
  }
  const CallRecord broken =
      after(Ending::retries_exhausted, {{.number = 1, .failure = Failure::of(Category::network)}});
  it = failure_response(broken, plan_, {.untranslatable = untranslatable}, {.request_id = "req_1"});
  EXPECT_NE(it.body.find("ended with network; not asked: q/n: no words for it (logprobs)"), std::string::npos)
      << it.body;
  it = failure_response(after(Ending::circuit_open, {}), plan_, {.untranslatable = untranslatable},
                        {.request_id = "req_1"});
  EXPECT_NE(it.body.find("; not asked: q/n"), std::string::npos) << it.body;
}

TEST_F(FailureAnswer, EachProvidersCauseIsSaidInWords) {
  CallRecord record =
      after(Ending::retries_exhausted, {{.number = 1, .failure = Failure::of(Category::network)},
                                        {.number = 2, .failure = Failure::of(Category::network)},
                                        {.number = 3, .target = 1, .failure = Failure::of(Category::timeout)}});
  record.notes.push_back({.attempt = 1, .cause = "it was reset"});
  record.notes.push_back({.attempt = 2, .cause = "the certificate of p.example has expired"});
  record.notes.push_back({.attempt = 3, .cause = "no answer within 30s", .upstream_request_id = "req_theirs"});
  const std::string message = nlohmann::json::parse(answer(record).body)["error"]["message"];
  EXPECT_EQ(message,
            "provider \"p\": the certificate of p.example has expired; provider \"q\": no answer within 30s (upstream "
            "request id req_theirs) (3 attempts in 120 ms; the last, on q/n, ended with timeout)");
}

TEST_F(FailureAnswer, AFilteredAnswerPassesAsItCameThoughItsStatusIsASuccess) {  // FBK-2.2
  const CallRecord record = after(
      Ending::failed, {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::content_policy)}});
  const UpstreamError upstream{.attempt = 1,
                               .head = {.status = 200, .headers = {{"content-type", "application/json"}}},
                               .body = R"({"choices":[{"index":0,"finish_reason":"content_filter"}]})"};
  const Answer it = answer(record, &upstream);
  EXPECT_EQ(it.head.status, 200);
  EXPECT_EQ(it.body, upstream.body);
  EXPECT_FALSE(it.head.headers.contains("x-should-retry"));
  const std::vector<Untranslatable> untranslatable = {
      {.target = 1, .error = {.message = "no words for it.", .param = "logprobs"}}};
  EXPECT_EQ(failure_response(record, plan_, {.upstream = &upstream, .untranslatable = untranslatable},
                             {.request_id = "req_1"})
                .body,
            upstream.body)
      << "whoever could not be asked";
}

TEST_F(FailureAnswer, OnceOurRetriesAreSpentTheClientIsToldNotToAddItsOwn) {
  const CallRecord record =
      after(Ending::retries_exhausted,
            {{.number = 1, .target = 0, .answered = true, .failure = Failure::of(Category::overloaded)}});
  const UpstreamError upstream{.attempt = 1, .head = {.status = 529, .headers = {}}, .body = "{}"};
  EXPECT_EQ(answer(record, &upstream).head.headers.get("x-should-retry"), "false");
  EXPECT_EQ(answer(record, &upstream).head.status, 529);
}

TEST_F(FailureAnswer, WithoutAnUpstreamAnswerItIsA502ThatSaysWhatHappened) {
  const CallRecord record =
      after(Ending::retries_exhausted, {{.number = 1, .failure = Failure::of(Category::network)},
                                        {.number = 2, .target = 1, .failure = Failure::of(Category::timeout)}});
  const Answer it = answer(record);
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(code(it), "retries_exhausted");
  EXPECT_NE(it.body.find("2 attempts in 120 ms; the last, on q/n, ended with timeout"), std::string::npos) << it.body;
}

TEST_F(FailureAnswer, ARefusedCredentialOfOursNeverLooksLikeTheCallers) {  // FBK-6.1
  const CallRecord record = after(Ending::retries_exhausted,
                                  {{.number = 1, .answered = true, .failure = Failure::of(Category::authentication)}});
  const UpstreamError upstream{
      .attempt = 1, .head = {.status = 401, .headers = {}}, .body = "Incorrect API key sk-secret"};
  const Answer it = answer(record, &upstream);
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(code(it), "upstream_authentication");
  EXPECT_EQ(it.body.find("sk-secret"), std::string::npos);
}

TEST_F(FailureAnswer, AProviderThatWantsAKeyAndHasNoneIsNamedAsSuch) {  // FBK-6.1
  const CallRecord record = after(Ending::retries_exhausted,
                                  {{.number = 1, .answered = true, .failure = Failure::of(Category::authentication)}});
  const Answer it = failure_response(record, plan_, {.keyless = true}, {.request_id = "req_1"});
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(code(it), "upstream_authentication");
  EXPECT_NE(it.body.find("p/m refused a request without an api_key"), std::string::npos) << it.body;
}

TEST_F(FailureAnswer, AnAccountOfTheCallersThatWasRefusedIsNamedAsSuch) {  // FBK-6.9
  Failure refusal = Failure::of(Category::authentication);
  refusal.scope = FailureScope::caller;
  const CallRecord record = after(Ending::failed, {{.number = 1, .target = 0, .answered = true, .failure = refusal}});
  const Answer it = answer(record);
  EXPECT_EQ(it.head.status, 502);
  EXPECT_EQ(code(it), "upstream_authentication");
  EXPECT_NE(it.body.find("organization or project that the request names"), std::string::npos) << it.body;
}

TEST_F(FailureAnswer, ARequestThatIsLargerThanItsWindowIsNotForSdksToRepeat) {  // LIM-4.5
  Failure too_large = Failure::of(Category::rate_limit, seconds(30));
  too_large.retryable = false;
  too_large.scope = FailureScope::request;
  const CallRecord record = after(Ending::failed, {{.number = 1, .target = 0, .answered = true, .failure = too_large}});
  const UpstreamError upstream{.attempt = 1, .head = {.status = 429, .headers = {{"retry-after", "30"}}}, .body = "{}"};
  EXPECT_EQ(answer(record, &upstream).head.headers.get("x-should-retry"), "false");
}

TEST_F(FailureAnswer, APassedDeadlineIsA504) {
  const CallRecord record =
      after(Ending::deadline_exceeded, {{.number = 1, .failure = Failure::of(Category::timeout)}});
  EXPECT_EQ(answer(record).head.status, 504);
  EXPECT_EQ(code(answer(record)), "deadline_exceeded");
  EXPECT_FALSE(answer(record).head.headers.contains("retry-after"));
}

TEST_F(FailureAnswer, WhereTheNextWaitDidNotFitTheDeadlineItIsToldHowLongItWouldBe) {  // RTY-8.3
  CallRecord record =
      after(Ending::deadline_exceeded,
            {{.number = 1, .answered = true, .failure = Failure::of(Category::rate_limit, seconds(30))}});
  record.retry_after = seconds(30);
  EXPECT_EQ(answer(record).head.headers.get("retry-after"), "30");
}

}  // namespace
}  // namespace fuseboard::gateway
