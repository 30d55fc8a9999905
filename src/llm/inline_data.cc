// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/inline_data.h"

#include <algorithm>
#include <array>

namespace fuseboard::llm {
namespace {

constexpr std::string_view kUrlMark = ";base64,";

consteval std::array<bool, 256> base64_characters() {
  std::array<bool, 256> table{};
  constexpr std::string_view kAll = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_";
  for (const char c : kAll) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kIsBase64 = base64_characters();

bool is_base64(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return kIsBase64[static_cast<unsigned char>(c)]; });
}

// What a string's characters carry.
std::string_view payload(std::string_view characters) noexcept {
  // The head of a data URL is short.
  constexpr std::size_t kMaxHead = 200;
  const std::string_view head = characters.substr(0, kMaxHead);
  const std::size_t mark = head.find(kUrlMark);
  return mark == std::string_view::npos ? characters : characters.substr(mark + kUrlMark.size());
}

}  // namespace

InlineData inline_data(std::string_view json) noexcept {
  InlineData data;
  // Between two quotes stands a string's characters or what separates two strings; neither holds base64 by chance, and
  // an escaped quote only cuts a text into pieces.
  for (std::size_t quote = json.find('"'); quote != std::string_view::npos;) {
    const std::size_t next = json.find('"', quote + 1);
    if (next == std::string_view::npos) break;
    const std::string_view found = payload(json.substr(quote + 1, next - quote - 1));
    if (found.size() >= kMinInlineData && is_base64(found)) {
      ++data.items;
      data.bytes += found.size();
    }
    quote = next;
  }
  return data;
}

}  // namespace fuseboard::llm
