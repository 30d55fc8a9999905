// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/conversation.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

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

void drop_blank(std::vector<Block>& blocks) {
  for (Block& block : blocks) drop_blank(block.content);
  std::erase_if(blocks, [](const Block& block) { return block.kind == Block::Kind::text && is_blank(block.text); });
}

bool has_role_of(const Turn& turn, const Turn& other) noexcept {
  return turn.is_assistant == other.is_assistant && turn.is_system == other.is_system;
}

// Neighbours of one role become one turn.
void merge(std::vector<Turn>& turns) {
  std::vector<Turn> merged;
  merged.reserve(turns.size());
  for (Turn& turn : turns) {
    if (turn.blocks.empty()) continue;
    if (merged.empty() || !has_role_of(merged.back(), turn)) {
      merged.push_back(std::move(turn));
    } else {
      std::move(turn.blocks.begin(), turn.blocks.end(), std::back_inserter(merged.back().blocks));
    }
  }
  turns = std::move(merged);
}

// OpenAI wants the results right behind the calls: instructions between them come after.
void part_from_calls(std::vector<Turn>& turns) {
  const auto calls = [](const Turn& turn) {
    return turn.is_assistant && std::ranges::find(turn.blocks, Block::Kind::call, &Block::kind) != turn.blocks.end();
  };
  bool parted = false;
  for (std::size_t i = 1; i + 1 < turns.size(); ++i) {
    if (!turns[i].is_system || !calls(turns[i - 1]) || turns[i + 1].is_assistant) continue;
    std::swap(turns[i], turns[i + 1]);
    parted = true;
  }
  if (parted) merge(turns);
}

// Results first, calls last; what is of one sort stays in its order.
void put_in_order(std::vector<Block>& blocks) {
  const auto rank = [](const Block& block) {
    return block.kind == Block::Kind::result ? 0 : block.kind == Block::Kind::call ? 2 : 1;
  };
  if (std::ranges::is_sorted(blocks, {}, rank)) return;
  std::vector<Block> ordered;
  ordered.reserve(blocks.size());
  for (int sort = 0; sort <= 2; ++sort) {
    for (Block& block : blocks) {
      if (rank(block) == sort) ordered.push_back(block);
    }
  }
  blocks = std::move(ordered);
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

void tidy(Conversation& conversation) {
  std::erase_if(conversation.system, is_blank);
  for (Turn& turn : conversation.turns) drop_blank(turn.blocks);
  merge(conversation.turns);
  part_from_calls(conversation.turns);
  for (Turn& turn : conversation.turns) {
    put_in_order(turn.blocks);
    name_files(turn.blocks);
    for (Block& block : turn.blocks) clean_id(block.id, conversation.made);
  }
  if (!conversation.turns.empty() && conversation.turns.back().is_assistant) {
    Block& last = conversation.turns.back().blocks.back();
    if (last.kind == Block::Kind::text) last.text = without_trailing_space(last.text);
  }
  // 1 is the default; newer models of Anthropic's take no top_p beside a temperature.
  if (is_one(conversation.top_p)) conversation.top_p = {};
  if (conversation.choice == Choice::none || conversation.tools.empty()) conversation.parallel = true;
}

}  // namespace fuseboard::llm
