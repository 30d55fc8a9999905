// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request_key.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuseboard::llm {
namespace {

constexpr CacheTarget kTarget{.endpoint = "/v1/chat/completions", .provider = "openai", .model = "gpt-5"};

std::string key(std::string_view body, const CacheTarget& target = kTarget) {
  const auto request = canonical_request(body);
  return request ? to_text(cache_key(*request, target)) : "error: " + std::string(request.error().what);
}

constexpr std::string_view kBody =
    R"({"model":"fast","messages":[{"role":"user","content":"hi"}],"temperature":0,"seed":7,)"
    R"("tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","required":["x","y"]}}},)"
    R"({"type":"function","function":{"name":"b","parameters":{"type":"object"}}}]})";

std::string with(std::string_view from, std::string_view to) {
  std::string body(kBody);
  const std::size_t at = body.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return body.replace(at, from.size(), to);
}

TEST(CacheKey, IsTheSha256OfTheCanonicalRequestAndItsTarget) {  // CCH-1.1
  // printf '%s' '<canonical text>' | sha256sum
  // {"endpoint":"/v1/chat/completions","model":"gpt-5","provider":"openai",
  //  "request":{"messages":[],"temperature":0.5},"stream":true}, on one line
  EXPECT_EQ(key(R"({"model":"x", "temperature": 5e-1, "stream":true, "messages":[] })"),
            "fc5ca077dd88f973fa2422b96aea0733908ae18445c15a3a20b6372f2f392dad");
}

TEST(CacheKey, DiffersByTargetAndEndpoint) {  // CCH-1.1
  const std::set<std::string> keys = {
      key(kBody), key(kBody, {.endpoint = kTarget.endpoint, .provider = "openai", .model = "gpt-4"}),
      key(kBody, {.endpoint = kTarget.endpoint, .provider = "azure", .model = "gpt-5"}),
      key(kBody, {.endpoint = "/v1/messages", .provider = "openai", .model = "gpt-5"}),
      // Joined carelessly, these two would be one.
      key(kBody, {.endpoint = kTarget.endpoint, .provider = "a/b", .model = "c"}),
      key(kBody, {.endpoint = kTarget.endpoint, .provider = "a", .model = "b/c"})};
  EXPECT_EQ(keys.size(), 6U);
}

TEST(CacheKey, TheAliasDoesNotMatterTheTargetDoes) {  // CCH-1.1
  EXPECT_EQ(key(with(R"("model":"fast")", R"("model":"smart")")), key(kBody));
}

// The field's mistake: keys without the model or the tool schemas.
TEST(CacheKey, DiffersByWhateverMightChangeTheAnswer) {  // CCH-1.1, CCH-1.3
  std::set<std::string> keys = {key(kBody)};
  std::size_t count = 1;
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {R"("content":"hi")", R"("content":"hi ")"},
           {R"("role":"user")", R"("role":"system")"},
           {R"("temperature":0)", R"("temperature":0.1)"},
           {R"("temperature":0,)", ""},
           {R"("seed":7)", R"("seed":8)"},
           {R"("seed":7)", R"("seed":9007199254740992)"},
           {R"("seed":7)", R"("seed":9007199254740993)"},
           {R"("seed":7)", R"("seed":"7")"},
           {R"("seed":7)", R"("seed":7,"top_p":1)"},
           {R"("seed":7)", R"("seed":7,"max_tokens":10)"},
           {R"("seed":7)", R"("seed":7,"stop":["a","b"])"},
           {R"("seed":7)", R"("seed":7,"stop":["b","a"])"},
           {R"("seed":7)", R"("seed":7,"tool_choice":"none")"},
           {R"("seed":7)", R"("seed":7,"response_format":{"type":"json_object"})"},
           {R"("seed":7)", R"("seed":7,"an_option_of_tomorrow":null)"},
           {R"("seed":7)", R"("seed":7,"stream":true)"},
           {R"("name":"a")", R"("name":"c")"},
           {R"("name":"a")", R"("name":"a","description":"d")"},
           {R"(["x","y"])", R"(["x"])"},
           {R"(["x","y"])", R"(["y","x"])"},
           {R"("parameters":{"type":"object"})", R"("parameters":{"type":"string"})"},
       }) {
    EXPECT_TRUE(keys.insert(key(with(from, to))).second) << to;
    ++count;
  }
  EXPECT_EQ(keys.size(), count);
}

TEST(CacheKey, AMessagesOrderMattersAndAToolsDoesNot) {  // CCH-1.2
  const std::string_view message = R"({"role":"user","content":"1"})";
  const std::string_view other = R"({"role":"user","content":"2"})";
  const auto body = [](std::string_view list, std::string_view a, std::string_view b) {
    return "{\"" + std::string(list) + "\":[" + std::string(a) + "," + std::string(b) + "]}";
  };
  EXPECT_NE(key(body("messages", message, other)), key(body("messages", other, message)));
  EXPECT_EQ(key(body("tools", message, other)), key(body("tools", other, message)));
  EXPECT_EQ(key(body("functions", message, other)), key(body("functions", other, message)));
  EXPECT_NE(key(body("tools", message, other)), key(body("tools", message, message)));
}

TEST(CacheKey, NoStreamIsTheDefaultOfStream) {  // CCH-1.1
  EXPECT_EQ(key(with(R"("seed":7)", R"("seed":7,"stream":false)")), key(kBody));
  const std::string odd = key(with(R"("seed":7)", R"("seed":7,"stream":"yes")"));
  EXPECT_NE(odd, key(kBody));
  EXPECT_FALSE(odd.starts_with("error"));
}

TEST(CacheKey, ARequestWithoutACanonicalFormHasNone) {  // CCH-1.4 CORE-5
  EXPECT_EQ(key(R"({"seed":1,"seed":2})"), "error: two members of one name");
  EXPECT_EQ(key(R"({"seed":1,"\u0073eed":2})"), "error: two members of one name");
  EXPECT_EQ(key(R"({"messages":[{"a":1,"a":1}]})"), "error: two members of one name");
  EXPECT_EQ(key(R"({"tools":[{"a":1,"a":1}]})"), "error: two members of one name");
  EXPECT_EQ(key(R"({"\ud800":1})"), "error: half a surrogate pair");
  EXPECT_TRUE(key("[]").starts_with("error"));
  EXPECT_TRUE(key("{\"a\":1").starts_with("error"));
  EXPECT_EQ(key(std::string(kMaxCacheableBody + 1, ' ')), "error: too large to be cached");
}

// Members and tools in any order are one request; one changed value anywhere is another.
RC_GTEST_PROP(CacheKeyProperty, SpellingDoesNotMatterContentDoes, ()) {  // CCH-1.2
  std::vector<std::string> members = {R"("messages":[{"role":"user","content":"hi"}])", R"("temperature":0)",
                                      R"("seed":12)", R"("top_p":0.5)", R"("user":"u")"};
  std::vector<std::string> tools;
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) tools.push_back(R"({"name":"t)" + std::to_string(i) + R"(","schema":{"n":1,"m":2}})");
  const auto shuffle = [](std::vector<std::string>& list) {
    for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[*rc::gen::inRange<std::size_t>(0, i)]);
  };
  const auto body = [&] {
    shuffle(members);
    shuffle(tools);
    std::string list;
    for (const std::string& tool : tools) list += (list.empty() ? "" : ",") + tool;
    std::string text = "{\"tools\":[" + list + "]";
    for (const std::string& member : members) text += ", " + member;
    return text + "}";
  };
  const std::string before = key(body());
  RC_ASSERT(!before.starts_with("error"));
  RC_ASSERT(key(body()) == before);
  auto& list = *rc::gen::arbitrary<bool>() ? members : tools;
  std::string& changed = list[*rc::gen::inRange<std::size_t>(0, list.size())];
  // The last digit or letter of the element: a value in every one of them.
  const std::size_t at = changed.find_last_of("0123456789abcdefghijklmnopqrstuvwxyz");
  changed[at] = changed[at] == '3' ? '4' : (changed[at] >= 'a' ? 'z' : '3');
  RC_ASSERT(key(body()) != before);
}

}  // namespace
}  // namespace fuseboard::llm
