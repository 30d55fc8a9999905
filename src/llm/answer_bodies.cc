// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer_bodies.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "json/scan.h"
#include "json/string.h"
#include "llm/answer_words.h"
#include "llm/finish_reason.h"

namespace fuseboard::llm {
namespace {

using Kind = AnswerBlock::Kind;

// All text of one kind; a completion does not say what came between.
std::string text_of_kind(const WholeAnswer& answer, Kind kind) {
  std::string text;
  for (const AnswerBlock& block : answer.blocks.all()) {
    if (block.kind == kind) text += block.text;
  }
  return text;
}

void append_text_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    json::append_string(out, text);
  }
}

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void append_openai_calls(std::string& out, const WholeAnswer& answer) {
  std::size_t place = 0;
  for (const AnswerBlock& block : answer.blocks.all()) {
    if (block.kind != Kind::tool) continue;
    out += place == 0 ? R"(,"tool_calls":[{"id":)" : R"(,{"id":)";
    json::append_string(out, call_id(block.id, answer.origin, place++));
    out += R"(,"type":"function","function":{"name":)";
    json::append_string(out, block.name);
    out += R"(,"arguments":)";
    json::append_string(out, block.text.empty() ? std::string_view("{}") : std::string_view(block.text));
    out += "}}";
  }
  if (place > 0) out += ']';
}

void append_input(std::string& out, std::string_view arguments) {
  if (is_blank(arguments)) {
    out += "{}";
  } else if (!json::validate_object(arguments, [](const json::Member&) {})) {
    out += arguments;
  } else {
    out += R"({"raw_arguments":)";
    json::append_string(out, arguments);
    out += '}';
  }
}

void append_anthropic_block(std::string& out, const AnswerBlock& block, const WholeAnswer& answer, std::size_t& calls) {
  switch (block.kind) {
    case Kind::text:
    case Kind::refusal:
      out += R"({"type":"text","text":)";
      json::append_string(out, block.text);
      break;
    case Kind::reasoning:
      out += R"({"type":"thinking","thinking":)";
      json::append_string(out, block.text);
      out += R"(,"signature":)";
      json::append_string(out, block.signature);
      break;
    case Kind::tool:
      out += R"({"type":"tool_use","id":)";
      json::append_string(out, call_id(block.id, answer.origin, calls++));
      out += R"(,"name":)";
      json::append_string(out, block.name);
      out += R"(,"input":)";
      append_input(out, block.text);
      break;
  }
  out += '}';
}

}  // namespace

WholeAnswer::WholeAnswer(std::span<const Delta> deltas, StreamOrigin stands_in) : origin(std::move(stands_in)) {
  bool begun = false;
  bool finished = false;
  for (const Delta& delta : deltas) {
    switch (delta.kind) {
      case Delta::Kind::begin:
        if (std::exchange(begun, true)) break;
        if (!delta.id.empty()) origin.id = delta.id;
        if (!delta.model.empty()) origin.model = delta.model;
        break;
      case Delta::Kind::finish:
        if (std::exchange(finished, true)) break;
        reason = delta.reason;
        stop_sequence = delta.text;
        break;
      case Delta::Kind::usage:
        usage = delta.usage;
        break;
      default:
        refused = refused || (delta.kind == Delta::Kind::refusal && !delta.text.empty());
        blocks.add(delta);
        break;
    }
  }
}

std::string completion_body(const WholeAnswer& answer) {
  std::string out = R"({"id":)";
  json::append_string(out, answer.origin.id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"chat.completion","created":{},"model":)",
                 answer.origin.created);
  json::append_string(out, answer.origin.model);
  out += R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)";
  append_text_or_null(out, text_of_kind(answer, Kind::text));
  out += R"(,"refusal":)";
  append_text_or_null(out, text_of_kind(answer, Kind::refusal));
  if (const std::string thoughts = text_of_kind(answer, Kind::reasoning); !thoughts.empty()) {
    out += R"(,"reasoning_content":)";
    json::append_string(out, thoughts);
  }
  append_openai_calls(out, answer);
  fmt::format_to(std::back_inserter(out), R"(}},"logprobs":null,"finish_reason":"{}"}}])",
                 finish_word(Dialect::openai, answer.reason, answer.blocks.has_calls()));
  if (answer.usage.known) {
    out += R"(,"usage":)";
    append_openai_usage(out, answer.usage);
  }
  out += '}';
  return out;
}

std::string message_body(const WholeAnswer& answer) {
  std::string out = R"({"id":)";
  json::append_string(out, answer.origin.id);
  out += R"(,"type":"message","role":"assistant","model":)";
  json::append_string(out, answer.origin.model);
  out += R"(,"content":[)";
  std::size_t calls = 0;
  for (const AnswerBlock& block : answer.blocks.all()) {
    if (&block != &answer.blocks.all().front()) out += ',';
    append_anthropic_block(out, block, answer, calls);
  }
  out += "],";
  const bool refused = answer.refused && answer.reason == FinishReason::stop;
  append_stop_members(out, refused ? FinishReason::content_filter : answer.reason, answer.stop_sequence,
                      answer.blocks.has_calls());
  out += R"(,"usage":)";
  append_anthropic_usage(out, answer.usage);
  out += '}';
  return out;
}

}  // namespace fuseboard::llm
