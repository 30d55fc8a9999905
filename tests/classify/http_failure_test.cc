// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/http_failure.h"

#include <gtest/gtest.h>

#include "fuseboard/classify/modifier.h"

namespace fuseboard {

// For readable failures of EXPECT_EQ.
static void PrintTo(const Failure& failure, std::ostream* out) {
  *out << name(failure.category) << (failure.retryable ? " retryable" : "") << (failure.fallback ? " fallback" : "");
  if (failure.retry_after) *out << " after " << failure.retry_after->count() << " ns";
}

namespace {

using namespace std::chrono_literals;
using enum Category;

Failure judge(int status, std::string_view code = {}, std::string_view type = {}, std::string_view message = {},
              RetryHints hints = {}) {
  return classify_http(
      {.status = status, .error_code = code, .error_type = type, .error_message = message, .hints = hints});
}

struct StatusCase {
  int status;
  Category category;
};

TEST(ClassifyHttp, TheStatusGivesTheClass) {
  constexpr StatusCase kCases[] = {
      {400, invalid_request},
      {401, authentication},
      {402, quota_exhausted},
      {403, permission_denied},
      {404, resource_not_found},
      {405, invalid_request},
      {408, timeout},
      {412, invalid_request},
      {413, invalid_request},
      {415, invalid_request},
      {422, invalid_request},
      {424, service_unavailable},
      {429, rate_limit},
      {499, cancelled},
      {500, service_unavailable},
      {502, service_unavailable},
      {503, service_unavailable},
      {504, timeout},
      {520, service_unavailable},
      {521, service_unavailable},
      {522, timeout},
      {523, service_unavailable},
      {524, timeout},
      {529, overloaded},
      {599, service_unavailable},
  };
  for (const auto& [status, category] : kCases) EXPECT_EQ(judge(status), Failure::of(category)) << status;
}

TEST(ClassifyHttp, AStatusThatIsNoErrorMeansTheServerGaveNothingUsable) {
  for (const int status : {-1, 0, 100, 200, 204, 301, 302, 399, 600, 99999}) {
    EXPECT_EQ(judge(status).category, service_unavailable) << status;
  }
}

struct CodeCase {
  int status;
  std::string_view code, type;
  Category category;
};

TEST(ClassifyHttp, ARecognisedCodeOrTypeOverridesTheStatus) {
  constexpr CodeCase kCases[] = {
      {429, "insufficient_quota", "insufficient_quota", quota_exhausted},
      {402, "", "billing_error", quota_exhausted},
      {429, "rate_limit_exceeded", "tokens", rate_limit},
      {403, "model_not_found", "invalid_request_error", model_not_found},
      {404, "DeploymentNotFound", "", model_not_found},
      {400, "context_length_exceeded", "invalid_request_error", context_length_exceeded},
      {400, "invalid_api_key", "invalid_request_error", authentication},
      {400, "content_filter", "", content_policy},
      {400, "content_policy_violation", "image_generation_user_error", content_policy},
      {400, "ResponsibleAIPolicyViolation", "", content_policy},
      {429, "NoCapacity", "", overloaded},
      {500, "", "overloaded_error", overloaded},
      {529, "", "overloaded_error", overloaded},
      {403, "", "permission_error", permission_denied},
      {503, "circuit_open", "server_error", circuit_open},
      {429, "budget_exceeded", "insufficient_quota_family", policy_violation},
  };
  for (const auto& [status, code, type, category] : kCases) {
    EXPECT_EQ(judge(status, code, type), Failure::of(category)) << status << " " << code << " " << type;
  }
}

TEST(ClassifyHttp, TheCodeGoesBeforeTheType) {
  EXPECT_EQ(judge(429, "insufficient_quota", "rate_limit_error").category, quota_exhausted);
  EXPECT_EQ(judge(401, "invalid_request_error", "authentication_error").category, authentication);
}

TEST(ClassifyHttp, AnUnspecificCodeNeverOverrides) {
  for (const std::string_view text :
       {"invalid_request_error", "server_error", "api_error", "internal_server_error", "error", "invalid_request",
        "null", "none", "BadRequestError", "not_found_error"}) {
    for (const int status : {400, 401, 403, 404, 408, 413, 422, 429, 499, 500, 503, 504, 529}) {
      EXPECT_EQ(judge(status, text, text), judge(status)) << status << " " << text;
    }
  }
}

TEST(ClassifyHttp, ANumericEchoOfTheStatusNeverOverrides) {
  EXPECT_EQ(judge(401, "401").category, authentication);
  EXPECT_EQ(judge(400, "500").category, invalid_request);
  EXPECT_EQ(judge(503, "400").category, service_unavailable);
  EXPECT_EQ(judge(404, "429").category, resource_not_found);
}

TEST(ClassifyHttp, AThrottleInsideAServerErrorIsAThrottle) { EXPECT_EQ(judge(500, "429"), Failure::of(rate_limit)); }

TEST(ClassifyHttp, WhatWasCancelledIsNoFaultUnderWhicheverStatus) {  // FBK-9
  for (const int status : {200, 400, 408, 409, 499, 500, 502, 503}) {
    for (const std::string_view code : {"CANCELLED", "cancelled", "canceled", "499", "request_cancelled"}) {
      EXPECT_EQ(judge(status, code), Failure::of(cancelled)) << status << " " << code;
    }
  }
}

TEST(ClassifyHttp, ALoopIsTheRequestsMatterAndAnotherTargetsChance) {
  const Failure loop = judge(508);
  EXPECT_EQ(loop.category, invalid_request);
  EXPECT_TRUE(loop.fallback);
  EXPECT_FALSE(loop.retryable);
  EXPECT_FALSE(fuseboard::trips_breaker(loop));
}

TEST(ClassifyHttp, AnErrorInsideA2xxIsJudgedByItsCode) {
  EXPECT_EQ(judge(200, "429").category, rate_limit);
  EXPECT_EQ(judge(200, "502").category, service_unavailable);
  EXPECT_EQ(judge(200, "401").category, authentication);
  EXPECT_EQ(judge(200, "rate_limit_exceeded").category, rate_limit);
  EXPECT_EQ(judge(200, "", "overloaded_error").category, overloaded);
  EXPECT_EQ(judge(200, "server_error").category, service_unavailable);
  EXPECT_EQ(judge(200, "", "invalid_request_error"), Failure::of(invalid_request));
  EXPECT_EQ(judge(200, "", "invalid_request_error", "The server had an error processing your request."),
            Failure::of(service_unavailable))
      << "Groq, mid-stream server fault";
  EXPECT_EQ(judge(200, "1234").category, service_unavailable) << "a number is no status";
  EXPECT_EQ(judge(200, "42x").category, service_unavailable);
  EXPECT_EQ(judge(200, "200").category, service_unavailable);
}

TEST(ClassifyHttp, APhraseThatOpensTheMessageRefinesItsClass) {
  EXPECT_EQ(judge(400, "", "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum").category,
            context_length_exceeded);
  EXPECT_EQ(judge(404, "", "not_found_error", "model: claude-9").category, model_not_found);
  EXPECT_EQ(judge(400, "", "invalid_request_error", "Your credit balance is too low to access the API").category,
            quota_exhausted);
  EXPECT_EQ(judge(503, "503", "", "The model is overloaded. Please try again later.").category, overloaded);
  EXPECT_EQ(judge(429, "", "server_error", "That model is currently overloaded with other requests.").category,
            overloaded);
  EXPECT_EQ(judge(400, "", "", "Input tokens exceed the configured limit of 272000 tokens.").category,
            context_length_exceeded);
  EXPECT_EQ(judge(200, "", "validation", "Input validation error: `inputs` must have less than 1024 tokens").category,
            context_length_exceeded);
}

TEST(ClassifyHttp, ProseDoesNotOverrideADecisiveStatusNorCountInsideAMessage) {
  EXPECT_EQ(judge(503, "", "", "Incorrect API key").category, service_unavailable);
  EXPECT_EQ(judge(401, "", "", "prompt is too long").category, authentication);
  EXPECT_EQ(judge(400, "", "", "tool 'x' said 'prompt is too long'").category, invalid_request);
  EXPECT_EQ(judge(500, "", "", "processed 429 files").category, service_unavailable);
}

TEST(ClassifyHttp, ARequestLargerThanItsWindowIsAThrottleThatWaitingDoesNotMend) {
  const Failure judged =
      judge(429, "rate_limit_exceeded", "tokens", "Request too large for gpt-4o: Limit 30000, Requested 41000.");
  EXPECT_EQ(judged.category, rate_limit);
  EXPECT_FALSE(judged.retryable);
  EXPECT_TRUE(judged.fallback);
}

TEST(ClassifyHttp, UnusableModelOutputMayBeDrawnAgain) {
  const Failure judged = judge(400, "tool_use_failed", "invalid_request_error");
  EXPECT_EQ(judged.category, execution_error);
  EXPECT_TRUE(judged.retryable);
  EXPECT_TRUE(judged.fallback);
}

TEST(ClassifyHttp, AMissingCapabilityFallsBackButIsNotRetried) {
  for (const Failure& judged : {judge(400, "unsupported_parameter"), judge(501), judge(422, "", "extra_forbidden")}) {
    EXPECT_EQ(judged.category, invalid_request);
    EXPECT_FALSE(judged.retryable);
    EXPECT_TRUE(judged.fallback);
  }
}

TEST(ClassifyHttp, TheServersWordSetsRetryableAlone) {  // M1
  Failure expected = Failure::of(service_unavailable);
  expected.retryable = false;
  EXPECT_EQ(judge(500, "", "", "", {.should_retry = false}), expected);
  expected = Failure::of(invalid_request);
  expected.retryable = true;
  EXPECT_EQ(judge(400, "", "", "", {.should_retry = true}), expected);
}

TEST(ClassifyHttp, TheHintIsReportedUnclamped) {
  EXPECT_EQ(judge(503, "", "", "", {.retry_after = 30s}), Failure::of(service_unavailable, 30s));
  EXPECT_EQ(judge(429, "", "", "", {.retry_after = 0s}), Failure::of(rate_limit, 0s));
  EXPECT_EQ(judge(503, "", "", "", {.retry_after = 48h}), Failure::of(service_unavailable, 48h));
}

TEST(ClassifyHttp, AnHourTellsAThrottleFromAQuota) {
  EXPECT_EQ(judge(429, "", "", "", {.retry_after = 1h - 1ms}), Failure::of(rate_limit, 1h - 1ms));
  EXPECT_EQ(judge(429, "", "", "", {.retry_after = 1h}), Failure::of(quota_exhausted, 1h));
  EXPECT_EQ(judge(429, "insufficient_quota", "", "", {.retry_after = 20s}), Failure::of(quota_exhausted))
      << "a sub-hour hint on a quota is dropped";
  EXPECT_EQ(judge(429, "insufficient_quota", "", "", {.retry_after = 24h}), Failure::of(quota_exhausted, 24h));
}

TEST(ClassifyHttp, PaymentRequiredWithAShortWaitIsAThrottle) {  // OpenRouter's in-flight budget
  EXPECT_EQ(judge(402, "402", "", "", {.retry_after = 3s}), Failure::of(rate_limit, 3s));
  EXPECT_EQ(judge(402, "402"), Failure::of(quota_exhausted));
}

}  // namespace
}  // namespace fuseboard
