// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "json/scan.h"
#include "json/string.h"
#include "llm/anthropic/messages.h"
#include "llm/call_id.h"
#include "llm/finish_reason.h"

namespace fuseboard::llm {
namespace {

using Kind = AnswerBlock::Kind;

bool is_blank(std::string_view text) noexcept { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

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

void append_anthropic_usage(std::string& out, const Usage& usage) {
  const std::uint64_t cached = std::min(usage.cached, usage.prompt);
  const std::uint64_t written = std::min(usage.cache_written, usage.prompt - cached);
  fmt::format_to(std::back_inserter(out),
                 R"({{"input_tokens":{},"cache_creation_input_tokens":{},"cache_read_input_tokens":{},)"
                 R"("output_tokens":{}}})",
                 usage.prompt - cached - written, written, cached, usage.completion);
}

void append_stop_members(std::string& out, FinishReason reason, std::string_view stop_sequence, bool has_calls) {
  fmt::format_to(std::back_inserter(out), R"("stop_reason":"{}","stop_sequence":)",
                 finish_word(Dialect::anthropic, reason, has_calls));
  if (reason == FinishReason::stop_sequence && !stop_sequence.empty()) {
    json::append_string(out, stop_sequence);
  } else {
    out += "null";
  }
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
