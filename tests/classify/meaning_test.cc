// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Rules that hold for whole kinds of failures, not for one provider's text.
#include <gtest/gtest.h>

#include <string>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/modifier.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using enum Category;

Classification http(int status, std::string_view body, Domain domain = Domain::llm) {
  return classify({.domain = domain, .status = status, .body = body});
}
Category meaning(int status, std::string_view body) { return http(status, body).failure->category; }

Category text(std::string_view message, Domain domain = Domain::llm) {
  return classify({.channel = Channel::message, .domain = domain, .message = message}).failure->category;
}

TEST(ClassifyMeaning, WhatIsAboutContentIsNeitherRetriedNorEvidence) {
  constexpr std::string_view kTexts[] = {
      "replicate.exceptions.ModelError: The input or output was flagged as sensitive. (E005)",
      "APIError: This content was flagged for possible cybersecurity risk.",
      "输入内容包含敏感信息，请修改后重试",
      "系统检测到输入或生成内容可能包含不安全或敏感内容",
      "コンテンツポリシーに違反しています",
      "부적절한 콘텐츠가 감지되었습니다",
      "Запрос нарушает политику использования",
      "Die Anfrage verstößt gegen unsere Inhaltsrichtlinien",
      "La demande enfreint notre politique de contenu",
      "La solicitud infringe nuestra política de contenido",
  };
  for (const std::string_view it : kTexts) {
    const auto judged = classify({.channel = Channel::message, .message = it});
    EXPECT_EQ(judged.failure->category, content_policy) << it;
    EXPECT_FALSE(judged.failure->retryable) << it;
    EXPECT_FALSE(trips_breaker(*judged.failure)) << it;
  }
  constexpr std::string_view kBodies[] = {
      R"({"error":{"message":"Blocked.","type":"invalid_request","code":"cyber_policy"}})",
      R"({"error":{"message":"Blocked.","type":"api_error","code":"self_harm_policy_violation"}})",
      R"({"error":{"message":"The output was flagged as sensitive","type":"server_error"}})",
      R"({"error":{"code":403,"metadata":{"error_type":"refusal"}}})",
      R"({"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}})",
      R"({"code":10013,"message":"input content audit failed"})",
  };
  for (const std::string_view it : kBodies) {
    for (const int status : {200, 400, 403, 500}) {
      const auto judged = http(status, it);
      EXPECT_EQ(judged.failure->category, content_policy) << status << it;
      EXPECT_FALSE(judged.failure->retryable) << status << it;
      EXPECT_FALSE(trips_breaker(*judged.failure)) << status << it;
    }
  }
}

TEST(ClassifyMeaning, ProseAboutASafetyServiceThatIsDownIsAServerFault) {
  EXPECT_EQ(meaning(503, R"({"message":"The content moderation service is down for maintenance"})"),
            service_unavailable);
  EXPECT_EQ(meaning(400, R"({"error":{"message":"Your request contains invalid content filter policy."}})"),
            invalid_request);
}

TEST(ClassifyMeaning, ANumericCodeBesideProseIsAnErrorUnderA200) {
  EXPECT_EQ(meaning(200, R"({"error_code":17,"error_msg":"Open api daily request limit reached"})"), quota_exhausted);
  EXPECT_EQ(meaning(200, R"({"error_code":18,"error_msg":"Open api qps request limit reached"})"), rate_limit);
  EXPECT_EQ(meaning(200, R"({"error_code":110,"error_msg":"Access token invalid or no longer valid"})"),
            authentication);
  EXPECT_EQ(meaning(200, R"({"code":1001,"msg":"Header中未收到Authentication参数，无法进行身份验证","success":false})"),
            authentication);
  EXPECT_EQ(meaning(200, R"({"header":{"code":11202,"message":"AppIdQpsOverFlowError"}})"), rate_limit);
  EXPECT_EQ(meaning(200, R"({"success":false,"message":"rate limit exceeded"})"), rate_limit);
  EXPECT_EQ(meaning(200, R"({"Response":{"Error":{"Code":"RequestLimitExceeded","Message":"slow"}}})"), rate_limit);
}

TEST(ClassifyMeaning, ANumberThatIsNoFailureLeavesASuccessAlone) {
  constexpr std::string_view kAnswers[] = {
      R"({"code":0,"message":"Success","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]})",
      R"({"code":200,"msg":"done","data":{"id":1}})",
      R"({"code":20000,"message":"OK","status":true,"data":{"balance":"1"}})",
      R"({"code":1,"message":"queued","success":true})",
      R"({"code":7,"message":"the seventh","data":{"id":7}})",
  };
  for (const std::string_view it : kAnswers) EXPECT_FALSE(http(200, it).failure) << it;
  // A tool's answer may number anything.
  EXPECT_FALSE(http(200, R"({"code":276,"name":"Germany","message":"Found"})", Domain::tool).failure);
  EXPECT_FALSE(http(200, R"({"code":49,"name":"Germany","message":"a country in Europe"})", Domain::tool).failure);
  EXPECT_TRUE(http(200, R"({"code":404,"message":"no such country"})", Domain::tool).failure);
}

TEST(ClassifyMeaning, TheWordsOfACodeSayWhatNoTableNames) {
  const auto code = [](int status, std::string_view name) {
    return meaning(status, R"({"error":{"message":"no","code":")" + std::string(name) + R"("}})");
  };
  EXPECT_EQ(code(403, "org_quota_exceeded_daily"), quota_exhausted);
  EXPECT_EQ(code(400, "AcmeModelNotSupported"), model_not_found);
  EXPECT_EQ(code(500, "GpuPoolOverloadedError"), overloaded);
  EXPECT_EQ(code(500, "UpstreamCallTimedOut"), timeout);
  EXPECT_EQ(code(403, "gateway_guardrail_blocked"), policy_violation);
  EXPECT_EQ(code(400, "org.blocked_by_policy"), policy_violation);
  EXPECT_EQ(code(400, "prompt_token_context_length_overflow"), context_length_exceeded);
  EXPECT_EQ(code(400, "expired_key_for_tenant"), authentication);
  EXPECT_EQ(code(404, "InvalidEndpointOrModel.NotFound"), model_not_found);
  EXPECT_EQ(code(400, "invalid_policy_argument"), invalid_request) << "an argument, not a policy";
}

TEST(ClassifyMeaning, AFamilyOfCodesDoesNotExplainAServerThatIsDownNorACallerWhoIsNotLetIn) {
  EXPECT_EQ(meaning(503, R"({"error":{"code":"tenant_auth_failed_upstream"}})"), service_unavailable);
  EXPECT_EQ(meaning(401, R"({"error":{"code":"tenant_user_not_found"}})"), authentication);
  EXPECT_EQ(meaning(400, R"({"error":{"code":"tenant_user_not_found"}})"), resource_not_found);
}

TEST(ClassifyMeaning, AFinishReasonOrARefusalCountsUnderA4xxToo) {
  EXPECT_EQ(meaning(400, R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})"),
            content_policy);
  EXPECT_EQ(meaning(400, R"({"choices":[{"message":{"content":null,"refusal":"I can't."},"finish_reason":"stop"}]})"),
            content_policy);
  EXPECT_EQ(meaning(422, R"({"promptFeedback":{"blockReason":"SAFETY"}})"), content_policy);
  EXPECT_EQ(meaning(400, R"({"finishReason":"input_guardrail_triggered"})"), policy_violation);
  EXPECT_EQ(meaning(502, R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})"),
            service_unavailable)
      << "a server that is down is not explained by what it relays";
  EXPECT_FALSE(
      http(200, R"({"choices":[{"message":{"content":null,"refusal":"I can't."},"finish_reason":"stop"}]})").failure)
      << "under a 2xx it is an answer";
}

TEST(ClassifyMeaning, AConflictIsRetriedAndIsNoEvidence) {
  const auto judged = http(409, R"({"error":{"message":"busy","type":"invalid_request_error"}})");
  EXPECT_EQ(judged.failure->category, invalid_request);
  EXPECT_EQ(judged.modifier, Modifier::conflict);
  EXPECT_TRUE(judged.failure->retryable);
  EXPECT_FALSE(trips_breaker(*judged.failure));
  EXPECT_FALSE(judged.failure->fallback);
}

TEST(ClassifyMeaning, WhatAProviderOfModelsDoesNotFindIsAModel) {
  EXPECT_EQ(meaning(404, R"({"detail":"Function '9b96': Not found for account 'x'"})"), model_not_found);
  EXPECT_EQ(meaning(404, R"({"message":"deployment my-gpt not found"})"), model_not_found);
  EXPECT_EQ(meaning(404, R"({"error":{"message":"no","param":"model"}})"), model_not_found);
  EXPECT_EQ(meaning(404, R"({"message":"endpoint /v1/x not found"})"), resource_not_found) << "a route";
  EXPECT_EQ(http(404, R"({"message":"deployment web not found"})", Domain::tool).failure->category, resource_not_found);
  EXPECT_EQ(meaning(410, R"({"error":{"message":"Model jamba-1.0 was retired on 2026-01-01"}})"), model_not_found);
}

TEST(ClassifyMeaning, AUsageLimitIsAQuotaWhereAPlanIsNamed) {
  EXPECT_EQ(text("You've hit your usage limit. Upgrade your plan to continue."), quota_exhausted);
  EXPECT_EQ(meaning(429, R"({"message":"Usage limit exceeded for the Pro plan"})"), quota_exhausted);
  EXPECT_EQ(meaning(429, R"({"message":"usage limit exceeded"})"), rate_limit);
  EXPECT_EQ(meaning(429, R"({"message":"Allocated quota exceeded, please increase your quota limit."})"), rate_limit);
  EXPECT_EQ(text("5-hour limit reached - resets 3pm"), quota_exhausted);
  EXPECT_EQ(text("Quota exceeded: 60 requests per minute"), rate_limit) << "a quota of a minute is a rate";
  EXPECT_EQ(text("You have exhausted your quota of 60 requests"), quota_exhausted);
  EXPECT_EQ(text("You have exhausted your quota of 60 requests per minute"), rate_limit);
}

TEST(ClassifyMeaning, AQueueThatIsFullIsAServerWithoutCapacity) {
  EXPECT_EQ(meaning(503, R"({"error":"request dropped: exceeds maximum queue size"})"), overloaded);
  EXPECT_EQ(meaning(504, R"({"error":"timed out while waiting in queue"})"), overloaded);
  EXPECT_EQ(meaning(400, R"({"error":"queue must be a string"})"), invalid_request);
}

TEST(ClassifyMeaning, TypedTextsOfClientsNameTheirStatus) {
  EXPECT_EQ(text("failed to merge: PUT https://api.github.com/repos/o/r/pulls/1/merge: 405 not mergeable []"),
            invalid_request);
  EXPECT_EQ(text("GET https://api.github.com/search/code?q=a+b&page=2: 502  []"), service_unavailable);
  EXPECT_EQ(text("see https://example.com/docs: 502 pages"), execution_error) << "no method, no status";
  EXPECT_EQ(text("CAPIError: 429 Sorry, you have exceeded your token usage"), rate_limit);
  EXPECT_EQ(text("API Error: 529 overloaded"), overloaded);
  EXPECT_EQ(text("httpx.HTTPStatusError: Server error '503 Service Unavailable' for url 'https://x'"),
            service_unavailable);
  EXPECT_EQ(text("io.grpc.StatusRuntimeException: UNAVAILABLE: io exception"), service_unavailable);
  EXPECT_EQ(text("Error: 8 RESOURCE_EXHAUSTED: out of tokens"), rate_limit);
  EXPECT_EQ(text("the state is UNAVAILABLE now"), execution_error) << "a word in capitals alone is none";
  EXPECT_EQ(text("page.goto: net::ERR_PROXY_CONNECTION_FAILED at https://x"), network);
  EXPECT_EQ(text("page.goto: net::ERR_BLOCKED_BY_CLIENT at https://x"), policy_violation);
  EXPECT_EQ(text("Error Domain=NSURLErrorDomain Code=-1001 \"The request timed out.\""), timeout);
  EXPECT_EQ(text("channel_not_found", Domain::tool), resource_not_found);
  EXPECT_EQ(text("the channel_not_found column is empty", Domain::tool), execution_error);
}

TEST(ClassifyMeaning, AMessageSaysMoreThanTheGenericNameOfAnException) {
  EXPECT_EQ(text("ModelError: rate limit exceeded"), rate_limit);
  EXPECT_EQ(text("APIError: Insufficient balance"), quota_exhausted);
  EXPECT_EQ(text("InternalServerError: no such file"), service_unavailable) << "only causes that a name lacks";
}

TEST(ClassifyMeaning, JsonRpcCodesOf2026AreTheRequests) {
  const auto rpc = [](int status, std::string_view error) {
    const std::string body = R"({"jsonrpc":"2.0","id":1,"error":)" + std::string(error) + "}";
    return classify({.channel = Channel::mcp, .domain = Domain::tool, .status = status, .body = body}).failure;
  };
  for (const std::string_view code : {"-32020", "-32021", "-32022", "-32042"}) {
    EXPECT_EQ(rpc(0, R"({"code":)" + std::string(code) + R"(,"message":"no"})")->category, invalid_request) << code;
  }
  EXPECT_EQ(rpc(400, R"({"code":-32001,"message":"Header mismatch: Mcp-Name"})")->category, invalid_request);
  EXPECT_EQ(rpc(0, R"({"code":-32001,"message":"Request timed out"})")->category, timeout);
  EXPECT_EQ(rpc(0, R"({"code":-32603,"message":"connection issue with the backend"})")->category, network);
  EXPECT_EQ(rpc(0, R"({"code":-32602,"message":"Unknown prompt: x"})")->category, resource_not_found);
}

TEST(ClassifyMeaning, OtherLanguagesAreReadAsEnglishIs) {
  EXPECT_EQ(text("请求超时，请稍后重试"), timeout);
  EXPECT_EQ(text("请求过于频繁"), rate_limit);
  EXPECT_EQ(text("模型 gpt-9 不存在"), model_not_found);
  EXPECT_EQ(text("账户余额不足"), quota_exhausted);
  EXPECT_EQ(text("サーバーが過負荷です"), overloaded);
  EXPECT_EQ(text("요청이 너무 많습니다"), rate_limit);
  EXPECT_EQ(text("ОТКАЗАНО В ДОСТУПЕ"), permission_denied) << "capitals";
  EXPECT_EQ(text("Zeitüberschreitung bei der Anforderung"), timeout);
  EXPECT_EQ(text("cat: a: Aucun fichier ou dossier de ce type"), resource_not_found);
  EXPECT_EQ(text("Solde insuffisant"), quota_exhausted);
  EXPECT_EQ(text("Demasiadas solicitudes"), rate_limit);
  EXPECT_EQ(text("bash: foo: comando não encontrado"), tool_not_found);
  EXPECT_EQ(meaning(503, R"({"message":"身份验证服务维护中"})"), service_unavailable)
      << "prose never overrides a status";
}

TEST(ClassifyMeaning, QuotedTextInAnyScriptDoesNotCount) {
  EXPECT_EQ(text("未能绘制“余额不足”四个字"), execution_error);
  EXPECT_EQ(text("「タイムアウト」という語を描けませんでした"), execution_error);
  EXPECT_EQ(text("не нарисовано: «доступ запрещён»"), execution_error);
}

TEST(ClassifyMeaning, AGapOfAPhraseEndsWithItsSentence) {
  EXPECT_EQ(text("模型已加载。文件 a.txt 不存在"), resource_not_found) << "the file, not the model";
}

TEST(ClassifyMeaning, APersonOrAnOrganisationThatRefusesIsOurSide) {
  for (const std::string_view it :
       {"Permission to use Bash with command rm -rf build has been denied.", "User declined to run this command",
        "The user doesn't want to proceed with this tool use.",
        "Network access to api.x is blocked by your organization's policy",
        "admission webhook \"x\" denied the request: no"}) {
    EXPECT_EQ(text(it, Domain::tool), policy_violation) << it;
  }
}

struct WaitCase {
  std::string_view message;
  std::chrono::milliseconds wait;
};

TEST(ClassifyMeaning, WaitsAreReadInMoreWords) {
  constexpr WaitCase kCases[] = {{"please wait 2 minutes before trying again", 2min},
                                 {"API rate limit exceeded. [rate reset in 12m03s]", 12min + 3s},
                                 {"try again in 5 days 22 hours", 142h},
                                 {"reset after 1h0m2s", 1h + 2s}};
  for (const WaitCase& it : kCases) {
    const auto judged = classify(
        {.channel = Channel::message, .message = std::string("429 Too Many Requests: ") + std::string(it.message)});
    EXPECT_EQ(judged.failure->retry_after, Duration(it.wait)) << it.message;
  }
  const auto judged = classify({.channel = Channel::message, .message = "429 Too Many Requests: wait 5"});
  EXPECT_EQ(judged.failure->retry_after, std::nullopt) << "only a length of time makes a wait of that word";
}

TEST(ClassifyMeaning, PlansSayInTheirBodiesWhenTheyBeginAnew) {
  const std::string_view body = R"({"error":{"type":"usage_limit_reached","resets_in_seconds":7200}})";
  EXPECT_EQ(http(429, body).failure->retry_after, 2h);
  const WallTime new_year{1767225600s};
  EXPECT_EQ(classify({.status = 429, .body = R"({"detail":"slow","resets_at":1767225660})", .now = new_year})
                .failure->retry_after,
            1min);
}

}  // namespace
}  // namespace fuseboard
