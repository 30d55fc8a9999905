// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/composition.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "fuseboard/core/rng.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

constexpr std::array<std::string_view, 64> kWords = {
    "a",       "steady", "circuit", "holds",   "the",     "light",   "while",  "each",   "fuse",  "waits",    "for",
    "current", "and",    "every",   "answer",  "travels", "along",   "copper", "lines",  "until", "quiet",    "returns",
    "to",      "rooms",  "that",    "share",   "one",     "small",   "box",    "of",     "calm",  "switches", "near",
    "door",    "where",  "hands",   "know",    "which",   "lamp",    "will",   "open",   "first", "after",    "storm",
    "passes",  "over",   "roof",    "with",    "patient", "wires",   "under",  "clear",  "glass", "meter",    "counts",
    "slow",    "turns",  "before",  "morning", "load",    "settles", "into",   "rhythm", "again"};

// Sentences of five to twelve words out of the list.
std::vector<std::string> invented_text(std::uint64_t seed, std::size_t tokens) {
  Rng rng(seed);
  std::vector<std::string> text;
  text.reserve(tokens);
  std::size_t left_in_sentence = 0;
  for (std::size_t i = 0; i < tokens; ++i) {
    std::string word(kWords[rng.below(kWords.size())]);
    if (left_in_sentence == 0) {
      left_in_sentence = 5 + rng.below(8);
      word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
    }
    if (--left_in_sentence == 0 || i + 1 == tokens) word += '.';
    text.push_back(i == 0 ? std::move(word) : " " + word);
  }
  return text;
}

void compose_call(const ChatRequest& request, Composition& composition) {
  composition.tool = request.tool.empty() ? "get_weather" : request.tool;
  composition.tokens = split_tokens(request.tool.empty() ? R"({"city":"Sample City"})" : request.tool_arguments);
  composition.finish = Finish::kToolCall;
}

bool calls_tool(const ChatRequest& request, const Fate& fate) {
  if (request.tool_forced && !request.tool.empty()) return true;
  // An agent's loop ends: what follows a tool's result is said in words.
  return fate.content == Fate::Content::kToolCall && !request.after_tool_result;
}

}  // namespace

std::string Composition::joined() const {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

std::vector<std::string> split_tokens(std::string_view text) {
  constexpr std::size_t kLongest = 12;
  std::vector<std::string> tokens;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t space = text.find(' ', begin + 1);
    std::size_t end = std::min({space, text.size(), begin + kLongest});
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    tokens.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

Composition compose(const ChatRequest& request, const Fate& fate, const CompositionInput& input) {
  Composition composition;
  const std::uint64_t seed = mix(input.seed, request.prompt);
  const std::size_t limit = std::min(request.max_tokens.value_or(input.max_tokens), input.max_tokens);
  if (fate.content == Fate::Content::kRefusal) {
    composition.finish = Finish::kRefusal;
    return composition;
  }
  if (calls_tool(request, fate)) {
    compose_call(request, composition);
  } else if (fate.content == Fate::Content::kEcho) {
    composition.tokens = split_tokens(request.last_user);
  } else if (fate.content == Fate::Content::kInspect) {
    // Whole whatever max_tokens says: half a JSON text would tell a test nothing. The body's bound is its bound.
    composition.tokens = split_tokens(input.inspected);
    return composition;
  } else {
    const std::size_t wanted = fate.tokens != 0 ? fate.tokens : 24 + Rng(seed).below(33);
    // One more than the limit suffices to see that it is exceeded, and bounds the work.
    composition.tokens = invented_text(seed, std::min(wanted, limit + 1));
  }
  if (composition.tokens.size() > limit) {
    composition.tokens.resize(limit);
    composition.finish = Finish::kLength;
  }
  return composition;
}

}  // namespace fuseboard::sim
