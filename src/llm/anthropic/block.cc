// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/anthropic/block.h"

#include "json/scan.h"

namespace fuseboard::llm {
namespace {

std::string_view filled_object(const json::Value& value) {
  bool is_empty = true;
  value.each_member([&](std::string_view, const json::Value&) { is_empty = false; });
  return is_empty ? std::string_view() : value.raw();
}

// Some servers write the arguments as OpenAI does: a string that holds the object. What is no object is not lost.
std::string_view input_of(const json::Value& value) {
  if (value.is_object()) return filled_object(value);
  if (!value.is_string()) return value.has_content() ? value.raw() : std::string_view();
  const std::string_view text = value.text();
  bool is_empty = true;
  const bool is_object = !json::validate_object(text, [&](const json::Member&) { is_empty = false; });
  return is_object && is_empty ? std::string_view() : text;
}

}  // namespace

void take_block_member(BlockPart& part, std::string_view name, const json::Value& value) {
  if (name == "type") part.type = value.text();
  if (name == "id") part.id = value.text();
  if (name == "name") part.name = value.text();
  if (name == "text") part.text = value.literal();
  if (name == "thinking") part.thinking = value.literal();
  if (name == "signature") part.signature = value.literal();
  if (name == "partial_json") {
    part.partial_json = value.literal();
    if (value.is_object()) part.input = filled_object(value);
  }
  if (name == "input") part.input = input_of(value);
}

BlockPart read_block_part(const json::Value& value) {
  BlockPart part;
  value.each_member([&](std::string_view name, const json::Value& member) { take_block_member(part, name, member); });
  return part;
}

BlockKind kind_of(std::string_view block_type) noexcept {
  if (block_type == "text") return BlockKind::text;
  if (block_type == "thinking") return BlockKind::thinking;
  if (block_type == "tool_use") return BlockKind::tool_use;
  // server_tool_use, mcp_tool_use; their results end in tool_result.
  return block_type.ends_with("_tool_use") ? BlockKind::provider_call : BlockKind::other;
}

}  // namespace fuseboard::llm
