// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer_blocks.h"

#include <algorithm>

#include "llm/openai_chat/message.h"

namespace fuseboard::llm {

using enum AnswerBlock::Kind;

void ArgumentsScan::feed(std::string_view text) noexcept {
  for (const char c : text) {
    if (complete_) return;
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0) {
      complete_ = --depth_ == 0;
    }
  }
}

bool AnswerBlocks::add(const Delta& delta) {
  switch (delta.kind) {
    case Delta::Kind::text:
      if (!delta.text.empty()) last_of(text).text += delta.text;
      return true;
    case Delta::Kind::reasoning:
      if (!delta.text.empty()) last_of(reasoning).text += delta.text;
      return true;
    case Delta::Kind::refusal:
      if (!delta.text.empty()) last_of(refusal).text += delta.text;
      return true;
    case Delta::Kind::signature:
      add_signature(delta);
      return true;
    case Delta::Kind::tool_begin:
    case Delta::Kind::tool_arguments:
      return add_call(delta);
    case Delta::Kind::begin:
    case Delta::Kind::finish:
    case Delta::Kind::usage:
      break;
  }
  return true;
}

AnswerBlock& AnswerBlocks::last_of(AnswerBlock::Kind kind) {
  if (!blocks_.empty() && blocks_.back().kind == kind && !blocks_.back().is_signed) return blocks_.back();
  return blocks_.emplace_back(AnswerBlock{.kind = kind});
}

// It may come in pieces, and without the thoughts, which a provider may keep to itself.
void AnswerBlocks::add_signature(const Delta& delta) {
  if (delta.text.empty()) return;
  const bool more = !blocks_.empty() && blocks_.back().kind == reasoning;
  AnswerBlock& block = more ? blocks_.back() : last_of(reasoning);
  block.signature += delta.text;
  block.is_signed = true;
}

bool AnswerBlocks::add_call(const Delta& delta) {
  if (std::ranges::find(calls_, delta.tool) == calls_.end()) {
    if (calls_.size() >= kMaxToolCalls) return false;
    calls_.push_back(delta.tool);
    blocks_.push_back({.kind = tool, .tool = delta.tool, .id = delta.id, .name = delta.name});
  }
  const auto is_it = [&](const AnswerBlock& block) { return block.kind == tool && block.tool == delta.tool; };
  const auto found = std::ranges::find_if(blocks_, is_it);
  if (delta.kind == Delta::Kind::tool_begin || found == blocks_.end() || found->arguments.complete()) return true;
  found->text += delta.text;
  found->arguments.feed(delta.text);
  return true;
}

}  // namespace fuseboard::llm
