// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/target_requests.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuseboard::gateway {
namespace {

using llm::Dialect;
using llm::Endpoint;

// The providers of all tests, and the targets that a route may have of them.
constexpr std::size_t kChat = 0;
constexpr std::size_t kMessages = 1;
constexpr std::size_t kNewChat = 2;

Upstream target(std::size_t number, std::string model) {
  Provider provider;
  if (number == kMessages) provider.dialect = Dialect::anthropic;
  if (number == kNewChat) provider.cap_field = config::CapField::max_completion_tokens;
  return {.provider = std::make_shared<const Provider>(std::move(provider)), .model = std::move(model)};
}

ModelCall call(Endpoint endpoint, Dialect dialect, std::string_view path, std::string body) {
  auto facts = llm::parse_request(endpoint, body);
  EXPECT_TRUE(facts) << facts.error().message;
  return {.endpoint = endpoint,
          .dialect = dialect,
          .path = path,
          .route = nullptr,
          .facts = facts.value_or(llm::RequestFacts{}),
          .body = std::move(body),
          .request_id = {},
          .options = {}};
}

// Of OpenAI's dialect, with further members.
ModelCall chat_call(std::string_view members = "") {
  return call(Endpoint::chat_completions, Dialect::openai, "/v1/chat/completions",
              R"({ "model": "asked", "messages": [{"role":"user","content":"hi"}])" + std::string(members) + "}");
}

ModelCall messages_call(std::string_view members = "") {
  return call(Endpoint::messages, Dialect::anthropic, "/v1/messages",
              R"({ "model": "asked", "max_tokens": 9, "messages": [{"role":"user","content":"hi"}])" +
                  std::string(members) + "}");
}

// A call of a route with these targets, in its forms.
class Forms {
 public:
  Forms(ModelCall call, std::vector<Upstream> targets,
        config::UnsupportedFields unsupported = config::UnsupportedFields::reject)
      : call_(std::move(call)) {
    auto route = std::make_shared<Route>();
    route->name = "asked";
    route->upstreams = std::move(targets);
    route->unsupported_fields = unsupported;
    call_.route = std::move(route);
  }

  TargetRequests* operator->() { return &forms_; }
  // Of the only target, which must be able to take the call.
  std::string body() {
    EXPECT_TRUE(forms_.can_take(0));
    return forms_.body(0, forms_.asks_usage(0)).text();
  }

 private:
  ModelCall call_;
  TargetRequests forms_{call_};
};

TEST(TargetRequests, TargetsOfBothDialectsTakeAConversation) {
  for (const bool from_chat : {true, false}) {
    Forms forms(from_chat ? chat_call() : messages_call(), {target(kChat, "a"), target(kMessages, "b")});
    EXPECT_TRUE(forms->can_take(0));
    EXPECT_TRUE(forms->can_take(1));
    EXPECT_EQ(forms->translated(0), !from_chat);
    EXPECT_EQ(forms->translated(1), from_chat);
    EXPECT_TRUE(forms->untranslatable().empty());
  }
}

TEST(TargetRequests, ATargetIsAskedWhereItsDialectHasConversations) {
  for (const ModelCall& call : {chat_call(), messages_call()}) {
    Forms forms(call, {target(kChat, "a"), target(kMessages, "b")});
    EXPECT_EQ(forms->dialect(0), Dialect::openai);
    EXPECT_EQ(forms->endpoint(0), Endpoint::chat_completions);
    EXPECT_EQ(forms->path(0), "/chat/completions") << "the version stands in the provider's URL";
    EXPECT_EQ(forms->dialect(1), Dialect::anthropic);
    EXPECT_EQ(forms->endpoint(1), Endpoint::messages);
    EXPECT_EQ(forms->path(1), "/v1/messages");
  }
}

TEST(TargetRequests, WhatIsNoConversationIsOnlyForItsOwnDialect) {
  struct Case {
    Endpoint endpoint;
    Dialect dialect;
    std::string path, body, sent_path, sent_body;
  };
  const Case kCases[] = {{Endpoint::responses, Dialect::openai, "/v1/responses", R"({"model":"asked","input":"hi"})",
                          "/responses", R"({"model":"a","input":"hi"})"},
                         {Endpoint::embeddings, Dialect::openai, "/v1/embeddings", R"({"input":"hi","model":"asked"})",
                          "/embeddings", R"({"input":"hi","model":"a"})"},
                         {Endpoint::other, Dialect::openai, "/v1/audio/speech", R"({"model":"asked","x":[1]})",
                          "/audio/speech", R"({"model":"a","x":[1]})"},
                         {Endpoint::count_tokens, Dialect::anthropic, "/v1/messages/count_tokens",
                          R"({"model":"asked","messages":[{"role":"user","content":"hi"}]})",
                          "/v1/messages/count_tokens", R"({"model":"a","messages":[{"role":"user","content":"hi"}]})"}};
  for (const Case& one : kCases) {
    const bool is_chat = one.dialect == Dialect::openai;
    Forms forms(call(one.endpoint, one.dialect, one.path, one.body),
                {target(is_chat ? kChat : kMessages, "a"), target(is_chat ? kMessages : kChat, "b")},
                config::UnsupportedFields::drop);
    EXPECT_TRUE(forms->can_take(0));
    EXPECT_EQ(forms->endpoint(0), one.endpoint);
    EXPECT_EQ(forms->path(0), one.sent_path);
    EXPECT_EQ(forms->body(0, false), one.sent_body);
    EXPECT_FALSE(forms->can_take(1)) << one.path;
    ASSERT_EQ(forms->untranslatable().size(), 1U);
    EXPECT_EQ(forms->untranslatable()[0].error,
              (llm::RequestError{.message = "it does not speak the dialect of " + one.path,
                                 .param = "model",
                                 .code = "unsupported_endpoint"}));
  }
}

TEST(TargetRequests, AFieldThatADialectLacksRulesItsTargetsOut) {
  Forms forms(chat_call(R"(,"logit_bias":{"1":2})"), {target(kChat, "a"), target(kMessages, "b")});
  EXPECT_TRUE(forms->can_take(0));
  EXPECT_FALSE(forms->can_take(1));
  EXPECT_FALSE(forms->can_take(1)) << "nor when it is asked again";
  ASSERT_EQ(forms->untranslatable().size(), 1U);
  EXPECT_EQ(forms->untranslatable()[0].target, 1U);
  EXPECT_EQ(forms->untranslatable()[0].error.param, "logit_bias");
  EXPECT_EQ(forms->untranslatable()[0].error.code, "unsupported_parameter");
}

TEST(TargetRequests, SuchAFieldIsLeftOutWhereTheModelSaysSo) {
  Forms forms(chat_call(R"(,"logit_bias":{"1":2},"top_p":0.5)"), {target(kMessages, "b")},
              config::UnsupportedFields::drop);
  EXPECT_EQ(forms.body(), R"({"model":"b","max_tokens":4096,"messages":[{"role":"user","content":"hi"}],"top_p":0.5})");
  EXPECT_TRUE(forms->untranslatable().empty());
}

TEST(TargetRequests, TheProblemNamesTheFirstFieldThatCannotBeSaid) {
  Forms chat(chat_call(R"(,"top_p":1,"logprobs":true,"logit_bias":{"1":2})"), {target(kMessages, "a")});
  EXPECT_FALSE(chat->can_take(0));
  ASSERT_EQ(chat->untranslatable().size(), 1U);
  EXPECT_EQ(chat->untranslatable()[0].error.param, "logprobs");
  Forms messages(messages_call(R"(,"top_k":5,"mcp_servers":[{"type":"url"}])"),
                 {target(kMessages, "a"), target(kNewChat, "b"), target(kChat, "c")});
  EXPECT_TRUE(messages->can_take(0));
  EXPECT_TRUE(messages->untranslatable().empty()) << "this one could take it";
  EXPECT_FALSE(messages->can_take(1));
  EXPECT_FALSE(messages->can_take(2));
  ASSERT_EQ(messages->untranslatable().size(), 2U);
  EXPECT_EQ(messages->untranslatable()[0].target, 1U);
  EXPECT_EQ(messages->untranslatable()[0].error.param, "top_k");
  EXPECT_EQ(messages->untranslatable()[1].target, 2U);
}

TEST(TargetRequests, InTheSameDialectOnlyTheModelChanges) {
  constexpr std::string_view kRest =
      R"(, "reasoning_effort" : "high","max_tokens":7,"logit_bias":{"1":2} , "unheard_of":1e999)";
  Forms chat(chat_call(kRest), {target(kNewChat, "org/\"m\"")});
  EXPECT_EQ(chat.body(),
            R"({ "model": "org/\"m\"", "messages": [{"role":"user","content":"hi"}])" + std::string(kRest) + "}");
  Forms messages(messages_call(R"(, "thinking":{"type":"enabled","budget_tokens":1024},"unheard_of":null)"),
                 {target(kMessages, "m")});
  EXPECT_EQ(
      messages.body(),
      R"({ "model": "m", "max_tokens": 9, "messages": [{"role":"user","content":"hi"}], "thinking":{"type":"enabled","budget_tokens":1024},"unheard_of":null})");
}

TEST(TargetRequests, ThoughtsThatNobodySignedDoNotGoToAMessagesTarget) {  // FBK-8.1
  const auto history = [](std::string_view model, std::string_view thoughts) {
    return R"({ "model": ")" + std::string(model) +
           R"(", "max_tokens": 9, "messages": [{"role":"user","content":"hi"},)" +
           R"({"role":"assistant","content":[)" + std::string(thoughts) + R"({"type":"text","text":"a"}]},)" +
           R"({"role":"user","content":"go on"}]})";
  };
  const std::string body = history("asked", R"({"type":"thinking","thinking":"t","signature":""},)");
  Forms messages(call(Endpoint::messages, Dialect::anthropic, "/v1/messages", body), {target(kMessages, "m")});
  const std::string expected = history("m", "");
  EXPECT_EQ(messages.body(), expected);
  Forms counted(call(Endpoint::count_tokens, Dialect::anthropic, "/v1/messages/count_tokens", body),
                {target(kMessages, "m")});
  EXPECT_EQ(counted.body(), expected);
}

TEST(TargetRequests, EachTranslationIsForItsOwnTarget) {
  Upstream small = target(kMessages, "small");
  small.request.max_tokens = 100;
  Upstream large = target(kMessages, "large");
  large.request.max_tokens = 200;
  const std::vector<std::string> bodies = {
      R"({"model":"small","max_tokens":100,"messages":[{"role":"user","content":"hi"}]})",
      R"({"model":"large","max_tokens":200,"messages":[{"role":"user","content":"hi"}]})",
      R"({ "model": "own", "messages": [{"role":"user","content":"hi"}]})"};
  // Asked all at once, one by one, and again for a retry: what is remembered is the latest translation only.
  for (const auto& order :
       std::vector<std::vector<std::uint32_t>>{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {0, 0, 1, 1, 0}, {1, 1, 2, 0, 1}}) {
    Forms at_once(chat_call(), {small, large, target(kChat, "own")});
    for (const std::uint32_t one : {0U, 1U, 2U}) ASSERT_TRUE(at_once->can_take(one));
    Forms in_turn(chat_call(), {small, large, target(kChat, "own")});
    for (const std::uint32_t one : order) {
      EXPECT_EQ(at_once->body(one, false), bodies[one]);
      ASSERT_TRUE(in_turn->can_take(one));
      EXPECT_EQ(in_turn->body(one, false), bodies[one]);
    }
  }
}

TEST(TargetRequests, ABegunAnswerGoesInTheTargetsWords) {  // STR-5.12
  Forms forms(chat_call(), {target(kChat, "a"), target(kMessages, "b")});
  ASSERT_TRUE(forms->can_take(0));
  ASSERT_TRUE(forms->can_take(1));
  EXPECT_EQ(
      forms->body_with_prefill(0, false, "so \"far\" ", 0),
      R"({ "model": "a", "messages": [{"role":"user","content":"hi"},{"role":"assistant","content":"so \"far\" "}]})");
  const std::string messages =
      R"({"model":"b","max_tokens":4096,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"so \"far\""}]})";
  EXPECT_EQ(forms->body_with_prefill(1, false, "so \"far\" ", 0), messages)
      << "without the space, which Anthropic refuses";
  EXPECT_EQ(forms->body_with_prefill(1, false, "so \"far\" ", 0), messages) << "and again";
}

TEST(TargetRequests, ABegunAnswerDoesNotGoOnWithAToolCall) {  // STR-5.15
  Forms forms(call(Endpoint::messages, Dialect::anthropic, "/v1/messages",
                   R"({"model":"asked","max_tokens":9,"messages":[{"role":"user","content":"hi"},)"
                   R"({"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}]})"),
              {target(kMessages, "a")});
  ASSERT_TRUE(forms->can_take(0));
  const auto body = forms->body_with_prefill(0, false, "so far", 0);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().param, "messages");
}

TEST(TargetRequests, ACapIsWrittenInTheFieldThatTheProviderKnows) {
  Forms compatible(messages_call(), {target(kChat, "m")});
  EXPECT_EQ(compatible.body(), R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9})");
  Forms openai(messages_call(), {target(kNewChat, "m")});
  EXPECT_EQ(openai.body(), R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":9})");
}

TEST(TargetRequests, AnEffortIsSaidAsTheMessagesTargetKnowsIt) {
  const std::pair<config::Reasoning, std::string> kCases[] = {
      {config::Reasoning::budget,
       R"("max_tokens":5120,"messages":[{"role":"user","content":"hi"}],"thinking":{"type":"enabled","budget_tokens":1024}})"},
      {config::Reasoning::effort,
       R"("max_tokens":4096,"messages":[{"role":"user","content":"hi"}],"output_config":{"effort":"low"},"thinking":{"type":"adaptive"}})"},
      {config::Reasoning::leave_out, R"("max_tokens":4096,"messages":[{"role":"user","content":"hi"}]})"}};
  for (const auto& [reasoning, rest] : kCases) {
    Upstream to = target(kMessages, "m");
    to.request.reasoning = reasoning;
    Forms forms(chat_call(R"(,"reasoning_effort":"low")"), {to});
    EXPECT_EQ(forms.body(), R"({"model":"m",)" + rest);
  }
}

TEST(TargetRequests, AChatTargetIsToldAnEffortUnlessItIsToBeLeftOut) {
  const std::string plain = R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9)";
  const std::pair<config::Reasoning, std::string> kCases[] = {
      {config::Reasoning::budget, R"(,"reasoning_effort":"high"})"},
      {config::Reasoning::effort, R"(,"reasoning_effort":"high"})"},
      {config::Reasoning::leave_out, "}"}};
  for (const auto& [reasoning, rest] : kCases) {
    Upstream to = target(kChat, "m");
    to.request.reasoning = reasoning;
    Forms forms(messages_call(R"(,"output_config":{"effort":"high"})"), {to});
    EXPECT_EQ(forms.body(), plain + rest);
  }
}

TEST(TargetRequests, WhatIsTooLargeForTheLoopIsTranslatedByTheAttempt) {
  const std::string content(kMaxTranslatedOnLoop, 'x');
  const std::string members = R"("max_tokens":9,"messages":[{"role":"user","content":")" + content + R"("}])";
  Forms good(call(Endpoint::messages, Dialect::anthropic, "/v1/messages", R"({"model":"a",)" + members + "}"),
             {target(kChat, "m")});
  EXPECT_TRUE(good->is_large(0));
  EXPECT_TRUE(good->make_body(0, false)->text().contains(content));
  Forms untranslatable(
      call(Endpoint::messages, Dialect::anthropic, "/v1/messages", R"({"model":"a","top_k":5,)" + members + "}"),
      {target(kChat, "m")});
  EXPECT_TRUE(untranslatable->can_take(0)) << "the attempt will see";
  EXPECT_TRUE(untranslatable->untranslatable().empty());
  const auto body = untranslatable->make_body(0, false);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().param, "top_k");
}

Upstream counted(std::size_t provider) {
  Upstream upstream = target(provider, "m");
  upstream.counts_tokens = true;
  return upstream;
}

TEST(TargetRequests, AskForUsageWhereSomebodyCountsAndTheCallerDoesNot) {  // BUD-10.6
  Forms forms(chat_call(R"(, "stream":true)"), {counted(kChat)});
  EXPECT_TRUE(forms->asks_usage(0));
  EXPECT_EQ(forms.body(),
            R"({ "model": "m","stream_options":{"include_usage":true}, "messages": [{"role":"user","content":"hi"}], )"
            R"("stream":true})");
  Forms with_options(
      chat_call(R"(, "stream":true, "stream_options": {"include_usage":false , "include_obfuscation": false})"),
      {counted(kChat)});
  EXPECT_EQ(with_options.body(), R"({ "model": "m", "messages": [{"role":"user","content":"hi"}], "stream":true, )"
                                 R"("stream_options": {"include_usage":true,"include_obfuscation":false}})");
  Forms options_first(call(Endpoint::chat_completions, Dialect::openai, "/v1/chat/completions",
                           R"({"stream_options":null,"messages":[],"stream":true,"model":"asked"})"),
                      {counted(kChat)});
  EXPECT_EQ(options_first.body(),
            R"({"stream_options":{"include_usage":true},"messages":[],"stream":true,"model":"m"})");
  Forms written_oddly(
      chat_call(R"(, "stream":true, "stream\u005foptions":{"include\u005fusage":false,"include_usage":null})"),
      {counted(kChat)});
  EXPECT_EQ(written_oddly.body(), R"({ "model": "m", "messages": [{"role":"user","content":"hi"}], "stream":true, )"
                                  R"("stream\u005foptions":{"include_usage":true}})");
}

TEST(TargetRequests, AskingForUsageCopiesNothingOfALongConversation) {  // BUD-10.6
  const std::string long_text(100'000, 'x');
  Forms forms(chat_call(R"(, "stream":true, "metadata":")" + long_text + "\""), {counted(kChat)});
  EXPECT_LT(forms->body(0, true).own_bytes(), 100U);
}

TEST(TargetRequests, AskForUsageInNoOtherCase) {  // BUD-10.6
  for (const char* members : {"", R"(, "stream":false)", R"(, "stream":true,"stream_options":{"include_usage":true})",
                              R"(, "stream":true,"usage":{"include":true})"}) {  // OpenRouter's way to ask
    Forms forms(chat_call(members), {counted(kChat)});
    EXPECT_FALSE(forms->asks_usage(0)) << members;
    EXPECT_EQ(forms.body(),
              R"({ "model": "m", "messages": [{"role":"user","content":"hi"}])" + std::string(members) + "}");
  }
  EXPECT_FALSE(Forms(chat_call(R"(, "stream":true)"), {target(kChat, "m")})->asks_usage(0)) << "nobody counts";
  EXPECT_FALSE(Forms(messages_call(R"(, "stream":true)"), {counted(kMessages)})->asks_usage(0)) << "told unasked";
  Forms translated(messages_call(R"(, "stream":true)"), {target(kChat, "m")});
  EXPECT_TRUE(translated->asks_usage(0)) << "the caller's dialect always tells it";
}

TEST(TargetRequests, ATargetThatRefusedToBeAskedIsNotAskedAgain) {  // BUD-10.7
  for (const bool translated : {false, true}) {
    const ModelCall asked = translated ? messages_call(R"(, "stream":true)") : chat_call(R"(, "stream":true)");
    Upstream upstream = counted(kChat);
    Forms first(asked, {upstream});
    EXPECT_NE(first.body().find("stream_options"), std::string::npos);
    first->stop_asking(0);
    EXPECT_EQ(first.body().find("stream_options"), std::string::npos) << "in this call";
    EXPECT_NE(Forms(asked, {upstream}).body().find("stream_options"), std::string::npos);
    upstream.usage_asking->note(UsageAsking::Known::refused);
    EXPECT_EQ(Forms(asked, {upstream}).body().find("stream_options"), std::string::npos);
  }
}

}  // namespace
}  // namespace fuseboard::gateway
