// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/anthropic/unsigned_thinking.h"

#include <gtest/gtest.h>

namespace fuseboard::llm {
namespace {

std::string request(std::string_view messages, std::string_view rest = "") {
  return R"({"model": "m", "max_tokens":9,"messages": )" + std::string(messages) + std::string(rest) + "}";
}
std::string assistant(std::string_view content) {
  return R"({"role":"assistant", "content":[)" + std::string(content) + "]}";
}

constexpr std::string_view kHi = R"({"role":"user","content":"hi"})";
constexpr std::string_view kSigned = R"({"type":"thinking","thinking":"t","signature":"s"})";
constexpr std::string_view kUnsigned = R"({"type":"thinking","thinking":"t","signature":""})";
constexpr std::string_view kText = R"({"type":"text","text":"a"})";

std::string turns(std::initializer_list<std::string_view> messages) {
  std::string list = "[";
  for (const std::string_view message : messages) list.append(list.size() > 1 ? "," : "").append(message);
  return list + "]";
}
std::string blocks(std::initializer_list<std::string_view> parts) {
  std::string list;
  for (const std::string_view part : parts) list.append(list.empty() ? "" : ",").append(part);
  return assistant(list);
}

TEST(UnsignedThinking, IsLeftOut) {  // FBK-8.1
  for (const std::string_view block : {kUnsigned, std::string_view(R"({"type":"thinking","thinking":"t"})"),
                                       std::string_view(R"({"signature": null, "thinking":"t","type": "thinking"})")}) {
    EXPECT_EQ(without_unsigned_thinking(request(turns({kHi, blocks({block, kSigned, kText}), kHi}))),
              request(turns({kHi, blocks({kSigned, kText}), kHi})))
        << block;
  }
}

TEST(UnsignedThinking, AMessageOfNothingElseGoesWithIt) {  // FBK-8.1
  EXPECT_EQ(without_unsigned_thinking(request(turns({kHi, blocks({kUnsigned, kUnsigned}), kHi}), R"(,"stream":true)")),
            request(turns({kHi, kHi}), R"(,"stream":true)"));
  EXPECT_EQ(without_unsigned_thinking(request(turns({blocks({kUnsigned})}))), std::nullopt) << "nothing would be left";
}

TEST(UnsignedThinking, WhatHasNoneIsLeftAlone) {  // FBK-8.1
  for (const std::string& body :
       {request(turns({kHi})), request(turns({kHi, blocks({kSigned, kText})})),
        request(turns({kHi, blocks({R"({"type":"redacted_thinking","data":"d"})"})})),
        request(turns({R"({"role":"user","content":"\"type\":\"thinking\""})"})), request("[]"), request("7"),
        request(turns({blocks({R"({"type":"tool_use","id":"t","name":"f","input":{"type":"thinking"}})"})})),
        std::string(R"({"model":"m","thinking":{"type":"enabled","budget_tokens":1024}})")}) {
    EXPECT_EQ(without_unsigned_thinking(body), std::nullopt) << body;
  }
}

// With "enabled", a turn that waits for its tools must begin with signed thoughts.
TEST(UnsignedThinking, ATurnThatLostItsThoughtsGoesOnWithoutThinking) {  // FBK-8.2
  constexpr std::string_view kCall = R"({"type":"tool_use","id":"t","name":"f","input":{}})";
  constexpr std::string_view kResult = R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]})";
  constexpr std::string_view kEnabled = R"(,"thinking": {"type":"enabled","budget_tokens":1024})";
  constexpr std::string_view kDisabled = R"(,"thinking": {"type":"disabled"})";
  const std::string before = turns({kHi, blocks({kUnsigned, kCall}), kResult});
  const std::string after = turns({kHi, blocks({kCall}), kResult});
  EXPECT_EQ(without_unsigned_thinking(request(before, kEnabled)), request(after, kDisabled));
  const auto first = [](std::string_view thinking, std::string_view messages) {
    return "{" + std::string(thinking.substr(1)) + R"(,"messages":)" + std::string(messages) + "}";
  };
  EXPECT_EQ(without_unsigned_thinking(first(kEnabled, before)), first(kDisabled, after)) << "in any order";
  constexpr std::string_view kAdaptive = R"(,"thinking":{"type":"adaptive"})";
  EXPECT_EQ(without_unsigned_thinking(request(before, kAdaptive)), request(after, kAdaptive));
  const std::string later = turns({kHi, blocks({kUnsigned, kCall}), kResult, blocks({kText}), kHi});
  EXPECT_EQ(without_unsigned_thinking(request(later, kEnabled)),
            request(turns({kHi, blocks({kCall}), kResult, blocks({kText}), kHi}), kEnabled))
      << "a turn that is over";
}

}  // namespace
}  // namespace fuseboard::llm
