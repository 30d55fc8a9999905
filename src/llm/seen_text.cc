// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/seen_text.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace fuseboard::llm {
namespace {

// What the escape `\uXXXX` is in UTF-8; of a surrogate pair each half has half of the four bytes.
std::size_t unit_bytes(std::string_view digits) noexcept {
  unsigned unit = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (unit < 0x80) return 1;
  const bool half = unit >= 0xD800 && unit <= 0xDFFF;
  return unit < 0x800 || half ? 2 : 3;
}

// Mistral: {"type":"text","text"} and {"type":"thinking","thinking":[{"type":"text","text"}]}.
std::uint64_t part_bytes(const json::Value& part) {
  std::uint64_t bytes = 0;
  part.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "text" || name == "refusal") bytes += text_bytes(value.literal());
    if (name != "thinking") return;
    bytes += text_bytes(value.literal());
    value.each_element([&](const json::Value& thought) { bytes += member_bytes(thought, {"text"}); });
  });
  return bytes;
}

std::uint64_t parts_bytes(const json::Value& parts) {
  std::uint64_t bytes = 0;
  parts.each_element([&](const json::Value& part) { bytes += part_bytes(part); });
  return bytes;
}

std::uint64_t calls_bytes(const json::Value& calls) {
  std::uint64_t bytes = 0;
  calls.each_element([&](const json::Value& call) {
    call.each_member([&](std::string_view name, const json::Value& value) {
      if (name == "function" || name == "custom") bytes += member_bytes(value, {"arguments", "input"});
    });
  });
  return bytes;
}

}  // namespace

std::uint64_t text_bytes(std::string_view literal) noexcept {
  if (literal.size() < 2) return 0;
  std::string_view text = literal.substr(1, literal.size() - 2);
  std::uint64_t bytes = text.size();
  for (;;) {
    const auto* const escape = static_cast<const char*>(std::memchr(text.data(), '\\', text.size()));
    if (escape == nullptr) return bytes;
    text.remove_prefix(static_cast<std::size_t>(escape - text.data()));
    const bool is_unit = text[1] == 'u';
    const std::size_t written = is_unit ? 6 : 2;
    bytes -= written - (is_unit ? unit_bytes(text.substr(2, 4)) : 1);
    text.remove_prefix(written);
  }
}

std::uint64_t value_bytes(const json::Value& value) noexcept {
  if (value.is_string()) return text_bytes(value.literal());
  return value.is_object() || value.is_array() ? value.raw().size() : 0;
}

std::uint64_t member_bytes(const json::Value& object, std::initializer_list<std::string_view> names) {
  std::uint64_t bytes = 0;
  object.each_member([&](std::string_view name, const json::Value& value) {
    if (std::ranges::find(names, name) != names.end()) bytes += value_bytes(value);
  });
  return bytes;
}

void MessageBytes::take(std::string_view name, const json::Value& value) {
  if (name == "content") {
    said_ += value.is_string() ? text_bytes(value.literal()) : parts_bytes(value);
  } else if (name == "reasoning_content" || name == "reasoning") {
    thoughts_ = std::max(thoughts_, text_bytes(value.literal()));
  } else if (name == "reasoning_details") {
    value.each_element([&](const json::Value& detail) { details_ += member_bytes(detail, {"text", "summary"}); });
  } else if (name == "refusal") {
    said_ += text_bytes(value.literal());
  } else if (name == "tool_calls") {
    said_ += calls_bytes(value);
  } else if (name == "function_call") {
    said_ += member_bytes(value, {"arguments"});
  } else if (name == "audio") {
    said_ += member_bytes(value, {"transcript"});
  }
}

// Not what a tool of the provider's has found: that is input.
std::uint64_t item_bytes(const json::Value& item) {
  std::uint64_t bytes = 0;
  item.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "arguments" || name == "input" || name == "code") bytes += value_bytes(value);
    if (name == "content" || name == "summary") {
      value.each_element(
          [&](const json::Value& part) { bytes += member_bytes(part, {"text", "refusal", "transcript"}); });
    }
  });
  return bytes;
}

}  // namespace fuseboard::llm
