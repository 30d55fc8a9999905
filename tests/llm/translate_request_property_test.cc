// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Requests that both dialects can say, written in both by this test: the one translates into the other.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "json/canonical.h"
#include "json/string.h"
#include "llm/translate_request.h"

namespace fuseboard::llm {
namespace {

struct Both {
  std::string openai;
  std::string anthropic;
};

bool flip() { return *rc::gen::arbitrary<bool>(); }
int below(int end) { return *rc::gen::inRange(0, end); }

// Never blank, and no whitespace at the end.
std::string words() {
  static const std::vector<std::string> kPieces = {
      "a", " b", "\n", "\t\"q\"", "\\", "\\n", "\xC3\xA9", "\xF0\x9F\x98\x80", "{}", "\x01", "/", "data:", "</s>"};
  std::string text;
  for (int i = below(4); i > 0; --i) text += kPieces[static_cast<std::size_t>(below(static_cast<int>(kPieces.size())))];
  return text + "x" + std::to_string(below(1000));
}

void append(std::string& list, const std::string& element) { list += (list.empty() ? "" : ",") + element; }

// An object as raw text, as it stands in a schema or an input.
std::string object() {
  static const std::vector<std::string> kValues = {"1.50", "null", "[ ]", "{\"b\":[1,{}]}", "1e300", "true"};
  return R"({"type":"object", "a":)" + kValues[static_cast<std::size_t>(below(6))] + R"(,"t":)" +
         json::string_literal(words()) + "}";
}

Both part() {
  switch (below(4)) {
    case 0: {
      const std::string url = json::string_literal("https://x.example/" + std::to_string(below(99)));
      return {R"({"type":"image_url","image_url":{"url":)" + url + "}}",
              R"({"type":"image","source":{"type":"url","url":)" + url + "}}"};
    }
    case 1:
      return {R"({"type":"image_url","image_url":{"url":"data:image/webp;base64,QUJD+/=="}})",
              R"({"type":"image","source":{"type":"base64","media_type":"image/webp","data":"QUJD+/=="}})"};
    case 2: {
      const std::string name = json::string_literal(words());
      return {
          R"({"type":"file","file":{"filename":)" + name + R"(,"file_data":"data:application/pdf;base64,JVBERi0="}})",
          R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":)" +
              name + "}"};
    }
    default: {
      const std::string text = R"({"type":"text","text":)" + json::string_literal(words()) + "}";
      return {text, text};
    }
  }
}

// A string or several parts; never one text in a list, which is as good as the string.
Both content(bool only_text) {
  if (flip()) {
    const std::string text = json::string_literal(words());
    return {text, text};
  }
  Both list{R"({"type":"text","text":"first"})", R"({"type":"text","text":"first"})"};
  for (int i = below(3); i >= 0; --i) {
    const std::string text = R"({"type":"text","text":)" + json::string_literal(words()) + "}";
    const Both more = only_text ? Both{text, text} : part();
    append(list.openai, more.openai);
    append(list.anthropic, more.anthropic);
  }
  return {"[" + list.openai + "]", "[" + list.anthropic + "]"};
}

std::string inside(const std::string& content) {
  if (content.starts_with('[')) return content.substr(1, content.size() - 2);
  return R"({"type":"text","text":)" + content + "}";
}

// An assistant that calls tools, and their results, with or without a word of the user.
void tool_round(Both& messages) {
  const bool speaks = flip();
  const Both said = content(true);
  Both calls;
  Both results;
  for (int i = below(3); i >= 0; --i) {
    const std::string id = json::string_literal("call_" + std::to_string(below(1000)));
    const std::string name = json::string_literal("tool-" + std::to_string(below(9)));
    const std::string input = object();
    const Both result = content(true);
    append(calls.openai, R"({"id":)" + id + R"(,"type":"function","function":{"name":)" + name + R"(,"arguments":)" +
                             json::string_literal(input) + "}}");
    append(calls.anthropic, R"({"type":"tool_use","id":)" + id + R"(,"name":)" + name + R"(,"input":)" + input + "}");
    append(results.openai, R"({"role":"tool","tool_call_id":)" + id + R"(,"content":)" + result.openai + "}");
    append(results.anthropic,
           R"({"type":"tool_result","tool_use_id":)" + id + R"(,"content":)" + result.anthropic + "}");
  }
  append(messages.openai, R"({"role":"assistant","content":)" + (speaks ? said.openai : "null") + R"(,"tool_calls":[)" +
                              calls.openai + "]}");
  append(messages.anthropic,
         R"({"role":"assistant","content":[)" + (speaks ? inside(said.anthropic) + "," : "") + calls.anthropic + "]}");
  append(messages.openai, results.openai);
  std::string blocks = results.anthropic;
  if (flip()) {
    const Both asked = content(false);
    append(messages.openai, R"({"role":"user","content":)" + asked.openai + "}");
    append(blocks, inside(asked.anthropic));
  }
  append(messages.anthropic, R"({"role":"user","content":[)" + blocks + "]}");
}

void plain_round(Both& messages) {
  const Both answer = content(true);
  const Both asked = content(false);
  append(messages.openai, R"({"role":"assistant","content":)" + answer.openai + "}");
  append(messages.anthropic, R"({"role":"assistant","content":)" + answer.anthropic + "}");
  append(messages.openai, R"({"role":"user","content":)" + asked.openai + "}");
  append(messages.anthropic, R"({"role":"user","content":)" + asked.anthropic + "}");
}

// Messages, and the system prompt where each dialect has it.
Both conversation() {
  Both messages;
  Both system;
  if (flip()) {
    const std::string prompt = json::string_literal(words());
    messages.openai = R"({"role":"system","content":)" + prompt + "}";
    system.anthropic = R"("system":)" + prompt + ",";
  }
  const Both asked = content(false);
  append(messages.openai, R"({"role":"user","content":)" + asked.openai + "}");
  append(messages.anthropic, R"({"role":"user","content":)" + asked.anthropic + "}");
  for (int i = below(4); i > 0; --i) {
    if (flip()) {
      tool_round(messages);
    } else {
      plain_round(messages);
    }
  }
  if (flip()) {
    const Both begun = content(true);
    append(messages.openai, R"({"role":"assistant","content":)" + begun.openai + "}");
    append(messages.anthropic, R"({"role":"assistant","content":)" + begun.anthropic + "}");
  }
  return {R"("messages":[)" + messages.openai + "]", system.anthropic + R"("messages":[)" + messages.anthropic + "]"};
}

Both tools() {
  Both list;
  for (int i = below(3); i >= 0; --i) {
    const std::string about = R"("name":)" + json::string_literal("tool-" + std::to_string(i)) +
                              (flip() ? R"(,"description":)" + json::string_literal(words()) : "") +
                              (flip() ? R"(,"strict":true)" : "");
    const std::string schema = object();
    append(list.openai, R"({"type":"function","function":{)" + about + R"(,"parameters":)" + schema + "}}");
    append(list.anthropic, "{" + about + R"(,"input_schema":)" + schema + "}");
  }
  static const std::vector<Both> kChoices = {
      {"", ""},
      {R"(,"tool_choice":"none")", R"(,"tool_choice":{"type":"none"})"},
      {R"(,"tool_choice":"required")", R"(,"tool_choice":{"type":"any"})"},
      {R"(,"parallel_tool_calls":false)", R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})"},
      {R"(,"tool_choice":{"type":"function","function":{"name":"tool-0"}},"parallel_tool_calls":false)",
       R"(,"tool_choice":{"type":"tool","name":"tool-0","disable_parallel_tool_use":true})"}};
  const Both& choice = kChoices[static_cast<std::size_t>(below(5))];
  return {R"(,"tools":[)" + list.openai + "]" + choice.openai,
          R"(,"tools":[)" + list.anthropic + "]" + choice.anthropic};
}

Both request() {
  Both whole = conversation();
  const auto add = [&](const std::string& openai, const std::string& anthropic) {
    whole.openai += openai;
    whole.anthropic += anthropic;
  };
  const std::string cap = std::to_string(1 + below(100000));
  add(R"(,"max_completion_tokens":)" + cap, R"(,"max_tokens":)" + cap);
  if (flip()) {
    const Both some = tools();
    add(some.openai, some.anthropic);
  }
  if (flip()) {
    const std::string stops =
        "[" + json::string_literal(words()) + (flip() ? "," + json::string_literal(words()) : "") + "]";
    add(R"(,"stop":)" + stops, R"(,"stop_sequences":)" + stops);
  }
  if (flip()) add(R"(,"top_p":0.25)", R"(,"top_p":0.25)");
  if (flip()) add(R"(,"stream":true,"stream_options":{"include_usage":true})", R"(,"stream":true)");
  const std::string user = json::string_literal(words());
  if (flip()) add(R"(,"user":)" + user, R"(,"metadata":{"user_id":)" + user + "}");
  const bool reasons = flip();
  const bool has_schema = flip();
  const std::string schema = object();
  if (reasons) add(R"(,"temperature":0.75,"reasoning_effort":"medium")", R"(,"temperature":0.75)");
  if (has_schema) {
    add(R"(,"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":)" + schema +
            "}}",
        "");
  }
  if (reasons || has_schema) {
    add("", R"(,"output_config":{)" + std::string(reasons ? R"("effort":"medium")" : "") +
                (reasons && has_schema ? "," : "") +
                (has_schema ? R"("format":{"type":"json_schema","schema":)" + schema + "}" : "") + "}");
  }
  return {R"({"model":"m",)" + whole.openai + "}", R"({"model":"m",)" + whole.anthropic + "}"};
}

std::string canonical(std::string_view json) { return json::canonical_form(json).value_or("not canonical"); }

std::string translated(Dialect from, Dialect to, std::string_view body) {
  const auto result = translate_request(from, to, body, {.model = "m", .reasoning = Reasoning::effort});
  return result ? canonical(*result) : result.error().message;
}

RC_GTEST_PROP(TranslateRequestProperty, WhatBothDialectsCanSayIsTheSameInBoth, ()) {
  const Both both = request();
  RC_ASSERT(translated(Dialect::openai, Dialect::anthropic, both.openai) == canonical(both.anthropic));
  RC_ASSERT(translated(Dialect::anthropic, Dialect::openai, both.anthropic) == canonical(both.openai));
}

}  // namespace
}  // namespace fuseboard::llm
