// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/turn_order.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fuseboard::llm {
namespace {

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
void put_instructions_after_results(std::vector<Turn>& turns) {
  const auto calls = [](const Turn& turn) {
    return turn.is_assistant && std::ranges::find(turn.blocks, Block::Kind::call, &Block::kind) != turn.blocks.end();
  };
  bool moved = false;
  for (std::size_t i = 1; i + 1 < turns.size(); ++i) {
    if (!turns[i].is_system || !calls(turns[i - 1]) || turns[i + 1].is_assistant) continue;
    std::swap(turns[i], turns[i + 1]);
    moved = true;
  }
  if (moved) merge(turns);
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

}  // namespace

void put_turns_in_order(Conversation& conversation) {
  std::erase_if(conversation.system, is_blank);
  for (Turn& turn : conversation.turns) drop_blank(turn.blocks);
  merge(conversation.turns);
  put_instructions_after_results(conversation.turns);
  for (Turn& turn : conversation.turns) put_in_order(turn.blocks);
  if (!conversation.turns.empty() && conversation.turns.back().is_assistant) {
    Block& last = conversation.turns.back().blocks.back();
    if (last.kind == Block::Kind::text) last.text = without_trailing_space(last.text);
  }
}

}  // namespace fuseboard::llm
