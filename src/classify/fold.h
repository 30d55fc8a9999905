// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Texts compared as tables hold them: without regard to case and punctuation, by a 64-bit hash.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace fuseboard::classify_internal {

inline constexpr std::uint64_t kHashSeed = 0xcbf29ce484222325ULL;

// A rotation and an addition: the product does not wait for the step before, so a byte costs two cycles, not the four
// of FNV-1a.
constexpr std::uint64_t hash_step(std::uint64_t hash, char c) noexcept {
  return std::rotl(hash, 7) + (static_cast<unsigned char>(c) + 1ULL) * 0x9e3779b97f4a7c15ULL;
}

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Of the text in lower case.
constexpr std::uint64_t hash_lower(std::string_view text) noexcept {
  std::uint64_t hash = kHashSeed;
  for (const char c : text) hash = hash_step(hash, lower(c));
  return hash;
}

// Of letters and digits alone, in lower case: "rateLimitExceeded" is "RATE_LIMIT_EXCEEDED". An '@' counts, since
// "@type" is not "type".
constexpr std::uint64_t hash_name(std::string_view text) noexcept {
  std::uint64_t hash = kHashSeed;
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || c == '@') hash = hash_step(hash, lower(c));
  }
  return hash;
}

constexpr bool equal_folded(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

constexpr bool starts_folded(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && equal_folded(text.substr(0, prefix.size()), prefix);
}

constexpr std::string_view trimmed(std::string_view text) noexcept {
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (begin < end && is_space(text[begin])) ++begin;
  while (end > begin && is_space(text[end - 1])) --end;
  return text.substr(begin, end - begin);
}

}  // namespace fuseboard::classify_internal
