// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/errors.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "llm/json_scan.h"

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
      openai_error_body(GatewayError::model_not_found, "no 'x'", "model"),
      R"({"error":{"message":"no 'x'","type":"invalid_request_error","param":"model","code":"model_not_found"}})");
  EXPECT_EQ(openai_error_body(RequestError{.message = "m", .param = "model", .code = {}}),
            R"({"error":{"message":"m","type":"invalid_request_error","param":"model","code":null}})");
}

TEST(GatewayErrors, AnyBytesInAMessageAreSafe) {
  const std::string body = openai_error_body("a\"b\\\n\x01\xFF\xC3", "t\"", "p\n", "c\x80");
  EXPECT_FALSE(validate_json(body)) << body;
}

TEST(GatewayErrors, InAStreamTheErrorIsOneEvent) {
  EXPECT_EQ(openai_error_event(GatewayError::retries_exhausted, "cut\n\ndata: x"),
            "data: {\"error\":{\"message\":\"cut\\n\\ndata: x\",\"type\":\"server_error\",\"param\":null,"
            "\"code\":\"retries_exhausted\"}}\n\n");
}

TEST(ModelList, HasOpenAisShape) {
  const ModelEntry models[] = {{.id = "smart", .created = 1700000000, .owned_by = "fuseboard"}, {.id = "a/\"b\""}};
  EXPECT_EQ(openai_models_body(models),
            R"({"object":"list","data":[{"id":"smart","object":"model","created":1700000000,"owned_by":"fuseboard"},)"
            R"({"id":"a/\"b\"","object":"model","created":0,"owned_by":""}]})");
  EXPECT_EQ(openai_models_body({}), R"({"object":"list","data":[]})");
  EXPECT_EQ(openai_model_body(models[0]),
            R"({"id":"smart","object":"model","created":1700000000,"owned_by":"fuseboard"})");
}

}  // namespace
}  // namespace fuseboard::llm
