// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a judgement must not do: allocate, or take long over any input. Nothing is timed here.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fuseboard/classify/classifier.h"
#include "tests/support/count_allocations.h"

namespace fuseboard {
namespace {

std::uint64_t allocations_of(const CallEvidence& evidence, Category expected) {
  const std::uint64_t before = allocations;
  const Classification judged = classify(evidence);
  const std::uint64_t made = allocations - before;
  EXPECT_TRUE(judged.failure && judged.failure->category == expected) << evidence.body.substr(0, 80);
  return made;
}

TEST(ClassifyCost, AStatusOrATypedCodeDecidesWithoutAnAllocation) {
  EXPECT_EQ(allocations_of({.status = 503}, Category::service_unavailable), 0U);
  EXPECT_EQ(allocations_of({.channel = Channel::transport, .typed_code = "curl:28"}, Category::timeout), 0U);
  EXPECT_EQ(allocations_of({.channel = Channel::process, .exit_code = 127}, Category::tool_not_found), 0U);
}

TEST(ClassifyCost, NorDoesABodyAllocate) {
  const std::string body =
      R"({"error":{"message":"say \"please\" and try again in 20s","code":"rate_limit_exceeded"}})";
  EXPECT_EQ(allocations_of({.status = 429, .body = body}, Category::rate_limit), 0U);
  const std::string page = "<html>" + std::string(100'000, 'x') + "</html>";
  EXPECT_EQ(allocations_of({.status = 502, .body = page}, Category::service_unavailable), 0U);
}

// Each of these would be slow, deep or large for a reader that is not bounded.
std::vector<std::string> hostile_bodies() {
  constexpr std::size_t kLarge = 10U << 20U;
  const std::string closed = std::string(10'000, '}');
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += R"({"error":)";
  std::string arrays(10'000, '[');
  std::string strings = R"({"error":{"message":"{\"error\":{\"message\":\"{\\\"error\\\":{\\\"message\\\":\\\"{)";
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) many += R"("code":"x","message":"rate limit",)";
  std::string words;
  while (words.size() < kLarge) words += "model model model does not rate limit ";
  return {nested,
          nested + "1" + closed,
          arrays,
          strings,
          many,
          words,
          R"({"error":{"message":")" + words + R"("}})",
          std::string(kLarge, '\xff'),
          std::string(kLarge, '{'),
          std::string(kLarge, '"'),
          std::string(kLarge, '\\'),
          std::string(kLarge, '\n'),
          "data: " + std::string(kLarge, '['),
          std::string("\xed\xa0\x80\xc0\xaf{\"error\":\"\xff\xfe\"}")};
}

TEST(ClassifyCost, AnyBodyIsJudgedOnEveryChannelWithoutAnAllocation) {
  for (const std::string& body : hostile_bodies()) {
    for (const Channel channel :
         {Channel::http, Channel::sse, Channel::transport, Channel::mcp, Channel::process, Channel::message}) {
      for (const int status : {0, 200, 500}) {
        const std::uint64_t before = allocations;
        const Classification judged = classify({.channel = channel, .status = status, .body = body, .message = body});
        EXPECT_EQ(allocations, before);
        EXPECT_FALSE(judged.rule.kind.empty());
        const bool is_error = channel == Channel::http && status == 500;
        EXPECT_TRUE(!is_error || judged.failure.has_value());
      }
    }
  }
}

}  // namespace
}  // namespace fuseboard
