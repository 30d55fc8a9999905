// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Usage that is told wrongly, and what else a budget must not fall for.

#include "sim/usage_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/sim/answering.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kChat = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
constexpr std::string_view kStream = R"({"model":"m","stream":true,"stream_options":{"include_usage":true},
                                         "messages":[{"role":"user","content":"x"}]})";
constexpr std::string_view kMessage = R"({"model":"m","max_tokens":100,"messages":[{"role":"user","content":"x"}]})";
constexpr std::string_view kMessageStream =
    R"({"model":"m","stream":true,"max_tokens":100,"messages":[{"role":"user","content":"x"}]})";

struct Asked {
  Dialect dialect;
  std::string_view body;
  std::string_view output;  // its count's name
};
constexpr std::array kAsked = {
    Asked{Dialect::openai, kChat, "completion_tokens"}, Asked{Dialect::openai, kStream, "completion_tokens"},
    Asked{Dialect::anthropic, kMessage, "output_tokens"}, Asked{Dialect::anthropic, kMessageStream, "output_tokens"}};

TEST(UsageForm, TheCountsAreToldAsTheNameSays) {
  for (const Asked& asked : kAsked) {
    const auto said = [&](std::string_view model) { return reply(asked.dialect, asked.body, model).body(); };
    const std::string count = "\"" + std::string(asked.output) + "\":";
    EXPECT_THAT(said("sim-long:57"), HasSubstr(count + "57"));
    EXPECT_THAT(said("sim-long:57+sim-usage-text"), HasSubstr(count + "\"57\""));
    EXPECT_THAT(said("sim-long:57+sim-usage-negative"), HasSubstr(count + "-57"));
    EXPECT_THAT(said("sim-long:57+sim-usage-exponent"), HasSubstr(count + "57e0"));
    EXPECT_THAT(said("sim-long:57+sim-usage-exponent"), Not(HasSubstr("exponent:")));
    EXPECT_THAT(said("sim-long:57+sim-usage-low"), HasSubstr(count + "1"));
    EXPECT_THAT(said("sim-long:57+sim-usage-low"), Not(HasSubstr(count + "57")));
    EXPECT_THAT(said("sim-long:57+sim-no-usage"), Not(HasSubstr("usage")));
  }
}

TEST(UsageForm, WhatIsSaidIsTheSame) {
  const auto text = [](std::string_view model) {
    return streamed_text(events_of(reply(Dialect::openai, kStream, model).body()));
  };
  const std::string plain = text("sim-long:57");
  for (const char* model : {"sim-long:57+sim-usage-text", "sim-long:57+sim-usage-exponent", "sim-long:57+sim-no-usage",
                            "sim-long:57+sim-fat-events:20"}) {
    EXPECT_EQ(text(model), plain) << model;
  }
}

TEST(FatEvents, HaveThatManyTokensEach) {
  const auto count = [](std::string_view model) {
    return events_of(reply(Dialect::openai, kStream, model).body()).size();
  };
  EXPECT_EQ(count("sim-long:57") - count("sim-long:57+sim-fat-events:20"), 57U - 3U);
}

TEST(MaxTokens, AreIgnoredOnRequest) {
  constexpr std::string_view kOne = R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]})";
  const auto tokens = [&](std::string_view model) {
    return json::parse(reply(Dialect::openai, kOne, model).body())["usage"]["completion_tokens"].get<int>();
  };
  EXPECT_EQ(tokens("sim-long:57"), 1);
  EXPECT_EQ(tokens("sim-long:57+sim-ignores-max-tokens"), 57);
}

TEST(StreamOptions, AreRefusedWithAReasonOrWithout) {
  const Reply named = reply(Dialect::openai, kStream, "sim-no-stream-options");
  EXPECT_EQ(named.status, 400);
  EXPECT_EQ(json::parse(named.body())["error"]["param"], "stream_options");
  const Reply blunt = reply(Dialect::openai, kStream, "sim-no-stream-options-blunt");
  EXPECT_EQ(blunt.status, 400);
  EXPECT_THAT(blunt.body(), Not(HasSubstr("stream_options")));
  for (const char* model : {"sim-no-stream-options", "sim-no-stream-options-blunt"})
    EXPECT_EQ(reply(Dialect::openai, kChat, model).status, 200);
}

}  // namespace
}  // namespace fuseboard::sim
