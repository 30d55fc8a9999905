// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/composition.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "fuseboard/core/rng.h"
#include "fuseboard/core/utf8.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

constexpr std::size_t kMaxCalls = 128;

constexpr std::array<std::string_view, 64> kWords = {
    "a",       "steady", "circuit", "holds",   "the",     "light",   "while",  "each",   "fuse",  "waits",    "for",
    "current", "and",    "every",   "answer",  "travels", "along",   "copper", "lines",  "until", "quiet",    "returns",
    "to",      "rooms",  "that",    "share",   "one",     "small",   "box",    "of",     "calm",  "switches", "near",
    "door",    "where",  "hands",   "know",    "which",   "lamp",    "will",   "open",   "first", "after",    "storm",
    "passes",  "over",   "roof",    "with",    "patient", "wires",   "under",  "clear",  "glass", "meter",    "counts",
    "slow",    "turns",  "before",  "morning", "load",    "settles", "into",   "rhythm", "again"};

// Sentences of five to twelve words out of the list.
Tokens invented_text(std::uint64_t seed, std::size_t tokens) {
  Rng rng(seed);
  Tokens text;
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

ToolCall call_of(const Tool& tool) { return {tool.name, split_tokens(tool.arguments)}; }

// The first tools, one call each; the first again and again where there are not enough.
std::vector<ToolCall> compose_calls(const ChatRequest& request, std::size_t wanted) {
  const Tool invented = {"get_weather", R"({"city":"Sample City"})"};
  const std::size_t count = request.parallel_calls ? std::clamp<std::size_t>(wanted, 1, kMaxCalls) : 1;
  std::vector<ToolCall> calls;
  for (std::size_t i = 0; i < count; ++i) {
    const bool enough = request.tools.size() >= count;
    calls.push_back(call_of(request.tools.empty() ? invented : request.tools[enough ? i : 0]));
  }
  return calls;
}

bool calls_tool(const ChatRequest& request, const PlannedFault& planned) {
  if (request.tool_barred) return false;
  if (request.tool_forced && !request.tools.empty()) return true;
  // An agent's loop ends: what follows a tool's result is said in words.
  return planned.content == PlannedFault::Content::kToolCall && !request.after_tool_result;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// How much of `text` the prefill says. White space at the prefill's end that is not the text's counts as little as
// models make of it: what the text has there instead is said, too.
std::size_t said_by(std::string_view prefill, std::string_view text) {
  if (text.starts_with(prefill)) return prefill.size();
  const std::string_view said = without_trailing_space(prefill);
  if (!text.starts_with(said)) return 0;
  std::size_t end = said.size();
  if (end < prefill.size()) {
    while (end < text.size() && is_space(text[end])) ++end;
  }
  return end;
}

// Leaves what remains of the text behind `prefill`; all of it where it does not begin so.
void go_on_from(std::string_view prefill, Tokens& tokens) {
  std::size_t skipped = said_by(prefill, joined(tokens));
  auto first = tokens.begin();
  while (first != tokens.end() && skipped >= first->size()) skipped -= (first++)->size();
  if (first != tokens.end()) first->erase(0, skipped);
  tokens.erase(tokens.begin(), first);
}

// The text without regard to any bound, but for one more than `enough` tokens, which bounds the work.
Tokens compose_text(const ChatRequest& request, const PlannedFault& planned, std::uint64_t seed, std::size_t enough) {
  if (planned.content == PlannedFault::Content::kEcho) return split_tokens(request.last_user);
  const std::size_t wanted = planned.tokens != 0 ? planned.tokens : 24 + Rng(seed).below(33);
  return invented_text(seed, std::min(wanted, enough + 1));
}

// Keeps the first `limit` tokens of all.
void cut(std::size_t limit, Composition& composition) {
  if (composition.length() <= limit) return;
  composition.finish = Finish::kLength;
  const auto take = [&limit](Tokens& tokens) {
    tokens.resize(std::min(tokens.size(), limit));
    limit -= tokens.size();
  };
  take(composition.reasoning);
  take(composition.tokens);
  for (ToolCall& call : composition.calls) take(call.arguments);
  std::erase_if(composition.calls, [](const ToolCall& call) { return call.arguments.empty(); });
}

}  // namespace

std::string joined(const Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

Tokens Composition::text_events() const {
  const std::size_t size = std::max<std::size_t>(event_tokens, 1);
  Tokens events;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i % size == 0) events.emplace_back();
    events.back() += tokens[i];
  }
  return events;
}

std::size_t Composition::length() const {
  std::size_t sum = reasoning.size() + tokens.size();
  for (const ToolCall& call : calls) sum += call.arguments.size();
  return sum;
}

Tokens split_tokens(std::string_view text) {
  constexpr std::size_t kLongest = 12;
  Tokens tokens;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t space = text.find(' ', begin + 1);
    std::size_t end = std::min({space, text.size(), begin + kLongest});
    while (end < text.size() && is_continuation(text[end])) ++end;
    tokens.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

Composition compose(const ChatRequest& request, const PlannedFault& planned, const CompositionInput& input) {
  Composition composition;
  const std::string_view prefill = request.prefill ? std::string_view(*request.prefill) : std::string_view();
  const bool restarts = planned.prefill == PlannedFault::Prefill::kIgnored && request.prefill;
  const std::uint64_t prompt_seed = mix(input.seed, request.prompt);
  const std::uint64_t seed = restarts ? mix(prompt_seed, prefill) : prompt_seed;
  const std::size_t asked =
      planned.ignores_max_tokens ? input.max_tokens : request.max_tokens.value_or(input.max_tokens);
  const std::size_t limit = std::min(asked, input.max_tokens);
  composition.event_tokens = planned.event_tokens;
  if (planned.content == PlannedFault::Content::kRefusal) {
    composition.finish = Finish::kRefusal;
    return composition;
  }
  if (planned.content == PlannedFault::Content::kInspect) {
    // Whole whatever max_tokens says: half a JSON text would tell a test nothing. The body's bound is its bound.
    composition.tokens = split_tokens(input.inspected);
    return composition;
  }
  composition.thinks_unseen = planned.hidden_thinking > Duration::zero();
  if (planned.reasoning_tokens != 0 && !composition.thinks_unseen) {
    composition.reasoning = invented_text(mix(seed, "reasoning"), std::min(planned.reasoning_tokens, limit + 1));
  }
  if (calls_tool(request, planned)) {
    composition.calls = compose_calls(request, planned.calls);
    composition.finish = Finish::kToolCall;
  } else {
    // A token has at least a byte, so that many more suffice behind the prefill.
    composition.tokens = compose_text(request, planned, seed, limit + prefill.size());
    if (!restarts) go_on_from(prefill, composition.tokens);
  }
  cut(limit, composition);
  return composition;
}

}  // namespace fuseboard::sim
