// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/chat_message.h"

#include <optional>
#include <utility>

#include "llm/answer_parts.h"
#include "llm/seen_text.h"

namespace fuseboard::llm {
namespace {

bool is_reasoning(std::string_view name) { return name == "reasoning_content" || name == "reasoning"; }

void add_text(std::vector<Delta>& deltas, Delta::Kind kind, std::string text) {
  if (!text.empty()) deltas.push_back({.kind = kind, .text = std::move(text)});
}

}  // namespace

struct ChatMessageReader::Said {
  std::string reasoning{};
  std::string text{};
  std::string refusal{};
  std::vector<Delta> calls{};
  MessageFacts facts{};
};

struct ChatMessageReader::CallPiece {
  std::optional<std::uint64_t> index{};
  std::string_view id{};
  std::string_view name{};
  std::string_view arguments{};  // as written
};

MessageFacts look_at_message(const JsonValue& message) {
  MessageFacts facts;
  MessageBytes bytes;
  message.each_member([&](std::string_view name, const JsonValue& value) {
    if (!is_content_field(name)) return;
    const bool is_text = name == "content" && value.is_string();
    if (!value.has_content()) return;
    facts.content = true;
    facts.plain = facts.plain && is_text;
    bytes.take(name, value);
  });
  facts.bytes = bytes.count();
  return facts;
}

MessageFacts ChatMessageReader::read(const JsonValue& message, MessageForm form, std::vector<Delta>& deltas) {
  Said said;
  MessageBytes bytes;
  bool reasoning_said = false;
  message.each_member([&](std::string_view name, const JsonValue& value) {
    if (!is_content_field(name)) return;
    bytes.take(name, value);
    if (name == "content") {
      read_content(value, said);
      return;
    }
    if (name == "tool_calls") {
      read_calls(value, form, said);
      return;
    }
    const std::string_view literal = value.literal();
    if (!value.has_content()) return;
    said.facts.content = true;
    said.facts.plain = false;
    if (name == "refusal") refusal_.append(said.refusal, literal);
    // Some servers say the same thoughts under both names.
    if (is_reasoning(name) && !std::exchange(reasoning_said, true)) reasoning_.append(said.reasoning, literal);
  });
  add_text(deltas, Delta::Kind::reasoning, std::move(said.reasoning));
  add_text(deltas, Delta::Kind::text, std::move(said.text));
  add_text(deltas, Delta::Kind::refusal, std::move(said.refusal));
  for (Delta& delta : said.calls) deltas.push_back(std::move(delta));
  said.facts.bytes = bytes.count();
  return said.facts;
}

void ChatMessageReader::read_content(const JsonValue& content, Said& said) {
  if (content.is_string()) {
    const std::string_view literal = content.literal();
    said.facts.content = said.facts.content || literal.size() > 2;
    text_.append(said.text, literal);
    return;
  }
  content.each_element([&](const JsonValue& part) {
    said.facts.content = true;
    said.facts.plain = false;
    read_content_part(part, said);
  });
}

// Mistral: {"type":"text","text"} and {"type":"thinking","thinking":[{"type":"text","text"}]}.
void ChatMessageReader::read_content_part(const JsonValue& part, Said& said) {
  part.each_member([&](std::string_view name, const JsonValue& value) {
    if (name == "text") text_.append(said.text, value.literal());
    if (name != "thinking") return;
    value.each_element([&](const JsonValue& thought) {
      thought.each_member([&](std::string_view field, const JsonValue& words) {
        if (field == "text") reasoning_.append(said.reasoning, words.literal());
      });
    });
  });
}

void ChatMessageReader::read_calls(const JsonValue& calls, MessageForm form, Said& said) {
  calls.each_element([&](const JsonValue& element) {
    said.facts.content = true;
    said.facts.plain = false;
    CallPiece piece;
    element.each_member([&](std::string_view name, const JsonValue& value) {
      if (name == "index") {
        if (const auto index = value.integer<std::uint64_t>()) piece.index = *index;
      } else if (name == "id") {
        piece.id = value.text();
      } else if (name == "function") {
        value.each_member([&](std::string_view field, const JsonValue& member) {
          if (field == "name") piece.name = member.text();
          if (field == "arguments") piece.arguments = member.literal();
        });
      }
    });
    read_call(piece, form, said);
  });
}

// Which call a piece goes on with; calls_.size(): a new one. Some servers leave the index out, and some count every
// call 0: a piece with a name and an id of its own begins a call.
std::size_t ChatMessageReader::find_call(const CallPiece& piece, MessageForm form) const noexcept {
  if (form == MessageForm::whole) return calls_.size();
  for (std::size_t i = calls_.size(); i-- > 0;) {
    const Call& call = calls_[i];
    if (piece.index && call.index != *piece.index) continue;
    const bool another = !piece.name.empty() && !piece.id.empty() && piece.id != call.id;
    return another ? calls_.size() : i;
  }
  return calls_.size();
}

void ChatMessageReader::read_call(const CallPiece& piece, MessageForm form, Said& said) {
  const std::size_t found = find_call(piece, form);
  const auto tool = static_cast<std::uint32_t>(found);
  if (found == kMaxToolCalls) {
    said.facts.too_many = true;
    return;
  }
  if (found == calls_.size()) {
    calls_.push_back({.index = piece.index.value_or(found), .id = std::string(piece.id)});
    said.calls.push_back(
        {.kind = Delta::Kind::tool_begin, .tool = tool, .id = std::string(piece.id), .name = std::string(piece.name)});
  }
  std::string arguments;
  calls_[found].arguments.append(arguments, piece.arguments);
  if (form == MessageForm::whole) calls_[found].arguments.finish(arguments);
  if (arguments.empty()) return;
  said.calls.push_back({.kind = Delta::Kind::tool_arguments, .tool = tool, .text = std::move(arguments)});
}

void ChatMessageReader::finish(std::vector<Delta>& deltas) {
  const auto finish_text = [&deltas](TextDecoder& decoder, Delta::Kind kind) {
    std::string text;
    decoder.finish(text);
    add_text(deltas, kind, std::move(text));
  };
  finish_text(reasoning_, Delta::Kind::reasoning);
  finish_text(text_, Delta::Kind::text);
  finish_text(refusal_, Delta::Kind::refusal);
}

}  // namespace fuseboard::llm
