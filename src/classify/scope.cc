// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/scope.h"

#include <array>
#include <cstdint>
#include <optional>

#include "classify/fold.h"

namespace fuseboard::classify_internal {
namespace {

struct Row {
  std::string_view text;  // see Pattern
  FailureScope scope;
  std::string_view source;
};

// The more telling ones first.
constexpr Row kRows[] = {
    {"can only afford", FailureScope::request, "OpenRouter, 402: fewer max_tokens would be paid for"},
    {"more credits or fewer max_tokens", FailureScope::request, "the same"},

    {"openai-organization header", FailureScope::caller, "OpenAI, 401: should match organization for API key"},
    {"openai-project header", FailureScope::caller, "OpenAI, 401: should match project for API key"},
    {"no such organization", FailureScope::caller, "OpenAI, 401"},
    {"no such project", FailureScope::caller, "OpenAI, 401"},

    {"missing scopes", FailureScope::endpoint, "OpenAI, 401: Missing scopes: api.responses.write"},
    {"missing scope", FailureScope::endpoint, "the same"},
    {"scope requirement", FailureScope::endpoint, "Anthropic: OAuth token does not meet scope requirement"},
    {"access this endpoint", FailureScope::endpoint, "GitHub Models, 401: permission is required to"},
    {"access to this endpoint", FailureScope::endpoint, "providers of hosted models"},
    {"use this endpoint", FailureScope::endpoint, "providers of hosted models"},
    {"lacks the required data action", FailureScope::endpoint, "Azure OpenAI, 401: to perform `POST /openai/...`"},

    {"model <q>", FailureScope::model, "Groq: tokens per day for model `llama-3.3-70b-versatile`"},
    {"for model *", FailureScope::model, "the same, without quotes"},
    {"of model *", FailureScope::model, "providers of hosted models"},
    {"to model *", FailureScope::model, "providers of hosted models: no access to model"},
    {"for the model", FailureScope::model, "providers of hosted models"},
    {"limit <n> model", FailureScope::model, "Gemini: limit: 50, model: gemini-2.5-pro"},
    {"rate limit reached for * in", FailureScope::model,
     "OpenAI: for gpt-4o in organization org-x on requests per day"},
    {"rate limit reached for * on", FailureScope::model, "the same, in its older form"},
    {"base model", FailureScope::model, "Vertex AI: online_prediction_requests_per_base_model"},
    {"this model", FailureScope::model, "Mistral, Together"},
    {"free-models-per-day", FailureScope::model, "OpenRouter, 429: paid models go on"},
    {"free-models-per-day-high-balance", FailureScope::model, "the same"},
    {"free-models-per-min", FailureScope::model, "the same"},
};

consteval auto compile() {
  std::array<Pattern, std::size(kRows)> patterns{};
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = Pattern(kRows[i].text);
  return patterns;
}
constexpr auto kPatterns = compile();
static_assert([] {
  for (const Pattern& pattern : kPatterns) {
    if (pattern.empty()) return false;
  }
  return true;
}());

struct CodeScope {
  std::string_view code;
  FailureScope scope;
};
constexpr CodeScope kCodes[] = {
    {"invalid_organization", FailureScope::caller},     // OpenAI, 401
    {"mismatched_organization", FailureScope::caller},  // OpenAI, 401
    {"invalid_project", FailureScope::caller},          // OpenAI, 401
    {"mismatched_project", FailureScope::caller},       // OpenAI, 401
    {"insufficient_scope", FailureScope::endpoint},     // RFC 6750
};

constexpr std::uint64_t kLimit = hash_lower("limit");
constexpr std::uint64_t kRequested = hash_lower("requested");

// "30000", "30,000"; nullopt for what is no whole number below 10^18.
std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ',') continue;
    if (!is_digit(c) || ++digits > 18) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return digits == 0 ? std::nullopt : std::optional(number);
}

// The number behind the word, anywhere from `at` on.
std::optional<std::uint64_t> number_behind(const Words& words, std::uint64_t word, std::size_t& at) noexcept {
  for (; at + 1 < words.size(); ++at) {
    if (!words.is(at, word) || words[at + 1].kind != WordKind::number) continue;
    if (const auto number = whole_number(words.text(words[at + 1]))) return number;
  }
  return std::nullopt;
}

}  // namespace

FailureScope scope_in(const Words& words) noexcept {
  std::size_t best = std::size(kRows);
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (words[at].kind == WordKind::quoted) continue;
    for (std::size_t row = 0; row < best; ++row) {
      std::size_t after = 0;
      if (kPatterns[row].first() == words[at].hash && kPatterns[row].matches(words, at, after)) best = row;
    }
  }
  return best == std::size(kRows) ? FailureScope::unnamed : kRows[best].scope;
}

FailureScope scope_of_code(std::string_view code) noexcept {
  for (const CodeScope& row : kCodes) {
    if (equal_folded(code, row.code)) return row.scope;
  }
  return FailureScope::unnamed;
}

bool requests_more_than_limit(const Words& words) noexcept {
  std::size_t at = 0;
  const auto limit = number_behind(words, kLimit, at);
  const auto requested = limit ? number_behind(words, kRequested, at) : std::nullopt;
  return requested && *limit > 0 && *requested > *limit;
}

}  // namespace fuseboard::classify_internal
