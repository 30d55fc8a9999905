// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/errors.h"

#include <gtest/gtest.h>

#include "json/scan.h"

namespace fuseboard::llm {
namespace {

TEST(GatewayErrors, CodesStatusesAndTypesAreTheContract) {
  const struct {
    GatewayError error;
    std::string_view code;
    int status;
    std::string_view type;
  } kCases[] = {
      {GatewayError::circuit_open, "circuit_open", 503, "server_error"},
      {GatewayError::deadline_exceeded, "deadline_exceeded", 504, "server_error"},
      {GatewayError::no_target, "no_target", 503, "server_error"},
      {GatewayError::retries_exhausted, "retries_exhausted", 502, "server_error"},
      {GatewayError::unauthorized, "unauthorized", 401, "invalid_request_error"},
      {GatewayError::model_not_found, "model_not_found", 404, "invalid_request_error"},
      {GatewayError::request_too_large, "request_too_large", 413, "invalid_request_error"},
      {GatewayError::invalid_request, "invalid_request", 400, "invalid_request_error"},
      {GatewayError::upstream_authentication, "upstream_authentication", 502, "server_error"},
  };
  for (const auto& [error, code, status, type] : kCases) {
    EXPECT_EQ(info(error).code, code);
    EXPECT_EQ(info(error).status, status) << code;
    EXPECT_EQ(info(error).type, type) << code;
  }
}

TEST(GatewayErrors, TheBodyHasOpenAisShape) {
  EXPECT_EQ(openai_error_body("no", "t", "p", "c"), R"({"error":{"message":"no","type":"t","param":"p","code":"c"}})");
  EXPECT_EQ(openai_error_body("no", "t"), R"({"error":{"message":"no","type":"t","param":null,"code":null}})");
  EXPECT_EQ(
      error_body(Dialect::openai, GatewayError::model_not_found, "no 'x'", "model"),
      R"({"error":{"message":"no 'x'","type":"invalid_request_error","param":"model","code":"model_not_found"}})");
  EXPECT_EQ(error_body(Dialect::openai, RequestError{.message = "m", .param = "model", .code = {}}),
            R"({"error":{"message":"m","type":"invalid_request_error","param":"model","code":null}})");
}

TEST(GatewayErrors, AnyBytesInAMessageAreSafe) {
  const std::string body = openai_error_body("a\"b\\\n\x01\xFF\xC3", "t\"", "p\n", "c\x80");
  EXPECT_FALSE(json::validate(body)) << body;
}

TEST(GatewayErrors, InAStreamTheErrorIsOneEvent) {
  EXPECT_EQ(error_event(Endpoint::chat_completions, GatewayError::retries_exhausted, "cut\n\ndata: x"),
            "data: {\"error\":{\"message\":\"cut\\n\\ndata: x\",\"type\":\"server_error\",\"param\":null,"
            "\"code\":\"retries_exhausted\"}}\n\n");
}

TEST(GatewayErrors, EachDialectHasItsShape) {
  EXPECT_EQ(error_body(Dialect::anthropic, GatewayError::circuit_open, "all open", "", "req-1"),
            R"({"type":"error","error":{"type":"overloaded_error","message":"all open","code":"circuit_open"},)"
            R"("request_id":"req-1"})");
  EXPECT_EQ(error_body(Dialect::anthropic, RequestError{.message = "m", .param = "top_k", .code = "c"}),
            R"({"type":"error","error":{"type":"invalid_request_error","message":"m","param":"top_k","code":"c"}})");
  EXPECT_EQ(error_body(Dialect::openai, GatewayError::unauthorized, "who?", "", "req-1"),
            R"({"error":{"message":"who?","type":"invalid_request_error","param":null,"code":"unauthorized"}})");
  EXPECT_FALSE(json::validate(error_body(Dialect::anthropic, GatewayError::not_found, "\xFF\"", "\x80", "\n")));
}

TEST(GatewayErrors, AnthropicsTypesFollowTheStatus) {
  const struct {
    GatewayError error;
    std::string_view type;
  } kCases[] = {
      {GatewayError::rate_limited, "rate_limit_error"},       {GatewayError::queue_full, "rate_limit_error"},
      {GatewayError::budget_exceeded, "rate_limit_error"},    {GatewayError::deadline_exceeded, "timeout_error"},
      {GatewayError::no_target, "overloaded_error"},          {GatewayError::retries_exhausted, "api_error"},
      {GatewayError::unauthorized, "authentication_error"},   {GatewayError::model_not_found, "not_found_error"},
      {GatewayError::request_too_large, "request_too_large"}, {GatewayError::upstream_authentication, "api_error"},
  };
  for (const auto& [error, type] : kCases) EXPECT_EQ(info(error).anthropic_type, type) << info(error).code;
}

TEST(GatewayErrors, InAStreamEachEndpointHasItsEvent) {
  constexpr GatewayError kCut = GatewayError::stream_interrupted;
  EXPECT_EQ(error_event(Endpoint::chat_completions, kCut, "cut"),
            "data: {\"error\":{\"message\":\"cut\",\"type\":\"server_error\",\"param\":null,"
            "\"code\":\"stream_interrupted\"}}\n\n");
  EXPECT_EQ(error_event(Endpoint::messages, kCut, "cut"),
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"cut\","
            "\"code\":\"stream_interrupted\"}}\n\n");
  EXPECT_EQ(error_event(Endpoint::responses, kCut, "cut", 7),
            "event: error\ndata: {\"type\":\"error\",\"code\":\"stream_interrupted\",\"message\":\"cut\","
            "\"param\":null,\"sequence_number\":7}\n\n");
}

TEST(TranslateError, KeepsMessageAndCodeAndSaysTheTypeOfTheStatus) {
  const struct {
    Dialect to;
    int status;
    std::string_view body, expected;
  } kCases[] = {
      {Dialect::openai, 529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
       R"({"error":{"message":"Overloaded","type":"server_error","param":null,"code":"overloaded_error"}})"},
      {Dialect::openai, 400, R"({"type":"error","error":{"type":"invalid_request_error","message":"bad"}})",
       R"({"error":{"message":"bad","type":"invalid_request_error","param":null,"code":null}})"},
      {Dialect::openai, 429, R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})",
       R"({"error":{"message":"slow","type":"requests","param":null,"code":"rate_limit_error"}})"},
      {Dialect::openai, 402, R"({"error":"pay"})",
       R"({"error":{"message":"pay","type":"insufficient_quota","param":null,"code":null}})"},
      {Dialect::openai, 200, R"({"type":"error","error":{"type":"overloaded_error","message":"o"}})",
       R"({"error":{"message":"o","type":"server_error","param":null,"code":"overloaded_error"}})"},
      {Dialect::openai, 200, R"({"type":"error","error":{"type":"invalid_request_error","message":"i"}})",
       R"({"error":{"message":"i","type":"invalid_request_error","param":null,"code":null}})"},
      {Dialect::anthropic, 404,
       R"({"error":{"message":"no x","type":"invalid_request_error","code":"model_not_found"}})",
       R"({"type":"error","error":{"type":"not_found_error","message":"no x","code":"model_not_found"},"request_id":"r"})"},
      {Dialect::anthropic, 401, R"({"error":{"message":"key","code":"invalid_api_key"}})",
       R"({"type":"error","error":{"type":"authentication_error","message":"key","code":"invalid_api_key"},"request_id":"r"})"},
      {Dialect::anthropic, 503, "<html>",
       R"({"type":"error","error":{"type":"overloaded_error","message":"The provider answered with status 503."},"request_id":"r"})"},
      {Dialect::anthropic, 500, "{}",
       R"({"type":"error","error":{"type":"api_error","message":"The provider answered with status 500."},"request_id":"r"})"},
      {Dialect::anthropic, 422, R"({"detail":[{"msg":"field required"}]})",
       R"({"type":"error","error":{"type":"invalid_request_error","message":"field required"},"request_id":"r"})"},
      {Dialect::anthropic, 200, R"({"error":{"type":"rate_limit_error","message":"s"}})",
       R"({"type":"error","error":{"type":"rate_limit_error","message":"s"},"request_id":"r"})"},
      {Dialect::anthropic, 200, R"({"error":{"type":"server_error","message":"s"}})",
       R"({"type":"error","error":{"type":"api_error","message":"s","code":"server_error"},"request_id":"r"})"},
  };
  for (const auto& [to, status, body, expected] : kCases) {
    EXPECT_EQ(translate_error(to, status, body, "r"), expected) << status << body;
  }
}

TEST(TranslateError, OpenAisClientsFindTheCodesTheyLookFor) {
  constexpr std::string_view kBody = R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})";
  const auto code = [](Category category, int status, std::string_view body) {
    const std::string said = translate_error(Dialect::openai, status, body, {}, category);
    const std::size_t at = said.find("\"type\"");
    return said.substr(at, said.size() - at);
  };
  EXPECT_EQ(code(Category::context_length_exceeded, 400, kBody),
            R"("type":"invalid_request_error","param":null,"code":"context_length_exceeded"}})");
  EXPECT_EQ(code(Category::content_policy, 400, kBody),
            R"("type":"invalid_request_error","param":null,"code":"content_filter"}})");
  EXPECT_EQ(code(Category::model_not_found, 404, kBody),
            R"("type":"invalid_request_error","param":null,"code":"model_not_found"}})");
  constexpr std::string_view kLimit = R"({"type":"error","error":{"type":"rate_limit_error","message":"m"}})";
  EXPECT_EQ(code(Category::rate_limit, 429, kLimit),
            R"("type":"requests","param":null,"code":"rate_limit_exceeded"}})");
  EXPECT_EQ(code(Category::quota_exhausted, 429, kLimit),
            R"("type":"insufficient_quota","param":null,"code":"insufficient_quota"}})");
  EXPECT_EQ(code(Category::invalid_request, 400, kBody),
            R"("type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_EQ(code(Category::context_length_exceeded, 400, R"({"error":{"message":"m","code":"own"}})"),
            R"("type":"invalid_request_error","param":null,"code":"own"}})");
}

TEST(TranslateError, EachStatusHasAnthropicsType) {
  const struct {
    int status;
    std::string_view type;
  } kCases[] = {{400, "invalid_request_error"},
                {401, "authentication_error"},
                {402, "billing_error"},
                {403, "permission_error"},
                {404, "not_found_error"},
                {413, "request_too_large"},
                {429, "rate_limit_error"},
                {500, "api_error"},
                {502, "api_error"},
                {503, "overloaded_error"},
                {504, "timeout_error"},
                {529, "overloaded_error"}};
  for (const auto& [status, type] : kCases) {
    EXPECT_TRUE(translate_error(Dialect::anthropic, status, "").contains("\"type\":\"" + std::string(type) + "\""))
        << status;
  }
}

TEST(ModelList, HasAnthropicsShape) {
  const ModelEntry models[] = {{.id = "smart", .created = 1700000000}, {.id = "a/\"b\""}};
  EXPECT_EQ(models_body(Dialect::anthropic, models),
            R"({"data":[{"type":"model","id":"smart","display_name":"smart","created_at":"2023-11-14T22:13:20Z"},)"
            R"({"type":"model","id":"a/\"b\"","display_name":"a/\"b\"","created_at":"1970-01-01T00:00:00Z"}],)"
            R"("has_more":false,"first_id":"smart","last_id":"a/\"b\""})");
  EXPECT_EQ(models_body(Dialect::anthropic, {}), R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
  EXPECT_EQ(model_body(Dialect::anthropic, models[0]),
            R"({"type":"model","id":"smart","display_name":"smart","created_at":"2023-11-14T22:13:20Z"})");
}

TEST(ModelList, HasOpenAisShape) {
  const ModelEntry models[] = {{.id = "smart", .created = 1700000000, .owned_by = "fuseboard"}, {.id = "a/\"b\""}};
  EXPECT_EQ(models_body(Dialect::openai, models),
            R"({"object":"list","data":[{"id":"smart","object":"model","created":1700000000,"owned_by":"fuseboard"},)"
            R"({"id":"a/\"b\"","object":"model","created":0,"owned_by":""}]})");
  EXPECT_EQ(models_body(Dialect::openai, {}), R"({"object":"list","data":[]})");
  EXPECT_EQ(model_body(Dialect::openai, models[0]),
            R"({"id":"smart","object":"model","created":1700000000,"owned_by":"fuseboard"})");
}

}  // namespace
}  // namespace fuseboard::llm
