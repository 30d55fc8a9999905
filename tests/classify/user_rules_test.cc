// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/user_rules.h"

#include <gtest/gtest.h>

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kTeapot =
    R"({"error":{"code":"short_and_stout","message":"The pot is brewing, try again in 3s"}})";

Classification judge(const UserRule& rule, const CallEvidence& evidence) {
  return classify(evidence, UserRules({rule}));
}

TEST(UserRules, WinOverOursAndSayThatTheyDecided) {
  const CallEvidence evidence{.status = 418, .body = kTeapot};
  ASSERT_EQ(classify(evidence).failure->category, Category::invalid_request);
  const Classification judged = judge({.status = 418, .phrase = "brewing", .category = Category::overloaded}, evidence);
  EXPECT_EQ(judged.failure, Failure::of(Category::overloaded, 3s));
  EXPECT_EQ(judged.rule.kind, "user");
}

TEST(UserRules, AllConditionsOfARuleMustHold) {
  const HeaderField headers[] = {{"X-Kettle", "model=Copper; lid=on"}};
  const CallEvidence evidence{.status = 418, .headers = headers, .body = kTeapot};
  const auto holds = [&](UserRule rule) {
    rule.category = Category::overloaded;
    return judge(rule, evidence).failure->category == Category::overloaded;
  };
  EXPECT_TRUE(holds({.status = 418}));
  EXPECT_TRUE(holds({.body_code = "Short-And-Stout"}));
  EXPECT_TRUE(holds({.phrase = "pot is brewing"}));
  EXPECT_TRUE(holds({.header = "x-kettle"}));
  EXPECT_TRUE(holds({.header = "x-kettle", .header_value = "copper"}));
  EXPECT_TRUE(holds({.status = 418, .body_code = "short_and_stout", .phrase = "brewing", .header = "x-kettle"}));
  EXPECT_FALSE(holds({.status = 419, .phrase = "brewing"}));
  EXPECT_FALSE(holds({.status = 418, .phrase = "brew"})) << "words are whole";
  EXPECT_FALSE(holds({.status = 418, .body_code = "short"}));
  EXPECT_FALSE(holds({.header = "x-kettle", .header_value = "iron"}));
  EXPECT_FALSE(holds({.header = "x-pot"}));
}

TEST(UserRules, ADepartureAloneKeepsTheCategory) {
  const Classification judged = judge({.status = 503, .retryable = false, .trips_breaker = false}, {.status = 503});
  EXPECT_EQ(judged.failure->category, Category::service_unavailable);
  EXPECT_FALSE(judged.failure->retryable);
  EXPECT_FALSE(trips_breaker(*judged.failure));
  EXPECT_TRUE(judged.failure->fallback);
}

TEST(UserRules, TheFirstThatMatchesDecides) {
  const UserRules rules({{.name = "one", .status = 503, .category = Category::overloaded},
                         {.name = "two", .status = 503, .category = Category::timeout}});
  EXPECT_EQ(classify({.status = 503}, rules).rule.text, "one");
  EXPECT_EQ(classify({.status = 500}, rules).rule.kind, "status");
}

TEST(UserRules, SpeakOfErrorsInsideStreamsAndToolResults) {
  const UserRule rule{.phrase = "kettle is empty", .category = Category::resource_not_found};
  EXPECT_EQ(judge(rule, {.channel = Channel::sse,
                         .status = 200,
                         .body = "data: {\"id\":1}\n\ndata: {\"error\":{\"message\":\"the kettle is empty\"}}\n\n"})
                .failure->category,
            Category::resource_not_found);
  EXPECT_EQ(judge(rule, {.channel = Channel::mcp,
                         .body = R"({"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[)"
                                 R"({"type":"text","text":"the kettle is empty"}]}})"})
                .failure->category,
            Category::resource_not_found);
}

TEST(UserRules, NeverTurnASuccessIntoAFailure) {
  const CallEvidence evidence{.status = 200, .body = R"({"choices":[{"message":{"content":"brewing"}}]})"};
  EXPECT_FALSE(judge({.phrase = "brewing", .category = Category::overloaded}, evidence).failure);
}

TEST(UserRules, AStatusInsideASuccessCounts) {
  const CallEvidence evidence{.status = 200, .body = R"({"error":{"code":418,"message":"no"}})"};
  EXPECT_EQ(judge({.status = 418, .category = Category::overloaded}, evidence).failure->category, Category::overloaded);
}

TEST(UserRules, AreCheckedWhenTheyAreMade) {  // CORE-6
  const auto problems = [](const UserRule& rule) { return rule.validate().size(); };
  const auto overloaded = Category::overloaded;
  EXPECT_EQ(problems({.status = 418, .category = overloaded}), 0U);
  EXPECT_EQ(problems({.category = overloaded}), 1U) << "no condition";
  EXPECT_EQ(problems({.status = 418}), 1U) << "no conclusion";
  EXPECT_EQ(problems({}), 2U);
  EXPECT_EQ(problems({.status = 99, .category = overloaded}), 1U);
  EXPECT_EQ(problems({.status = 600, .category = overloaded}), 1U);
  EXPECT_EQ(problems({.body_code = "...", .category = overloaded}), 1U);
  EXPECT_EQ(problems({.phrase = "... brewing", .category = overloaded}), 1U) << "begins with no word";
  EXPECT_EQ(problems({.phrase = "a b c d e f g h i j k l m", .category = overloaded}), 1U) << "13 words";
  EXPECT_EQ(problems({.phrase = std::string(300, 'x'), .category = overloaded}), 1U);
  EXPECT_EQ(problems({.status = 418, .header_value = "x", .category = overloaded}), 1U);
  EXPECT_THROW(UserRules({UserRule{}}), InvalidOptions);
  EXPECT_THROW(UserRules(std::vector<UserRule>(257, {.status = 418, .category = overloaded})), InvalidOptions);
}

}  // namespace
}  // namespace fuseboard
