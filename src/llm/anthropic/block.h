// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The parts of an Anthropic message, streamed or whole. Included by sources of this module alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "json/document.h"

namespace fuseboard::llm {

// What a content block is. Of the kinds there are, those that run at the provider (its calls and their results) and
// redacted_thinking have nothing that another dialect could say.
enum class BlockKind : std::uint8_t { text, thinking, tool_use, provider_call, other };

// Whether a block of this kind is written for a while before there is anything to see of it: thoughts whose text is
// left out or kept secret, arguments that are sent once they are whole, what runs at the provider. Text is seen.
constexpr bool works_unseen(BlockKind kind) noexcept { return kind != BlockKind::text; }

// A content block or a delta of one: members of the same name mean the same in both. Views are valid as long as the
// document is open. Literals are as written, quotes included, empty if absent.
struct BlockPart {
  std::string_view type{};
  std::string_view id{};
  std::string_view name{};
  std::string_view text{};          // literal
  std::string_view thinking{};      // literal
  std::string_view signature{};     // literal
  std::string_view partial_json{};  // literal
  std::string_view input{};  // the object, also one that is written in a string, or what stands there in its place;
                             // empty also if it has no member
};
void take_block_member(BlockPart& part, std::string_view name, const json::Value& value);
BlockPart read_block_part(const json::Value& value);
BlockKind kind_of(std::string_view block_type) noexcept;

// Whether a literal says anything.
constexpr bool says_something(std::string_view literal) noexcept { return literal.size() > 2; }

}  // namespace fuseboard::llm
