// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/cache_policy.h"

#include <algorithm>
#include <array>

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 5> kBypassNames = {"none", "disabled", "sampled", "no_cache", "no_store"};

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_directive(std::string_view text, std::string_view name) noexcept {
  return std::equal(text.begin(), text.end(), name.begin(), name.end(), [](char a, char b) { return lower(a) == b; });
}

std::string_view without_blanks(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Where the directive at the beginning of `text` ends: at a comma that is not inside a quoted string.
std::size_t directive_end(std::string_view text) noexcept {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      return i;
    }
  }
  return text.size();
}

}  // namespace

void CacheControl::read(std::string_view line) noexcept {
  while (!line.empty()) {
    const std::size_t end = directive_end(line);
    const std::string_view directive = line.substr(0, end);
    const std::string_view name = without_blanks(directive.substr(0, directive.find('=')));
    if (same_directive(name, "no-cache")) no_cache = true;
    if (same_directive(name, "no-store")) no_store = true;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

std::string_view name(CacheBypass bypass) noexcept { return kBypassNames[static_cast<std::size_t>(bypass)]; }

CacheDecision decide_cache(const CacheQuestion& question) noexcept {
  if (!question.enabled) return {.why_not = CacheBypass::disabled};
  if (question.control.no_store) return {.why_not = CacheBypass::no_store};
  // Written so that NaN bypasses.
  const bool greedy = question.temperature && *question.temperature <= 0.0;
  if (!greedy && !question.nondeterministic) return {.why_not = CacheBypass::sampled};
  if (question.control.no_cache) return {.store = true, .why_not = CacheBypass::no_cache};
  return {.lookup = true, .share = true, .store = true};
}

bool cacheable(const CacheDecision& decision, const CacheableAnswer& answer) noexcept {
  return decision.store && answer.succeeded && answer.complete && answer.one_answer;
}

}  // namespace fuseboard
