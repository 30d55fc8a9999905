// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/conversation.h"

#include <algorithm>
#include <charconv>

#include "llm/turn_order.h"

namespace fuseboard::llm {
namespace {

// How many bytes of whitespace `text` ends with; 0: none. Escaped whitespace counts where the text is raw.
std::size_t space_at_end(Text text) noexcept {
  const std::string_view bytes = text.bytes;
  if (bytes.empty()) return 0;
  const char last = bytes.back();
  if (last == ' ' || last == '\n' || last == '\t' || last == '\r') return 1;
  if (!text.is_raw || (last != 'n' && last != 't' && last != 'r')) return 0;
  const std::string_view before = bytes.substr(0, bytes.size() - 1);
  const std::size_t other = before.find_last_not_of('\\');
  const std::size_t backslashes = before.size() - (other == std::string_view::npos ? 0 : other + 1);
  return backslashes % 2 == 1 ? 2 : 0;
}

constexpr bool is_id_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Anthropic takes letters, digits, _ and - in the ids of calls; other providers have dots and colons too.
void clean_id(Text& id, std::deque<std::string>& made) {
  if (std::ranges::all_of(id.bytes, is_id_character)) return;
  std::string& clean = made.emplace_back(id.bytes);
  std::ranges::replace_if(clean, [](char c) { return !is_id_character(c); }, '_');
  id.bytes = clean;
}

// OpenAI wants a name for each file.
void name_files(std::vector<Block>& blocks) {
  for (Block& block : blocks) {
    name_files(block.content);
    if (block.kind == Block::Kind::document && block.name.empty()) block.name = {.bytes = "document.pdf"};
  }
}

bool is_one(std::string_view number) noexcept {
  double value = 0.0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  return value == 1.0;
}

}  // namespace

bool is_blank(Text text) noexcept { return without_trailing_space(text).empty(); }

Text without_trailing_space(Text text) noexcept {
  while (const std::size_t space = space_at_end(text)) text.bytes.remove_suffix(space);
  return text;
}

std::uint64_t thinking_budget(Effort effort) noexcept {
  switch (effort) {
    case Effort::unsaid:
    case Effort::none:
      return 0;
    case Effort::low:
      return 1024;
    case Effort::medium:
      return 8192;
    case Effort::high:
    case Effort::xhigh:
      return 24576;
  }
  return 0;
}

std::string_view word(Effort effort) noexcept {
  switch (effort) {
    case Effort::unsaid:
    case Effort::none:
      return {};
    case Effort::low:
      return "low";
    case Effort::medium:
      return "medium";
    case Effort::high:
      return "high";
    case Effort::xhigh:
      return "xhigh";
  }
  return {};
}

void normalize(Conversation& conversation) {
  put_turns_in_order(conversation);
  for (Turn& turn : conversation.turns) {
    name_files(turn.blocks);
    for (Block& block : turn.blocks) clean_id(block.id, conversation.made);
  }
  // 1 is the default; newer models of Anthropic's take no top_p beside a temperature.
  if (is_one(conversation.top_p)) conversation.top_p = {};
  if (conversation.choice == Choice::none || conversation.tools.empty()) conversation.parallel = true;
}

}  // namespace fuseboard::llm
