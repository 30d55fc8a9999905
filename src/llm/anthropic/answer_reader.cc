// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <utility>

#include "json/document.h"
#include "json/scan.h"
#include "json/string_decoder.h"
#include "llm/anthropic/block.h"
#include "llm/anthropic/messages.h"
#include "llm/finish_reason.h"
#include "llm/usage_counts.h"

namespace fuseboard::llm {
namespace {

using Deltas = std::vector<Delta>;

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
  if (json::validate_object(body, [](const json::Member&) {}))
    return std::unexpected("the answer is not a JSON object");
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
  if (!has_content) return std::unexpected("the answer is not a message");
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

std::expected<Deltas, std::string> message_deltas(std::string_view body) { return MessageTaker().take(body); }

}  // namespace fuseboard::llm
