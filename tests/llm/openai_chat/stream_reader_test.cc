// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_reader.h"

#include <gtest/gtest.h>

#include "tests/llm/delta_text.h"

namespace fuseboard::llm {
namespace {

using enum StreamPiece;

std::unique_ptr<StreamReader> chat(StreamReaderOptions options = {}) {
  return make_stream_reader(Endpoint::chat_completions, std::move(options));
}

StreamPiece piece_of(std::string_view data) { return chat()->read({}, data); }

std::string delta(std::string_view members, std::string_view rest = R"("finish_reason":null)", int index = 0) {
  return R"({"id":"c","object":"chat.completion.chunk","model":"m-1","choices":[{"index":)" + std::to_string(index) +
         R"(,"delta":{)" + std::string(members) + "}," + std::string(rest) + "}]}";
}
std::string finished(std::string_view reason, int index = 0) {
  return delta("", R"("finish_reason":")" + std::string(reason) + "\"", index);
}

TEST(ChatStream, AnEndWithoutAnyAnswerIsNoAnswer) {  // STR-2
  const auto reader = chat();
  EXPECT_EQ(reader->read({}, "[DONE]"), StreamPiece::done);
  ASSERT_TRUE(reader->at_end());
  EXPECT_EQ(reader->at_end()->category, Category::service_unavailable);
}

TEST(ChatStream, TellsWhatAnEventIs) {  // STR-3.3
  const struct {
    std::string data;
    StreamPiece piece;
  } kCases[] = {
      {delta(R"("role":"assistant","content":"")"), prelude},
      {delta(R"("role":"assistant","content":null)"), prelude},
      {delta(""), prelude},
      {delta(R"("tool_calls":[],"reasoning":null,"refusal":null,"reasoning_content":"")"), prelude},
      {R"({"choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]})", prelude},
      {R"({"type":"ping"})", prelude},
      {"{}", prelude},
      {R"({"choices":null,"error":null,"usage":null})", prelude},
      {delta(R"("content":"Hi")"), content},
      {delta(R"("content":" ")"), content},
      {delta(R"("content":"\ud83d")"), content},
      {delta(R"("content":[{"type":"text","text":"x"}])"), content},
      {delta(R"("reasoning_content":"hm")"), content},
      {delta(R"("content":"","reasoning":"hm")"), content},
      {delta(R"("reasoning_details":[{"data":"x"}])"), content},
      {delta(R"("refusal":"No")"), content},
      {delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{"}}])"), content},
      {delta(R"("tool_calls":[{"index":0,"function":{"arguments":{"x":1}}}])"), content},
      {delta(R"("tool_calls":[{"index":0,"type":"custom","custom":{"input":"x"}}])"), content},
      {delta(R"("function_call":{"name":"f","arguments":"{}"})"), content},
      {R"({"choices":[{"index":0,"message":{"tool_calls":[{"id":"t","function":{"name":"f"}}]}}]})", content},
      // A sign of work and no more [STR-3.4, STR-3.7].
      {delta(R"("content":null,"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":""}}])"), work},
      {delta(R"("function_call":{"name":"f","arguments":""})"), work},
      {delta(R"("role":"assistant","content":null,"reasoning_content":"")"), work},
      {delta(R"("role":"assistant","reasoning":"")"), work},
      {delta(R"("role":"assistant","content":"","reasoning_content":"")"), prelude},
      {delta(R"("role":"assistant","content":null,"reasoning_content":null)"), prelude},
      {delta(R"("content":"event: error\ndata: {\"error\":{\"code\":500}}")"), content},
      {delta(R"("content":"last")", R"("finish_reason":"stop")"), content},
      {finished("stop"), finish},
      {R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})", usage},
      {"[DONE]", done},
      {" [DONE]\r", done},
      {R"({"error":{"message":"x","type":"server_error"}})", error},
      {R"({"error":"text"})", error},
      {R"({"id":"g","choices":[],"error":{"code":502,"message":"x"}})", error},
      {R"({"type":"error","code":"rate_limit_exceeded","message":"x"})", error},
      {R"({"object":"error","message":"x"})", error},
      {R"({"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"error"}]})", error},
      {R"({"choices":[{"index":0,"delta":{},"error":{"code":502}}]})", error},
      {"", malformed},
      {"   ", malformed},
      {"hello", malformed},
      {"[1]", malformed},
      {"null", malformed},
      {R"({"choices":[{"delta":{"content":"par)", malformed},
      {R"({"choices":[{"delta":{"content":"x"}}]}})", malformed},
      {R"({"id":tru,"choices":[]})", malformed},
      {"{\"choices\":[{\"delta\":{\"content\":\"\xFF\"}}]}", malformed},
  };
  for (const auto& [data, piece] : kCases) EXPECT_EQ(piece_of(data), piece) << data;
}

TEST(ChatStream, AnOrdinaryStreamIsComplete) {  // STR-2
  const auto reader = chat();
  EXPECT_EQ(reader->read({}, delta(R"("role":"assistant","content":"")")), prelude);
  EXPECT_FALSE(reader->content_seen());
  EXPECT_EQ(reader->read({}, delta(R"("content":"Hel")")), content);
  EXPECT_TRUE(reader->content_seen());
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(reader->read({}, finished("stop")), finish);
  EXPECT_TRUE(reader->complete());
  EXPECT_EQ(reader->read({}, R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})"),
            usage);
  EXPECT_EQ(reader->read({}, "[DONE]"), done);
  EXPECT_EQ(reader->at_end(), std::nullopt);
  EXPECT_EQ(reader->usage(), (Usage{.known = true, .prompt = 5, .completion = 7, .total = 12}));
  EXPECT_EQ(reader->model(), "m-1");
  EXPECT_EQ(reader->finish_reason(), "stop");
}

TEST(ChatStream, AFinishReasonWithoutDoneIsComplete) {  // STR-2
  const auto reader = chat();
  reader->read({}, delta(R"("content":"x")"));
  reader->read({}, finished("length"));
  EXPECT_EQ(reader->at_end(), std::nullopt);
}

TEST(ChatStream, DoneWithoutAFinishReasonIsComplete) {  // STR-2
  const auto reader = chat();
  reader->read({}, delta(R"("content":"x")"));
  reader->read({}, "[DONE]");
  EXPECT_EQ(reader->at_end(), std::nullopt);
}

TEST(ChatStream, AStreamThatStopsIsANetworkFailure) {  // STR-2
  const auto reader = chat();
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network)) << "nothing came at all";
  reader->read({}, delta(R"("role":"assistant")"));
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network));
  reader->read({}, delta(R"("content":"The capital of")"));
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network));
  reader->read({}, R"({"choices":[],"usage":{"prompt_tokens":5}})");
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network)) << "usage is no end";
}

TEST(ChatStream, AnInBandErrorWinsOverALaterDone) {  // STR-2
  const auto reader = chat();
  reader->read({}, delta(R"("content":"x")"));
  EXPECT_EQ(reader->read({}, R"({"error":{"message":"Rate limit","type":"x","code":"rate_limit_exceeded"}})"), error);
  reader->read({}, finished("stop"));
  reader->read({}, R"({"error":{"code":"overloaded_error"}})");
  reader->read({}, "[DONE]");
  EXPECT_EQ(reader->at_end(), Failure::of(Category::rate_limit));
  EXPECT_EQ(reader->error().code, "rate_limit_exceeded");
  EXPECT_EQ(reader->error().message, "Rate limit");
}

TEST(ChatStream, AnErrorIsJudgedByItsCode) {  // STR-2
  const auto verdict = [](std::string_view data) {
    const auto reader = chat();
    reader->read({}, data);
    return reader->at_end()->category;
  };
  EXPECT_EQ(
      verdict(
          R"({"id":"g","error":{"code":429,"message":"Rate"},"choices":[{"index":0,"delta":{},"finish_reason":"error"}]})"),
      Category::rate_limit);
  EXPECT_EQ(verdict(R"({"type":"error","error":{"details":null,"type":"overloaded_error","message":"O"}})"),
            Category::overloaded);
  EXPECT_EQ(verdict(R"({"error":{"message":"The server had an error","type":"invalid_request_error"}})"),
            Category::service_unavailable);
  EXPECT_EQ(verdict(R"({"type":"error","sequence_number":1,"code":"rate_limit_exceeded","message":"R"})"),
            Category::rate_limit);
  EXPECT_EQ(verdict(R"({"error":"Input validation error: `inputs` must have less","error_type":"validation"})"),
            Category::context_length_exceeded);
  EXPECT_EQ(
      verdict(
          R"({"choices":[{"index":0,"delta":{"content":""},"error":{"code":429,"message":"x"},"finish_reason":"error"}]})"),
      Category::rate_limit);
}

TEST(ChatStream, AFinishReasonErrorIsNoEndOfAnAnswer) {  // STR-5.18: a cut answer is never presented as finished
  const auto reader = chat();
  reader->read({}, delta(R"("content":"x")"));
  reader->read({}, finished("error"));
  reader->read({}, "[DONE]");
  EXPECT_EQ(reader->at_end(), Failure::of(Category::service_unavailable));
}

TEST(ChatStream, AMalformedEventFailsTheStream) {  // STR-7
  const auto reader = chat();
  reader->read({}, delta(R"("content":"x")"));
  EXPECT_EQ(reader->read({}, "{oops"), malformed);
  reader->read({}, finished("stop"));
  reader->read({}, "[DONE]");
  EXPECT_EQ(reader->at_end(), Failure::of(Category::service_unavailable));
}

TEST(ChatStream, SeveralChoicesAreCompleteWhenEachBegunOneIs) {  // STR-2
  const auto reader = chat();
  reader->read({}, delta(R"("content":"a")", R"("finish_reason":null)", 0));
  reader->read({}, delta(R"("content":"b")", R"("finish_reason":null)", 1));
  reader->read({}, finished("stop", 1));
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network));
  reader->read({}, finished("length", 0));
  EXPECT_TRUE(reader->complete());
  EXPECT_EQ(reader->finish_reason(0), "length");
  EXPECT_EQ(reader->finish_reason(1), "stop");
  EXPECT_EQ(reader->finish_reason(2), "");
}

TEST(ChatStream, IsNotCompleteBeforeEveryChoiceThatWasAskedForIs) {  // STR-2, STR-5.18
  const auto reader = chat({.choices = 2});
  reader->read({}, delta(R"("content":"x")"));
  reader->read({}, finished("stop"));
  EXPECT_FALSE(reader->complete()) << "choice 1 has not even begun";
  EXPECT_TRUE(reader->at_end());
  reader->read({}, finished("stop", 1));
  EXPECT_TRUE(reader->complete());

  const auto fewer = chat({.choices = 2});
  fewer->read({}, finished("stop"));
  fewer->read({}, "[DONE]");
  EXPECT_TRUE(fewer->complete()) << "an upstream that ignores n says itself that it is done";
}

TEST(ChatStream, SeveralChoicesInOneEventAreAllRead) {
  const auto reader = chat();
  EXPECT_EQ(
      reader->read(
          {},
          R"({"choices":[{"delta":{"content":""},"index":0},{"index":1,"delta":{"content":"x"},"finish_reason":"stop"},
                            {"finish_reason":"stop","delta":{},"index":7}]})"),
      content);
  EXPECT_EQ(reader->finish_reason(7), "stop");
  EXPECT_FALSE(reader->complete()) << "choice 0 has begun";
}

TEST(ChatStream, ChoicesAreBounded) {  // CORE-5
  const auto reader = chat();
  for (int i = 0; i < 128; ++i) EXPECT_EQ(reader->read({}, finished("stop", i)), finish) << i;
  EXPECT_EQ(reader->read({}, finished("stop", 128)), malformed);
  EXPECT_EQ(reader->read({}, finished("stop", 127)), finish);
}

TEST(ChatStream, WhatItSaysIsSeenWhetherOrNotItIsTranslated) {  // BUD-10.3
  for (const bool deltas : {false, true}) {
    const auto reader = chat({.choices = 2, .deltas = deltas});
    reader->read({}, delta(R"("role":"assistant","content":"")"));
    EXPECT_EQ(reader->seen(), SeenOutput{});
    reader->read({}, delta(R"("reasoning_content":"12","reasoning":"12")"));
    reader->read({}, delta(R"("content":"345\n")"));
    reader->read({}, delta(R"("content":"678")", R"("finish_reason":null)", 1));
    reader->read({}, delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"a"}}])"));
    reader->read({}, delta(R"("refusal":"9")"));
    reader->read({}, finished("stop"));
    EXPECT_EQ(reader->seen(), (SeenOutput{.bytes = 2 + 4 + 3 + 3 + 1, .pieces = 5})) << deltas;
  }
}

TEST(ChatStream, UsageThatCannotBeReadIsTheLastWordToo) {  // BUD-10.4
  const auto reader = chat({.deltas = true});
  reader->read({}, R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}})");
  EXPECT_TRUE(reader->usage().known);
  EXPECT_EQ(reader->read({}, R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":"7"}})"), usage);
  EXPECT_EQ(reader->usage(), Usage{});
  EXPECT_TRUE(reader->deltas().empty()) << "nothing that a caller could take for a count";
  reader->read({}, R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1e1}})");
  EXPECT_EQ(reader->usage(), (Usage{.known = true, .prompt = 5, .completion = 10, .total = 15}));
  reader->read({}, R"({"choices":[],"usage":{}})");
  EXPECT_EQ(reader->usage().completion, 10U) << "it says nothing new";
}

TEST(ChatStream, UsageInEveryEventKeepsTheLast) {  // vLLM's continuous_usage_stats
  const auto reader = chat();
  EXPECT_EQ(
      reader->read(
          {}, R"({"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})"),
      content);
  EXPECT_EQ(
      reader->read(
          {}, R"({"choices":[{"index":0,"delta":{"content":"y"}}],"usage":{"prompt_tokens":5,"completion_tokens":2}})"),
      content);
  EXPECT_EQ(reader->read({}, R"({"choices":[{"index":0,"delta":{"content":"y"}}],"usage":null})"), content);
  EXPECT_EQ(reader->usage().completion, 2u);
}

TEST(ChatStream, EveryBeginningOfAnEventIsMalformed) {  // STR-7
  const std::string data = delta(R"("content":"h)"
                                 "\xC3\xA9"
                                 R"(\n")",
                                 R"("finish_reason":"stop")");
  for (std::size_t size = 0; size < data.size(); ++size) {
    EXPECT_EQ(piece_of(std::string_view(data).substr(0, size)), malformed) << size;
  }
  EXPECT_EQ(piece_of(data), content);
}

// The deltas of the last event, one a line.
std::string told(const StreamReader& reader) {
  std::string text;
  for (const Delta& delta : reader.deltas()) text += to_line(delta) + '\n';
  return text;
}

std::string tell(std::initializer_list<std::string> events) {
  const auto reader = chat({.deltas = true});
  std::string text;
  for (const std::string& event : events) {
    reader->read({}, event);
    text += told(*reader);
  }
  return text;
}

std::string said(std::string_view members) {
  return R"({"choices":[{"index":0,"delta":{)" + std::string(members) + "}}]}";
}
std::string ended(std::string_view reason) {
  return R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + std::string(reason) + "\"}]}";
}

TEST(ChatStream, TellsWhatAnAnswerSays) {
  EXPECT_EQ(tell({delta(R"("role":"assistant","content":"")"), delta(R"("content":"Hel")"),
                  delta(R"("content":"lo\n")"), finished("stop"),
                  R"({"id":"c","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})",
                  "[DONE]"}),
            "begin c m-1\ntext Hel\ntext lo\n\nfinish stop\nusage 5+7=12 cached 0 reasoning 0 written 0\n");
}

TEST(ChatStream, TellsWhatADeltaSaysInTheWordsOfAllProviders) {
  const struct {
    std::string members;
    std::string deltas;
  } kCases[] = {
      {R"("reasoning_content":"hm")", "reasoning hm\n"},
      {R"("reasoning":"hm","reasoning_content":"hm")", "reasoning hm\n"},
      {R"("content":"so","reasoning":"hm")", "reasoning hm\ntext so\n"},
      {R"("content":null,"refusal":"No.")", "refusal No.\n"},
      {R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"so"}])",
       "reasoning hm\ntext so\n"},
      {R"("content":"caf\u00e9 \ud83d\ude00 \"x\" \\ \/")", "text caf\xC3\xA9 \xF0\x9F\x98\x80 \"x\" \\ /\n"},
      {R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}])",
       "tool_begin 0 a f\ntool_arguments 0 {\"x\":1}\n"},
      {R"("tool_calls":[])", ""},
      {R"("audio":{"data":"x"})", ""},
      {R"("content":7,"reasoning":[1],"tool_calls":{"a":1},"refusal":{"b":2})", ""},
  };
  for (const auto& [members, deltas] : kCases) EXPECT_EQ(tell({said(members)}), deltas) << members;
}

TEST(ChatStream, TellsParallelCallsApart) {
  const std::string begin_a = R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}])";
  const std::string begin_b = R"("tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":""}}])";
  EXPECT_EQ(tell({said(begin_a), said(begin_b), said(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}}])"),
                  ended("tool_calls")}),
            "tool_begin 0 a f\ntool_begin 1 b g\ntool_arguments 1 {}\nfinish tool_calls\n")
      << "in the order in which they began";
  EXPECT_EQ(tell({said(begin_a), said(R"("tool_calls":[{"index":0,"function":{"arguments":"{"}}])"), said(begin_b),
                  said(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}},)"
                       R"({"index":0,"function":{"arguments":"}"}}])"),
                  ended("tool_calls")}),
            "tool_begin 0 a f\ntool_arguments 0 {\ntool_begin 1 b g\ntool_arguments 1 {}\ntool_arguments 0 }\n"
            "finish tool_calls\n");
}

TEST(ChatStream, TellsCallsApartThatTheServerDoesNotCount) {
  const std::string two = "tool_begin 0 a f\ntool_arguments 0 {}\ntool_begin 1 b g\ntool_arguments 1 {}\n";
  EXPECT_EQ(tell({said(R"("tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},)"
                       R"({"id":"b","function":{"name":"g","arguments":"{}"}}])")}),
            two)
      << "no index";
  EXPECT_EQ(tell({said(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}])"),
                  said(R"("tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}])")}),
            two)
      << "every index is 0";
  EXPECT_EQ(tell({said(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}])"),
                  said(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}])")}),
            "tool_begin 0 a f\ntool_arguments 0 {\ntool_arguments 0 }\n")
      << "id and name are repeated";
}

TEST(ChatStream, TellsOfTheFirstChoiceAlone) {
  EXPECT_EQ(tell({R"({"choices":[{"delta":{"content":"b"},"index":1},{"delta":{"content":"a"},"index":0}]})"}),
            "text a\n");
}

TEST(ChatStream, HalvesOfACharacterAreToldTogether) {
  EXPECT_EQ(tell({said(R"("content":"x\ud83d")"), said(R"("content":"\ude00y")"), ended("stop")}),
            "text x\ntext \xF0\x9F\x98\x80y\nfinish stop\n");
  EXPECT_EQ(tell({said(R"("content":"x\ud83d")"), ended("length")}), "text x\ntext \xEF\xBF\xBD\nfinish length\n");
}

TEST(ChatStream, TellsNothingOfAnEventThatIsAnError) {  // STR-7
  EXPECT_EQ(tell({R"({"choices":[{"index":0,"delta":{"content":"x"}}],"error":{"code":500}})"}), "");
}

TEST(ChatStream, CallsAreBounded) {  // CORE-5
  const auto reader = chat({.deltas = true});
  const auto call = [](int i) {
    return said(R"("tool_calls":[{"index":)" + std::to_string(i) + R"(,"id":"t","function":{"name":"f"}}])");
  };
  for (int i = 0; i < 128; ++i) EXPECT_EQ(reader->read({}, call(i)), work) << i;
  EXPECT_EQ(reader->read({}, call(128)), malformed);
}

TEST(ChatStream, WhatIsHeldOfCallsIsBounded) {  // CORE-5
  const auto reader = chat({.deltas = true});
  const std::string piece =
      said(R"("tool_calls":[{"index":0,"function":{"arguments":")" + std::string(std::size_t{1} << 19, 'x') + "\"}}]");
  EXPECT_EQ(reader->read({}, piece), content);
  EXPECT_EQ(reader->read({}, piece), content);
  EXPECT_EQ(reader->read({}, piece), malformed) << "its name has not come";
  const auto named = chat({.deltas = true});
  named->read({}, said(R"("tool_calls":[{"index":0,"function":{"name":"f"}}])"));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(named->read({}, piece), content) << "an id that does not come is done without";
}

// What the pieces of one call add up to, whatever the order of id, name and arguments in them.
TEST(ChatStream, TheNameAndIdOfACallMayComeInAnyOrderAndInPieces) {
  const std::string kWhole = "tool_begin 0 call_1 get_x\ntool_arguments 0 {\"a\":1}\nfinish tool_calls\n";
  const auto joined = [](const std::string& lines) {  // pieces of the arguments are one
    const std::string again = "\ntool_arguments 0 ";
    std::string text = lines;
    for (std::size_t at = text.find(again, text.find(again) + 1); at != text.npos; at = text.find(again, at)) {
      text.erase(at, again.size());
    }
    return text;
  };
  const std::vector<std::vector<std::string>> kOrders = {
      {R"("id":"call_1","function":{})", R"("function":{"name":"get_x"})", R"("function":{"arguments":"{\"a\":1}"})"},
      {R"("id":"call_1")", R"("function":{"name":"get_x","arguments":"{\"a\":1}"})"},
      {R"("function":{"name":"get_x"})", R"("id":"call_1")", R"("function":{"arguments":"{\"a\":1}"})"},
      {R"("function":{"name":"get_x","arguments":"{\"a\":1}"})", R"("id":"call_1")"},
      {R"("function":{"arguments":"{\"a\""})", R"("function":{"arguments":":1}"})", R"("function":{"name":"get_x"})",
       R"("id":"call_1")"},
      {R"("function":{"arguments":"{\"a\":1}"})", R"("id":"call_1","function":{"name":"get_x"})"},
      {R"("id":"call_1","function":{"name":"get_","arguments":""})", R"("function":{"name":"x","arguments":""})",
       R"("function":{"arguments":"{\"a\":1}"})"},
      {R"("id":"call_1","function":{"name":"get_x","arguments":"{\"a\""})",
       R"("id":"call_1","function":{"name":"get_x","arguments":":1}"})"},
      {R"("id":"","function":{"name":"get_x","arguments":""})",
       R"("id":null,"function":{"name":null,"arguments":null})",
       R"("id":"call_1","function":{"name":"","arguments":"{\"a\":1}"})"},
  };
  for (const std::string index : {R"("index":0,)", ""}) {
    for (const auto& order : kOrders) {
      std::string lines;
      const auto reader = chat({.deltas = true});
      for (const std::string& piece : order) {
        reader->read({}, said(R"("tool_calls":[{)" + index + piece + "}]"));
        for (const Delta& delta : reader->deltas()) lines += to_line(delta) + '\n';
      }
      reader->read({}, ended("tool_calls"));
      for (const Delta& delta : reader->deltas()) lines += to_line(delta) + '\n';
      EXPECT_EQ(joined(lines), kWhole) << index << order.front();
    }
  }
  EXPECT_EQ(tell({said(R"("tool_calls":[{"index":0,"id":"call_"}])"), said(R"("tool_calls":[{"index":0,"id":"1"}])"),
                  said(R"("tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}])")}),
            "tool_begin 0 call_1 f\ntool_arguments 0 {}\n")
      << "pieces of an id";
}

TEST(ChatStream, ACallThatLacksAnIdIsToldAtTheEnd) {
  const std::string call = said(R"("tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}])");
  EXPECT_EQ(tell({call, ended("tool_calls")}), "tool_begin 0  f\ntool_arguments 0 {}\nfinish tool_calls\n");
  EXPECT_EQ(tell({call, "[DONE]"}), "tool_begin 0  f\ntool_arguments 0 {}\n") << "without a finish reason";
}

TEST(ChatStream, ACallOfTheOldKindMayComeInAnyOrderAndInPieces) {
  const std::string whole = "tool_begin 0  get_x\ntool_arguments 0 {\"a\":1}\nfinish tool_calls\n";
  const std::vector<std::vector<std::string>> kOrders = {
      {R"("name":"get_x","arguments":"{\"a\":1}")"},
      {R"("name":"get_x","arguments":"")", R"("arguments":"{\"a\"")", R"("arguments":":1}")"},
      {R"("name":"get_x")", R"("arguments":"{\"a\":1}")"},
      {R"("arguments":"{\"a\"")", R"("name":"get_x","arguments":":1}")"},
      {R"("arguments":"{\"a\":1}")", R"("name":"get_x")"},
      {R"("name":"get_")", R"("name":"x")", R"("arguments":{"a":1})"},
  };
  for (const auto& order : kOrders) {
    std::vector<std::string> events;
    for (const std::string& piece : order) events.push_back(said(R"("function_call":{)" + piece + "}"));
    events.push_back(ended("function_call"));
    const auto reader = chat({.deltas = true});
    std::string lines;
    for (const std::string& event : events) {
      reader->read({}, event);
      for (const Delta& delta : reader->deltas()) lines += to_line(delta) + '\n';
    }
    EXPECT_EQ(lines, whole) << order.front();
    EXPECT_EQ(reader->seen().bytes, 7U) << order.front();  // BUD-10.3
  }
}

TEST(ChatStream, CallsWithoutIdAndIndexAreToldApart) {
  const std::string two = "tool_begin 0  f\ntool_arguments 0 {}\ntool_begin 1  f\ntool_arguments 1 {}\nfinish stop\n";
  const std::string f = R"({"function":{"name":"f","arguments":"{}"}})";
  EXPECT_EQ(tell({said(R"("tool_calls":[)" + f + "," + f + "]"), ended("stop")}), two) << "in one event";
  EXPECT_EQ(tell({said(R"("tool_calls":[)" + f + "]"), said(R"("tool_calls":[)" + f + "]"), ended("stop")}), two);
}

TEST(ChatStream, ParallelCallsMayBeInterleavedByTheirIdsAlone) {
  EXPECT_EQ(tell({said(R"("tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}])"),
                  said(R"("tool_calls":[{"id":"a","function":{"arguments":"{"}}])"),
                  said(R"("tool_calls":[{"id":"b","function":{"arguments":"{}"}}])"),
                  said(R"("tool_calls":[{"id":"a","function":{"arguments":"}"}}])"), ended("tool_calls")}),
            "tool_begin 0 a f\ntool_arguments 0 {\ntool_begin 1 b g\ntool_arguments 1 {}\ntool_arguments 0 }\n"
            "finish tool_calls\n");
}

TEST(ChatStream, ArgumentsMayBeAnObject) {
  EXPECT_EQ(tell({said(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"x": [1]}}}])")}),
            "tool_begin 0 a f\ntool_arguments 0 {\"x\": [1]}\n");
}

// Pings are no event of this dialect: comments, and chunks without anything.
TEST(ChatStream, AChunkWithoutAnythingIsASignOfWorkWhileThoughtsOrACallAreUnderWay) {  // STR-3.6
  const auto reader = chat();
  EXPECT_EQ(reader->read({}, delta(R"("role":"assistant","content":"")")), prelude);
  EXPECT_FALSE(reader->at_work());
  EXPECT_EQ(reader->read({}, delta(R"("reasoning_content":"hm")")), content);
  EXPECT_TRUE(reader->at_work());
  EXPECT_EQ(reader->read({}, delta("")), work);
  EXPECT_EQ(reader->read({}, delta(R"("content":"so")")), content);
  EXPECT_FALSE(reader->at_work());
  EXPECT_EQ(reader->read({}, delta("")), prelude);
  EXPECT_EQ(reader->read({}, delta(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}])")), work);
  EXPECT_EQ(reader->read({}, delta(R"("role":"assistant","content":"")")), work);
  EXPECT_EQ(reader->read({}, finished("tool_calls")), finish);
  EXPECT_FALSE(reader->at_work());
}

TEST(ChatStream, KeepsTheTextOfTheLastEventWhereAskedFor) {
  const auto reader = chat({.text = true});
  reader->read({}, said(R"("content":"Hel")"));
  EXPECT_EQ(reader->text(), "Hel");
  EXPECT_TRUE(reader->deltas().empty());
  reader->read({}, said(R"("reasoning":"hm","content":"lo")"));
  EXPECT_EQ(reader->text(), "lo");
  reader->read({}, ended("stop"));
  EXPECT_EQ(reader->text(), "");

  const auto silent = chat();
  silent->read({}, said(R"("content":"Hel")"));
  EXPECT_EQ(silent->text(), "");
  EXPECT_TRUE(silent->deltas().empty());
}

TEST(ChatStream, KnowsWhatMayBeContinued) {  // STR-5.15
  for (const bool collects : {false, true}) {
    const auto plain_after = [collects](std::string_view event) {
      const auto reader = chat({.deltas = collects});
      reader->read({}, delta(R"("role":"assistant","content":"","tool_calls":[],"reasoning":null)"));
      reader->read({}, said(R"("content":"text")"));
      EXPECT_TRUE(reader->plain_text_only());
      reader->read({}, event);
      return reader->plain_text_only();
    };
    EXPECT_TRUE(plain_after(said(R"("content":"more","refusal":null)")));
    EXPECT_TRUE(plain_after(ended("stop")));
    EXPECT_FALSE(plain_after(said(R"("reasoning":"hm")")));
    EXPECT_FALSE(plain_after(said(R"("refusal":"No")")));
    EXPECT_FALSE(plain_after(said(R"("audio":{"data":"x"})")));
    EXPECT_FALSE(plain_after(said(R"("tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}])")));
    EXPECT_FALSE(plain_after(said(R"("content":[{"type":"text","text":"x"}])")));
    EXPECT_FALSE(plain_after(R"({"choices":[{"delta":{"content":"b"},"index":1}]})"));
  }
}

TEST(ChatStream, SaysWhereItStands) {  // STR-5.12
  const auto reader = chat();
  reader->read({}, R"({"id":"c-1","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":"x"}}]})");
  const RecoveryPoint point = reader->recovery_point();
  EXPECT_EQ(point.origin.id, "c-1");
  EXPECT_EQ(point.origin.model, "m");
  EXPECT_EQ(point.origin.created, 1700000000);
  EXPECT_TRUE(point.text_open);
}

TEST(ChatStream, KnowsAnAnswerThatWasWithheld) {
  const auto reader = chat();
  reader->read({}, finished("content_filter"));
  EXPECT_TRUE(reader->filtered());
  EXPECT_FALSE(reader->terminal_seen());
  reader->read({}, "[DONE]");
  EXPECT_TRUE(reader->terminal_seen());
}

}  // namespace
}  // namespace fuseboard::llm
