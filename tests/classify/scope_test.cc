// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a refusal speaks of, by the words of real providers.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/classify/classifier.h"

namespace fuseboard {
namespace {

struct Case {
  std::string_view source;
  int status;
  std::string_view body;
  Category category;
  FailureScope scope;
};

Failure judge(int status, std::string_view body, std::vector<HeaderField> headers = {}) {
  const auto judged = classify({.status = status, .headers = headers, .body = body});
  return judged.failure.value_or(Failure::of(Category::execution_error));
}

void expect(const Case& it) {
  const Failure failure = judge(it.status, it.body);
  EXPECT_EQ(name(failure.category), name(it.category)) << it.source;
  EXPECT_EQ(name(failure.scope), name(it.scope)) << it.source;
}

TEST(FailureScopes, WhatNamesNothingIsOfTheCredential) {  // FBK-6.2
  using enum Category;
  for (
      const Case& it : std::vector<Case>{
          {"OpenAI", 401,
           R"({"error":{"message":"Incorrect API key provided: sk-x. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}})",
           authentication, FailureScope::unnamed},
          {"Anthropic", 401,
           R"({"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}})", authentication,
           FailureScope::unnamed},
          {"Azure", 401,
           R"({"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}})",
           authentication, FailureScope::unnamed},
          {"OpenAI, a project's", 429,
           R"({"error":{"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
           quota_exhausted, FailureScope::unnamed},
          {"Anthropic, credit", 400,
           R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}})",
           quota_exhausted, FailureScope::unnamed},
      })
    expect(it);
}

TEST(FailureScopes, AModelIsNamedInManyWays) {  // FBK-6.2
  using enum Category;
  for (
      const Case& it : std::vector<Case>{
          {"Groq", 429,
           R"({"error":{"message":"Rate limit reached for model `big` in organization `org_x` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 99999, Requested 1757. Please try again in 2h15m44.352s.","type":"tokens","code":"rate_limit_exceeded"}})",
           quota_exhausted, FailureScope::model},
          {"OpenAI", 429,
           R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-x on requests per day (RPD): Limit 10000, Used 10000, Requested 1. Please try again in 1h8.64s.","type":"requests","param":null,"code":"rate_limit_exceeded"}})",
           quota_exhausted, FailureScope::model},
          {"Gemini, by its text", 429,
           R"({"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 50, model: gemini-2.5-pro","status":"RESOURCE_EXHAUSTED"}})",
           quota_exhausted, FailureScope::model},
          {"Gemini, by its details, in a list", 429,
           R"([{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"generativelanguage.googleapis.com/generate_requests_per_model_per_day","quotaId":"GenerateRequestsPerDayPerProjectPerModel","quotaDimensions":{"location":"global","model":"gemini-2.5-pro"},"quotaValue":"250"}]}]}}])",
           quota_exhausted, FailureScope::model},
          {"OpenRouter", 429,
           R"({"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429}})",
           quota_exhausted, FailureScope::model},
          {"a proxy", 401, R"({"error":{"message":"No access to model big with this key","code":"invalid_api_key"}})",
           authentication, FailureScope::model},
      })
    expect(it);
}

TEST(FailureScopes, AMissingScopeIsOfTheEndpoint) {  // FBK-6.2
  using enum Category;
  for (
      const Case& it : std::vector<Case>{
          {"OpenAI", 401,
           R"({"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.responses.write. Check that you have the correct role in your organization (Reader, Writer, Owner) and project (Member, Owner), and if you're using a restricted API key, that it has the necessary scopes.","type":"invalid_request_error","param":null,"code":null}})",
           authentication, FailureScope::endpoint},
          {"GitHub Models", 401,
           R"({"error":{"code":"unauthorized","message":"The `models` permission is required to access this endpoint","details":"The `models` permission is required to access this endpoint"}})",
           authentication, FailureScope::endpoint},
          {"Azure", 401,
           R"({"error":{"code":"Unauthorized","message":"The principal `x` lacks the required data action `Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST /openai/deployments/{deployment-id}/chat/completions` operation."}})",
           authentication, FailureScope::endpoint},
      })
    expect(it);
}

TEST(FailureScopes, AnOrganizationOrAProjectIsTheCallers) {  // FBK-6.9
  using enum Category;
  for (
      const Case& it : std::vector<Case>{
          {"no organization", 401,
           R"({"error":{"message":"No such organization: org-bogus.","type":"invalid_request_error","param":null,"code":"invalid_organization"}})",
           authentication, FailureScope::caller},
          {"another organization", 401,
           R"({"error":{"message":"OpenAI-Organization header should match organization for API key","type":"invalid_request_error","param":null,"code":"mismatched_organization"}})",
           authentication, FailureScope::caller},
          {"another project, by its text", 401,
           R"({"error":{"message":"OpenAI-Project header should match project for API key","type":"invalid_request_error","param":null,"code":null}})",
           authentication, FailureScope::caller},
      })
    expect(it);
}

TEST(FailureScopes, OneRequestThatIsTooLargeIsItsOwnMatter) {  // LIM-4.5, FBK-6.8
  for (
      const std::string_view body :
      {R"({"error":{"message":"Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 10000, Requested 50000. The input or output tokens must be reduced in order to run successfully.","type":"tokens","param":null,"code":"rate_limit_exceeded"}})",
       R"({"error":{"message":"Rate limit reached for model `m` on tokens per minute (TPM): Limit 10000, Used 0, Requested 50000. Please try again in 30s.","type":"tokens","code":"rate_limit_exceeded"}})",
       R"({"error":{"message":"Rate limit reached for m on tokens per min. Limit: 10,000, Used: 12, Requested: 10,001.","type":"tokens","code":"rate_limit_exceeded"}})"}) {
    const Failure failure = judge(429, body, {{"retry-after", "30"}});
    EXPECT_EQ(failure.category, Category::rate_limit) << body;
    EXPECT_EQ(failure.scope, FailureScope::request) << body;
    EXPECT_FALSE(failure.retryable) << body;
    EXPECT_TRUE(failure.fallback) << body;
    EXPECT_EQ(failure.evidence, Evidence::does_not_count) << body;
  }
  const Failure fits = judge(
      429,
      R"({"error":{"message":"Rate limit reached for m on tokens per min. Limit 10000, Used 9000, Requested 10000. Please try again in 6s.","code":"rate_limit_exceeded"}})");
  EXPECT_NE(fits.scope, FailureScope::request) << "a window of its own is enough for it";
  EXPECT_TRUE(fits.retryable);
}

TEST(FailureScopes, ARequestThatTheCreditIsTooSmallForLeavesSmallerOnes) {  // FBK-6.8
  const Failure failure = judge(
      402,
      R"({"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens, but can only afford 1612. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account","code":402}})");
  EXPECT_EQ(failure.category, Category::quota_exhausted);
  EXPECT_EQ(failure.scope, FailureScope::request);
}

TEST(FailureScopes, WhatIsQuotedNamesNothing) {  // FBK-6.2
  const Failure failure = judge(
      401,
      R"({"error":{"message":"Incorrect API key provided: 'missing scopes for model x'","code":"invalid_api_key"}})");
  EXPECT_EQ(failure.scope, FailureScope::unnamed);
}

TEST(FailureScopes, OnlyRefusalsThatAreHeldAgainstOthersHaveOne) {
  const Failure failure = judge(
      400,
      R"({"error":{"message":"Unsupported parameter for model `o3`: temperature","code":"unsupported_parameter"}})");
  EXPECT_EQ(failure.scope, FailureScope::unnamed);
}

}  // namespace
}  // namespace fuseboard
