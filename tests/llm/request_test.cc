// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "llm/request_change.h"

namespace fuseboard::llm {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

constexpr std::string_view kPlain = R"({"model":"smart","messages":[{"role":"user","content":"hi"}]})";

RequestError refusal(std::string_view body) {
  auto request = parse_request(Endpoint::chat_completions, body);
  EXPECT_FALSE(request) << body;
  return request ? RequestError{} : request.error();
}

TEST(ChatRequest, TellsModelAndWhereItStands) {
  const auto request = parse_request(Endpoint::chat_completions, kPlain);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->model, "smart");
  EXPECT_EQ(kPlain.substr(request->model_begin, request->model_end - request->model_begin), R"("smart")");
  EXPECT_FALSE(request->stream);
  EXPECT_FALSE(request->include_usage);
}

TEST(ChatRequest, ReadsTheStreamFlags) {
  const auto parse = [](std::string_view members) {
    return parse_request(Endpoint::chat_completions, R"({"model":"m","messages":[],)" + std::string(members) + "}");
  };
  EXPECT_TRUE(parse(R"("stream":true)")->stream);
  EXPECT_FALSE(parse(R"("stream":false)")->stream);
  EXPECT_FALSE(parse(R"("stream":null)")->stream);
  EXPECT_TRUE(parse(R"("stream":true,"stream_options":{"include_usage":true})")->include_usage);
  EXPECT_TRUE(parse(R"("stream_options" : { "x":[1], "include_\u0075sage" : true })")->include_usage);
  EXPECT_FALSE(parse(R"("stream_options":{"include_usage":false})")->include_usage);
  EXPECT_FALSE(parse(R"("stream_options":{})")->include_usage);
  EXPECT_FALSE(parse(R"("stream_options":null)")->include_usage);
}

TEST(ChatRequest, ReadsHowManyChoicesAreAskedForAndLeavesTheRestToTheUpstream) {
  const auto parse = [](std::string_view member) {
    return parse_request(Endpoint::chat_completions, R"({"model":"m","messages":[],)" + std::string(member) + "}");
  };
  EXPECT_EQ(parse_request(Endpoint::chat_completions, kPlain)->choices, 1U);
  EXPECT_EQ(parse(R"("n":3)")->choices, 3U);
  EXPECT_EQ(parse(R"("n":128.0)")->choices, 128U);  // BUD-10.5
  EXPECT_EQ(parse(R"("n":1.28e2)")->choices, 128U);
  EXPECT_EQ(parse(R"("n":99999999999999999999)")->choices, UINT64_MAX);
  for (const char* odd : {R"("n":null)", R"("n":0)", R"("n":-2)", R"("n":1.5)", R"("n":"4")", R"("n":1e-1)"}) {
    EXPECT_EQ(parse(odd)->choices, 1U) << odd;
  }
  EXPECT_EQ(refusal(R"({"model":"m","messages":[],"n":1,"n":2})").code, "duplicate_parameter");
}

TEST(ChatRequest, RefusesWithTheParameterAtFault) {
  const struct {
    std::string body, param, code;
  } kCases[] = {
      {R"({"messages":[]})", "model", "missing_required_parameter"},
      {R"({"model":"m"})", "messages", "missing_required_parameter"},
      {R"({"model":5,"messages":[]})", "model", "invalid_type"},
      {R"({"model":null,"messages":[]})", "model", "invalid_type"},
      {R"({"model":["m"],"messages":[]})", "model", "invalid_type"},
      {R"({"model":"","messages":[]})", "model", "invalid_value"},
      {R"({"model":"\ud83d","messages":[]})", "model", "invalid_value"},
      {R"({"model":"m","messages":{}})", "messages", "invalid_type"},
      {R"({"model":"m","messages":null})", "messages", "invalid_type"},
      {R"({"model":"m","messages":[],"stream":"true"})", "stream", "invalid_type"},
      {R"({"model":"m","messages":[],"stream":1})", "stream", "invalid_type"},
      {R"({"model":"m","messages":[],"stream_options":true})", "stream_options", "invalid_type"},
      {R"({"model":"m","messages":[],"stream_options":{"include_usage":1}})", "stream_options.include_usage",
       "invalid_type"},
      {R"({"nested":{"model":"m"},"messages":[]})", "model", "missing_required_parameter"},
  };
  for (const auto& [body, param, code] : kCases) {
    const RequestError error = refusal(body);
    EXPECT_EQ(error.param, param) << body;
    EXPECT_EQ(error.code, code) << body;
    EXPECT_THAT(error.message, HasSubstr("'" + param + "'"));
  }
}

TEST(ChatRequest, ASecondDecidingMemberIsRefusedHoweverItIsSpelled) {
  for (const std::string_view body : {
           R"({"model":"cheap","messages":[],"model":"dear"})",
           R"({"model":"same","messages":[],"model":"same"})",
           R"({"mod\u0065l":"cheap","messages":[],"model":"dear"})",
           R"({"model":"cheap","messages":[],"\u006d\u006F\u0064\u0065\u006c":"dear"})",
       }) {
    const RequestError error = refusal(body);
    EXPECT_EQ(error.param, "model") << body;
    EXPECT_EQ(error.code, "duplicate_parameter") << body;
  }
  EXPECT_EQ(refusal(R"({"model":"m","messages":[],"messages":[]})").param, "messages");
  EXPECT_EQ(refusal(R"({"model":"m","stream":false,"messages":[],"stream":true})").param, "stream");
  EXPECT_TRUE(parse_request(Endpoint::chat_completions,
                            R"({"model":"m","messages":[{"model":"a"}],"metadata":{"model":"b","model":"c"}})"));
}

TEST(ChatRequest, ADecidingMemberInAnotherCaseIsRefused) {
  for (const auto& [body, written, name] : {
           std::tuple{R"({"model":"cheap","messages":[],"Model":"dear"})", "Model", "model"},
           {R"({"Model":"dear","model":"cheap","messages":[]})", "Model", "model"},
           {R"({"MODEL":"dear","messages":[]})", "MODEL", "model"},
           {R"({"model":"m","messages":[],"Stream":true})", "Stream", "stream"},
           {R"({"model":"m","messages":[],"max_Tokens":1})", "max_Tokens", "max_tokens"},
           {R"({"model":"m","messages":[],"N":128})", "N", "n"},
           {R"({"model":"m","messages":[],"M\u006fdel":"dear"})", "Model", "model"},
           {R"({"model":"m","messages":[],"\u017ftream":true})", "\u017Ftream", "stream"},
           {R"({"model":"m","messages":[],"max_to\u212aens":1})", "max_to\u212Aens", "max_tokens"},
       }) {
    const RequestError error = refusal(body);
    EXPECT_EQ(error.param, written) << body;
    EXPECT_EQ(error.code, "unknown_parameter") << body;
    EXPECT_THAT(error.message, HasSubstr("'" + std::string(name) + "'")) << body;
  }
  for (const Endpoint endpoint : {Endpoint::responses, Endpoint::embeddings, Endpoint::other}) {
    const auto request = parse_request(endpoint, R"({"model":"a","input":"x","Model":"b"})");
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().param, "Model");
  }
}

TEST(ChatRequest, AMemberThatDecidesNothingMayBeWrittenInAnyWay) {
  EXPECT_TRUE(parse_request(Endpoint::chat_completions,
                            R"({"model":"m","messages":[],"Models":1,"modèl":2,"Input":3,"Temperature":1,"":0})"));
  EXPECT_TRUE(parse_request(Endpoint::other, R"({"model":"m","Stream":1,"N":2})"));
  EXPECT_TRUE(
      parse_request(Endpoint::chat_completions, R"({"model":"m","messages":[{"Model":1}],"metadata":{"N":1}})"));
}

TEST(ChatRequest, AModelSpelledWithEscapesIsTheModel) {
  const std::string body = R"({"mod\u0065l":"\u0073mart\/x","messages":[]})";
  const auto request = parse_request(Endpoint::chat_completions, body);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->model, "smart/x");
  EXPECT_EQ(with_model(body, *request, "m"), R"({"mod\u0065l":"m","messages":[]})");
}

TEST(ChatRequest, WhatIsNoJsonIsRefusedWithItsPlace) {
  EXPECT_THAT(refusal("{\"model\":\"m\",\n \"messages\": [}").message, HasSubstr("line 2, column 15 (byte 28)"));
  EXPECT_EQ(refusal("").code, "invalid_json");
  EXPECT_THAT(refusal("[]").message, HasSubstr("expected an object"));
  EXPECT_THAT(refusal("\"model\"").message, HasSubstr("expected an object"));
  EXPECT_EQ(refusal(R"({"model":"m","messages":[]} x)").code, "invalid_json");
  EXPECT_THAT(refusal("{\"model\":\"m\",\"messages\":[\"\xFF\"]}").message,
              HasSubstr("invalid UTF-8 at line 1, column 27"));
}

TEST(ChatRequest, AnErrorBehindTheModelIsSeenToo) {  // a parser that stops at what it is asked for would not look there
  for (const std::string_view body : {R"({"model":"m","messages":[{"a":tru}]})", R"({"model":"m","messages":[1 2]})",
                                      R"({"model":"m","messages":["\q"]})", R"({"model":"m","messages":[)"}) {
    EXPECT_EQ(refusal(body).code, "invalid_json") << body;
  }
}

TEST(ChatRequest, TenThousandNestedArraysAreRefusedNotCrashedOn) {
  const std::string body = R"({"model":"m","messages":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}";
  EXPECT_THAT(refusal(body).message, HasSubstr("nested too deeply"));
}

TEST(ChatRequest, NumbersAndSurrogatesThatFitNoCppValuePass) {
  EXPECT_TRUE(parse_request(
      Endpoint::chat_completions,
      R"({"model":"m","messages":[{"content":"half \ud83d"}],"tools":[{"maximum":18446744073709552000,"x":1e999}]})"));
}

TEST(ChatRequest, AnotherModelLeavesEveryOtherByteAsItWas) {
  const std::string body =
      "\t{ \"messages\" : [ \"model\", {\"model\":\"x\"} ],\r\n \"model\"\t:  \"old\" , \"z\":1.50e+1 }\n";
  const auto request = parse_request(Endpoint::chat_completions, body);
  ASSERT_TRUE(request);
  EXPECT_EQ(with_model(body, *request, "a \"new\" one"),
            "\t{ \"messages\" : [ \"model\", {\"model\":\"x\"} ],\r\n \"model\"\t:  \"a \\\"new\\\" one\" , "
            "\"z\":1.50e+1 }\n");
}

// There and back: whatever the bodies and names, the new name is read and putting the old literal back gives the old
// bytes.
TEST(ChatRequest, ANewModelIsReadBackAndTheOldOneRestoresTheBody) {
  std::mt19937 random(42);
  const auto pick = [&](auto... options) {
    const std::string all[] = {std::string(options)...};
    return all[random() % sizeof...(options)];
  };
  for (int round = 0; round < 5'000; ++round) {
    const auto space = [&] { return pick("", "", " ", "\n", "\t \r\n"); };
    const std::string literal = pick(R"("m")", R"("gpt-4o")", R"("a\"b\\")", R"("\u00e9\ud83d\ude00")", "\"\xC3\xA9\"");
    const std::string before =
        space() + "{" + space() + pick("", R"("n":-1.5e3,)", R"("t":[{"model":"x"}],)", R"("model2":"\"",)") + space();
    const std::string body = before + pick(R"("model")", R"("\u006dodel")") + space() + ":" + space() + literal +
                             space() + R"(,"messages":[)" + pick("", R"("a\\")", "{}") + "]" + space() + "}" + space();
    const auto request = parse_request(Endpoint::chat_completions, body);
    ASSERT_TRUE(request) << body << ": " << request.error().message;
    ASSERT_EQ(body.substr(request->model_begin, request->model_end - request->model_begin), literal);

    std::string name =
        pick("claude", "provider/model", "q\"uote", "back\\slash", "new\nline", "\xF0\x9F\x98\x80", "x\x01y");
    const std::string changed = with_model(body, *request, name);
    const auto again = parse_request(Endpoint::chat_completions, changed);
    ASSERT_TRUE(again) << changed;
    ASSERT_EQ(again->model, name);
    ASSERT_EQ(changed.substr(0, again->model_begin) + literal + changed.substr(again->model_end), body);
  }
}

TEST(ChatRequest, ABigBodyIsReadAndSpliced) {
  const std::string image(20 << 20, 'A');
  const std::string body = R"({"messages":[{"role":"user","content":")" + image + R"("}],"stream":true,"model":"big"})";
  const auto request = parse_request(Endpoint::chat_completions, body);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->model, "big");
  const std::string changed = with_model(body, *request, "bigger");
  EXPECT_EQ(changed.size(), body.size() + 3);
  EXPECT_EQ(parse_request(Endpoint::chat_completions, changed)->model, "bigger");
}

RequestFacts facts_of(Endpoint endpoint, std::string_view body) {
  auto facts = parse_request(endpoint, body);
  EXPECT_TRUE(facts) << body << ": " << (facts ? "" : facts.error().message);
  return facts ? *std::move(facts) : RequestFacts{};
}

// `members` besides a model and messages.
RequestFacts chat_facts(std::string_view members) {
  return facts_of(Endpoint::chat_completions, R"({"model":"m","messages":[],)" + std::string(members) + "}");
}
RequestFacts message_facts(std::string_view members) {
  return facts_of(Endpoint::messages, R"({"model":"m","messages":[],)" + std::string(members) + "}");
}
RequestFacts response_facts(std::string_view members) {
  return facts_of(Endpoint::responses, R"({"model":"m",)" + std::string(members) + "}");
}

TEST(Request, EveryEndpointWantsWhatItIsAbout) {
  const struct {
    Endpoint endpoint;
    std::string_view body, param;
  } kCases[] = {
      {Endpoint::messages, R"({"model":"m"})", "messages"},
      {Endpoint::count_tokens, R"({"model":"m","messages":"x"})", "messages"},
      {Endpoint::embeddings, R"({"model":"m"})", "input"},
      {Endpoint::embeddings, R"({"model":"m","input":"a","input":"b"})", "input"},
      {Endpoint::responses, R"({"input":"a"})", "model"},
      {Endpoint::responses, R"({"model":"m","stream":"yes"})", "stream"},
      {Endpoint::responses, R"({"model":"m","previous_response_id":"a","previous_response_id":"b"})",
       "previous_response_id"},
      {Endpoint::messages, R"({"model":"m","messages":[],"max_tokens":1,"max_token\u0073":2})", "max_tokens"},
      {Endpoint::other, R"({"prompt":"a"})", "model"},
      {Endpoint::other, R"({"model":"a","model":"b"})", "model"},
  };
  for (const auto& [endpoint, body, param] : kCases) {
    const auto facts = parse_request(endpoint, body);
    ASSERT_FALSE(facts) << body;
    EXPECT_EQ(facts.error().param, param) << body;
  }
  facts_of(Endpoint::responses, R"({"model":"m"})");
  facts_of(Endpoint::embeddings, R"({"model":"m","input":["a"]})");
}

TEST(Request, WhatIsNotKnownIsLeftAlone) {
  EXPECT_TRUE(facts_of(Endpoint::other, R"({"model":"m","stream":true})").stream);
  EXPECT_FALSE(facts_of(Endpoint::other, R"({"model":"m","stream":"?","stream":7,"messages":1,"n":1,"n":2})").stream);
  EXPECT_TRUE(facts_of(Endpoint::embeddings, R"({"model":"m","input":"a","stream":5})").include_usage);
  EXPECT_FALSE(facts_of(Endpoint::count_tokens, R"({"model":"m","messages":[],"stream":true})").stream);
}

TEST(Request, CapsAndUsageAreReadWhereTheEndpointHasThem) {
  EXPECT_EQ(chat_facts(R"("max_tokens":5)").output_cap, 5U);
  EXPECT_EQ(chat_facts(R"("max_tokens":5,"max_completion_tokens":6)").output_cap, 6U);
  EXPECT_EQ(chat_facts(R"("max_tokens":0)").output_cap, std::nullopt);
  EXPECT_EQ(chat_facts(R"("max_tokens":100000.0)").output_cap, 100'000U);  // BUD-10.5
  EXPECT_EQ(chat_facts(R"("max_completion_tokens":1e5)").output_cap, 100'000U);
  EXPECT_EQ(chat_facts(R"("max_tokens":1e300)").output_cap, UINT64_MAX);
  EXPECT_EQ(chat_facts(R"("max_tokens":"100")").output_cap, std::nullopt);
  EXPECT_EQ(response_facts(R"("max_output_tokens":8.0)").output_cap, 8U);
  EXPECT_EQ(message_facts(R"("max_tokens":7)").output_cap, 7U);
  EXPECT_EQ(response_facts(R"("max_output_tokens":8,"max_tokens":5)").output_cap, 8U);
  EXPECT_TRUE(message_facts(R"("stream":true)").include_usage);
  EXPECT_TRUE(response_facts(R"("stream":true)").include_usage);
  EXPECT_FALSE(chat_facts(R"("stream":true)").include_usage);
}

TEST(Request, APlainAnswerCanBeGoneOnWith) {
  for (const std::string_view members :
       {R"("stream":true)", R"("n":1)", R"("response_format":{"type":"text"})", R"("response_format":null)",
        R"("logprobs":false)", R"("modalities":["text"])", R"("tools":[])", R"("thinking":{"type":"enabled"})"}) {
    EXPECT_TRUE(chat_facts(members).continuable) << members;
  }
  for (const std::string_view members :
       {R"("n":2)", R"("response_format":{"type":"json_object"})", R"("response_format":{"type":"json_schema"})",
        R"("logprobs":true)", R"("modalities":["text","audio"])", R"("web_search_options":{})"}) {
    EXPECT_FALSE(chat_facts(members).continuable) << members;
  }
  for (const std::string_view members : {R"("thinking":{"type":"disabled"})", R"("output_config":{"effort":"low"})",
                                         R"("output_config":{"format":null})"}) {
    EXPECT_TRUE(message_facts(members).continuable) << members;
  }
  for (const std::string_view members :
       {R"("thinking":{"type":"enabled"})", R"("thinking":{"type":"adaptive"})",
        R"("output_config":{"format":{"type":"json_schema"}})", R"("output_format":{})"}) {
    EXPECT_FALSE(message_facts(members).continuable) << members;
  }
  EXPECT_FALSE(response_facts(R"("input":"a")").continuable);
}

TEST(Request, WhatOneProviderKeepsBindsTheRequestToIt) {
  const auto in = [](std::string_view part) {
    return R"("messages":[{"role":"user","content":[)" + std::string(part) + "]}]";
  };
  const auto bound_by = [](Endpoint endpoint, const std::string& members) {
    return facts_of(endpoint, R"({"model":"m",)" + members + "}").bound_by;
  };
  constexpr auto kChat = Endpoint::chat_completions;
  EXPECT_EQ(bound_by(kChat, in(R"({"type":"file","file":{"file_id":"file-1"}})")), "file_id");
  EXPECT_EQ(bound_by(kChat, R"("messages":[{"role":"assistant","audio":{"id":"audio_1"}}])"), "audio");
  EXPECT_EQ(bound_by(Endpoint::messages, in(R"({"type":"image","source":{"type":"file","file_id":"f"}})")), "file_id");
  EXPECT_EQ(bound_by(Endpoint::count_tokens,
                     in(R"({"type":"tool_result","content":[{"type":"document","source":{"file_id":"f"}}]})")),
            "file_id");
  EXPECT_EQ(bound_by(Endpoint::messages, R"("container":"c","messages":[])"), "container");
  EXPECT_EQ(bound_by(Endpoint::messages, R"("container":{"id":"c"},"messages":[])"), "container");
  EXPECT_EQ(response_facts(R"("input":[{"type":"item_reference","id":"i"}])").bound_by, "item_reference");
  EXPECT_EQ(response_facts(R"("conversation":{"id":"c"})").bound_by, "conversation");
  EXPECT_EQ(response_facts(R"("prompt":{"id":"p"})").bound_by, "prompt");
  EXPECT_EQ(response_facts(R"("input":"a","tools":[{"type":"file_search","vector_store_ids":["vs"]}])").bound_by,
            "vector_store_ids");
  EXPECT_EQ(response_facts(R"("tools":[{"type":"code_interpreter","container":"cntr"}])").bound_by, "container");
  EXPECT_EQ(
      response_facts(R"("tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["f"]}}])").bound_by,
      "file_ids");
  const RequestFacts next = response_facts(R"("previous_response_id":"resp_\u0031")");
  EXPECT_EQ(next.bound_by, "previous_response_id");
  EXPECT_EQ(next.previous_response_id, "resp_1");
  EXPECT_TRUE(next.bound());
}

TEST(ParseRequest, FindsInlineDataWhereTheBodySaysBase64) {  // BUD-5
  const std::string image(4000, 'A');
  const auto data = [&](const std::string& member) {
    return facts_of(Endpoint::chat_completions, R"({"model":"m","messages":[],)" + member + "}").inline_data;
  };
  EXPECT_EQ(data(R"("a":"data:image/png;base64,)" + image + '"'), (InlineData{.items = 1, .bytes = image.size()}));
  EXPECT_EQ(data(R"("type":"base64","data":")" + image + '"'), (InlineData{.items = 1, .bytes = image.size()}));
  EXPECT_EQ(data(R"("data":")" + image + R"(","type":"base64")"), (InlineData{.items = 1, .bytes = image.size()}));
  EXPECT_EQ(data(R"("id":")" + image + '"'), InlineData{}) << "nothing says that it is base64";
}

// The first look goes over many bytes at once, so it must not matter where something stands.
TEST(ParseRequest, FindsAReferenceWhereverItStands) {
  const struct {
    std::string item;
    std::string_view bound_by;
  } kCases[] = {{R"({"type":"input_file","file_id":"f"})", "file_id"},
                {R"({"type":"item_reference","id":"i"})", "item_reference"},
                {R"({"role":"assistant","audio":{"id":"a"}})", "audio"},
                {R"({"file_ids":["f"]})", "file_ids"},
                {R"({"vector_store_ids":["v"]})", "vector_store_ids"},
                {R"({"role":"user","content":"","container":"c"},{"x":["audio"]})", ""},
                {R"({"text":"_i _r o\" \"file_id\" \"audio\""})", ""},
                {R"({"file_idx":"f","audio_":{"id":"a"},"my_file_id":"f"})", ""}};
  for (const auto& [item, bound_by] : kCases) {
    for (std::size_t before = 0; before < 40; ++before) {
      for (const std::size_t behind : {0U, 1U, 20U}) {
        const std::string input = "\"input\":[" + std::string(before, ' ') + item + std::string(behind, ' ') + "]";
        EXPECT_EQ(response_facts(input).bound_by, bound_by) << input;
      }
    }
  }
}

TEST(Request, WhatIsOnlyCalledSoBindsNothing) {
  for (
      const std::string_view members :
      {R"("tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"file_id":{"type":"string"}}}}}])",
       R"("metadata":{"file_id":"x"})", R"("audio":{"voice":"alloy"},"modalities":["text","audio"])"}) {
    EXPECT_FALSE(chat_facts(members).bound()) << members;
  }
  for (
      const std::string_view content :
      {R"("the \"file_id\" and the \"item_reference\"")", R"([{"type":"text","text":"file_id","file_id":null}])",
       R"([{"type":"text","text":"\"file_id\":\"x\"","file_ids":[]},{"type":"input_audio","input_audio":{"data":"A"}}])",
       R"([{"type":"tool_use","input":{"file_id":"x"}}])"}) {
    const std::string messages = R"({"model":"m","messages":[{"role":"user","content":)" + std::string(content) + "}]}";
    EXPECT_FALSE(facts_of(Endpoint::chat_completions, messages).bound()) << content;
  }
  EXPECT_FALSE(
      response_facts(R"("tools":[{"type":"function","name":"f","parameters":{"file_ids":["x"],"file_id":"y"}}])")
          .bound());
  EXPECT_FALSE(
      response_facts(R"("tools":[{"type":"code_interpreter","container":{"type":"auto"}}],"prompt":null)").bound());
  EXPECT_FALSE(message_facts(R"("container":null)").bound());
}

TEST(ChatRequest, ThreadsReadAtTheSameTime) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 2'000; ++i) {
        const std::string name = std::to_string(t * 10'000 + i);
        const auto request =
            parse_request(Endpoint::chat_completions, R"({"mod\u0065l":"\u006d)" + name + R"(","messages":[]})");
        ASSERT_TRUE(request);
        ASSERT_EQ(request->model, "m" + name);
      }
    });
  }
}

}  // namespace
}  // namespace fuseboard::llm
