// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/message_blocks.h"

namespace fuseboard::llm {
namespace {

std::string_view filled_object(ondemand::value value) {
  ondemand::object object;
  bool is_empty = true;
  std::string_view text;
  if (value.get_object().get(object) || object.is_empty().get(is_empty) || is_empty) return {};
  if (object.raw_json().get(text)) return {};
  return text;
}

}  // namespace

void take_block_member(BlockPart& part, ondemand::raw_json_string name, ondemand::value value) {
  if (name == "type") part.type = view_of(value);
  if (name == "id") part.id = view_of(value);
  if (name == "name") part.name = view_of(value);
  if (name == "text") part.text = literal_of(value);
  if (name == "thinking") part.thinking = literal_of(value);
  if (name == "signature") part.signature = literal_of(value);
  if (name == "partial_json") part.partial_json = literal_of(value);
  if (name == "input") part.input = filled_object(value);
}

BlockPart read_block_part(ondemand::value value) {
  BlockPart part;
  for_each_member(value.get_object(), [&](ondemand::raw_json_string name, ondemand::value member) {
    take_block_member(part, name, member);
  });
  return part;
}

BlockKind kind_of(std::string_view block_type) noexcept {
  if (block_type == "text") return BlockKind::text;
  if (block_type == "thinking") return BlockKind::thinking;
  return block_type == "tool_use" ? BlockKind::tool_use : BlockKind::other;
}

}  // namespace fuseboard::llm
