// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/translate_answer.h"

#include <utility>

#include "json/scan.h"
#include "json/string_decoder.h"
#include "llm/answer_bodies.h"
#include "llm/answer_parts.h"
#include "llm/finish_reason.h"
#include "llm/message_blocks.h"
#include "llm/stream_reader.h"
#include "llm/stream_writer.h"

namespace fuseboard::llm {
namespace {

using Deltas = std::vector<Delta>;

std::unexpected<std::string> not_an_answer(std::string_view of_what) {
  return std::unexpected("the answer is not " + std::string(of_what));
}

// A whole completion differs from a stream's event in nothing that its reader minds.
std::expected<Deltas, std::string> completion_deltas(std::string_view body) {
  const auto reader = make_stream_reader(Endpoint::chat_completions, {.deltas = true});
  const StreamPiece piece = reader->read({}, body);
  if (piece == StreamPiece::malformed) return not_an_answer("a JSON object of bounded size");
  if (piece == StreamPiece::error || !(reader->content_seen() || piece == StreamPiece::finish)) {
    return not_an_answer("a chat completion");
  }
  return Deltas(reader->deltas().begin(), reader->deltas().end());
}

// Reads an Anthropic message; the object may have its members in any order.
class MessageTaker {
 public:
  std::expected<Deltas, std::string> take(std::string_view body);

 private:
  void take_block(const BlockPart& part);
  void say(Delta::Kind kind, std::string text);

  Deltas blocks_{};
  std::uint32_t calls_ = 0;
};

std::expected<Deltas, std::string> MessageTaker::take(std::string_view body) {
  if (json::validate_object(body, [](const json::Member&) {})) return not_an_answer("a JSON object");
  Delta begin{.kind = Delta::Kind::begin};
  Delta finish{.kind = Delta::Kind::finish};
  UsageCounts counts;
  bool has_content = false;
  json::Document document(body);
  document.root().each_member([&](std::string_view name, const json::Value& value) {
    if (name == "id") begin.id = value.cut_text(kMaxNameBytes);
    if (name == "model") begin.model = value.cut_text(kMaxNameBytes);
    if (name == "usage") counts.update(value);
    if (name == "stop_reason") finish.reason = finish_reason(Dialect::anthropic, value.cut_text(kMaxNameBytes));
    if (name == "stop_sequence") finish.text = value.text();
    if (name == "content") {
      has_content = value.is_array();
      value.each_element([&](const json::Value& block) { take_block(read_block_part(block)); });
    }
  });
  if (!has_content) return not_an_answer("a message");
  Deltas deltas{std::move(begin)};
  for (Delta& delta : blocks_) deltas.push_back(std::move(delta));
  deltas.push_back(std::move(finish));
  if (const Usage usage = counts.usage(); usage.known) deltas.push_back({.kind = Delta::Kind::usage, .usage = usage});
  return deltas;
}

void MessageTaker::take_block(const BlockPart& part) {
  switch (kind_of(part.type)) {
    case BlockKind::text:
      say(Delta::Kind::text, json::decode(part.text));
      break;
    case BlockKind::thinking:
      say(Delta::Kind::reasoning, json::decode(part.thinking));
      say(Delta::Kind::signature, json::decode(part.signature));
      break;
    case BlockKind::tool_use:
      blocks_.push_back({.kind = Delta::Kind::tool_begin,
                         .tool = calls_,
                         .id = std::string(part.id),
                         .name = std::string(part.name)});
      say(Delta::Kind::tool_arguments, std::string(part.input));
      ++calls_;
      break;
    case BlockKind::provider_call:
    case BlockKind::other:
      break;
  }
}

void MessageTaker::say(Delta::Kind kind, std::string text) {
  if (text.empty()) return;
  blocks_.push_back({.kind = kind, .tool = kind == Delta::Kind::tool_arguments ? calls_ : 0, .text = std::move(text)});
}

}  // namespace

std::expected<Deltas, std::string> answer_deltas(Dialect dialect, std::string_view body) {
  return dialect == Dialect::openai ? completion_deltas(body) : MessageTaker().take(body);
}

std::string answer_body(Dialect dialect, std::span<const Delta> deltas, const StreamOrigin& origin) {
  const WholeAnswer answer(deltas, origin);
  return dialect == Dialect::openai ? completion_body(answer) : message_body(answer);
}

std::expected<std::string, std::string> translate_answer(Dialect from, Dialect to, std::string_view body,
                                                         const StreamOrigin& origin) {
  const auto deltas = answer_deltas(from, body);
  if (!deltas) return std::unexpected(deltas.error());
  return answer_body(to, *deltas, origin);
}

std::string answer_events(Dialect dialect, std::span<const Delta> deltas, const StreamOrigin& origin) {
  const auto writer = make_stream_writer(dialect, origin);
  std::string events;
  // What was used is known from the beginning.
  for (const Delta& delta : deltas) {
    if (delta.kind == Delta::Kind::usage) writer->write(delta, events);
  }
  for (const Delta& delta : deltas) writer->write(delta, events);
  writer->end(events);
  return events;
}

}  // namespace fuseboard::llm
