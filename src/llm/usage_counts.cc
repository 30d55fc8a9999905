// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/usage_counts.h"

#include <string_view>

namespace fuseboard::llm {

void UsageCounts::Count::read(const json::Value& value) noexcept {
  if (value.is_null()) return;
  const auto count = value.whole();
  unreadable = !count || *count > kMaxTokens;
  if (unreadable) return;
  tokens = *count;
  told = true;
}

bool UsageCounts::update(const json::Value& value) {
  if (!value.is_object()) return false;
  total_ = {};  // of this object's numbers
  const auto read_detail = [](const json::Value& details, std::string_view field, Count& count) {
    details.each_member([&](std::string_view name, const json::Value& member) {
      if (name == field) count.read(member);
    });
  };
  value.each_member([&](std::string_view name, const json::Value& member) {
    if (name == "prompt_tokens") prompt_.read(member);
    if (name == "input_tokens") input_.read(member);
    if (name == "completion_tokens" || name == "output_tokens") completion_.read(member);
    if (name == "total_tokens") total_.read(member);
    if (name == "prompt_tokens_details") {
      read_detail(member, "cached_tokens", cached_);
      read_detail(member, "cache_write_tokens", cache_written_);  // OpenRouter
    }
    if (name == "input_tokens_details") read_detail(member, "cached_tokens", cached_);
    if (name == "prompt_cache_hit_tokens") cached_.read(member);  // DeepSeek
    if (name == "completion_tokens_details" || name == "output_tokens_details") {
      read_detail(member, "reasoning_tokens", reasoning_);
    }
    if (name == "cache_read_input_tokens") cache_read_.read(member);
    if (name == "cache_creation_input_tokens") cache_creation_.read(member);
  });
  return true;
}

// What decides about the charge must be readable, all of it; a detail that is not, is not there.
Usage UsageCounts::usage() const noexcept {
  const bool told = prompt_.told || input_.told || completion_.told || total_.told;
  const bool unreadable = prompt_.unreadable || input_.unreadable || completion_.unreadable || total_.unreadable ||
                          cache_read_.unreadable || cache_creation_.unreadable;
  if (!told || unreadable) return {};
  Usage usage{.known = true,
              .completion = completion_.tokens,
              .total = total_.tokens,
              .cached = cache_read_.told ? cache_read_.tokens : cached_.tokens,
              .reasoning = reasoning_.tokens,
              .cache_written = cache_creation_.told ? cache_creation_.tokens : cache_written_.tokens};
  // LiteLLM puts Anthropic's cache counts beside a prompt_tokens that includes them.
  usage.prompt =
      prompt_.told ? prompt_.tokens : input_.tokens + cache_read_.tokens + cache_creation_.tokens;  // each is bounded
  if (usage.total == 0) usage.total = usage.prompt + usage.completion;
  return usage;
}

std::optional<Usage> read_usage(const json::Value& value) {
  UsageCounts counts;
  if (!counts.update(value)) return std::nullopt;
  return counts.usage();
}

}  // namespace fuseboard::llm
