// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Deltas put together into the blocks of an answer. Included by sources of this module alone.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "llm/delta.h"

namespace fuseboard::llm {

// Watches the JSON text of a call's arguments go by, to know when nothing more can follow.
class ArgumentsScan {
 public:
  void feed(std::string_view text) noexcept;
  // The value at the front, an object or an array, has ended.
  bool complete() const noexcept { return complete_; }

 private:
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool complete_ = false;
};

struct AnswerBlock {
  enum class Kind : std::uint8_t { text, reasoning, refusal, tool };
  Kind kind = Kind::text;
  std::uint32_t tool = 0;
  std::string id{};         // of a call
  std::string name{};       // likewise
  std::string text{};       // of a call: the arguments
  std::string signature{};  // of thoughts
  bool is_signed = false;   // whoever takes text and signature away leaves this
  ArgumentsScan arguments{};
};

// The blocks in the order in which they began. Not thread-safe.
class AnswerBlocks {
 public:
  // Text of one kind goes to the last block if that is of the kind, else begins one; thoughts are over with their
  // signature. Arguments go to their call, wherever it stands; what follows complete arguments is dropped, as is what
  // comes for a call whose block is gone. Deltas that say nothing of the content change nothing.
  // False: one call more than kMaxToolCalls; nothing has changed.
  bool add(const Delta& delta);

  const std::deque<AnswerBlock>& all() const noexcept { return blocks_; }
  bool has_calls() const noexcept { return !calls_.empty(); }
  bool empty() const noexcept { return blocks_.empty(); }
  AnswerBlock& front() noexcept { return blocks_.front(); }
  void pop_front() noexcept { blocks_.pop_front(); }
  // A text block to go on with, of which nothing is here.
  void push_open_text() { blocks_.emplace_back(); }

 private:
  AnswerBlock& last_of(AnswerBlock::Kind kind);
  bool add_call(const Delta& delta);
  void add_signature(const Delta& delta);

  std::deque<AnswerBlock> blocks_{};
  std::vector<std::uint32_t> calls_{};  // all that began
};

}  // namespace fuseboard::llm
