// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kOpenings[] = {"try again in",  "try again after", "retry after",  "retry in",
                                          "next probe in", "retry again in",  "retry-after",  "reset in",
                                          "reset after",   "resets in",       "resets after", "wait"};

consteval auto compile() {
  std::array<Pattern, std::size(kOpenings)> patterns{};
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = Pattern(kOpenings[i]);
  return patterns;
}
constexpr auto kPatterns = compile();
constexpr std::uint64_t kTry = hash_lower("try");
constexpr std::uint64_t kRetry = hash_lower("retry");
constexpr std::uint64_t kRetryAfter = hash_lower("retry-after");
constexpr std::uint64_t kNext = hash_lower("next");
constexpr std::uint64_t kReset = hash_lower("reset");
constexpr std::uint64_t kResets = hash_lower("resets");
constexpr std::uint64_t kWait = hash_lower("wait");
constexpr std::uint64_t kFor = hash_lower("for");
constexpr std::uint64_t kAnd = hash_lower("and");
constexpr std::uint64_t kAbout = hash_lower("about");
constexpr std::uint64_t kLimit = hash_lower("limit");

struct Unit {
  std::string_view name;
  milliseconds length;
};
// The longest wait of whole milliseconds.
constexpr Duration kLongest = std::chrono::duration_cast<milliseconds>(Duration::max());
constexpr milliseconds kMs{1};
constexpr milliseconds kSecond{1000};
constexpr milliseconds kMinute{60'000};
constexpr milliseconds kHour{3'600'000};
constexpr milliseconds kDay{86'400'000};
constexpr Unit kUnits[] = {
    {"ms", kMs},      {"msec", kMs},     {"millisecond", kMs}, {"milliseconds", kMs}, {"s", kSecond},
    {"sec", kSecond}, {"secs", kSecond}, {"second", kSecond},  {"seconds", kSecond},  {"second(s", kSecond},
    {"m", kMinute},   {"min", kMinute},  {"mins", kMinute},    {"minute", kMinute},   {"minutes", kMinute},
    {"h", kHour},     {"hr", kHour},     {"hrs", kHour},       {"hour", kHour},       {"hours", kHour},
    {"d", kDay},      {"day", kDay},     {"days", kDay},
};

std::optional<milliseconds> unit_at(const Words& words, std::size_t at) noexcept {
  if (at >= words.size()) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (equal_folded(words.text(words[at]), unit.name)) return unit.length;
  }
  return std::nullopt;
}

// One number with its unit, in one word ("6m0s") or two. Moves `at` behind it.
std::optional<Duration> part_at(const Words& words, std::size_t& at) noexcept {
  if (at >= words.size() || words[at].kind == WordKind::quoted) return std::nullopt;
  const std::string_view word = words.text(words[at]);
  if (const auto wait = parse_unit_duration(word)) {
    ++at;
    return wait;
  }
  const auto unit = unit_at(words, at + 1);
  // A bare number at the end of its clause counts seconds, as in the header of that name.
  if (!unit && !words.ends_clause(at)) return std::nullopt;
  const auto wait = parse_decimal_duration(word, unit.value_or(kSecond));
  if (wait) at += unit ? 2 : 1;
  return wait;
}

// Asked of every word, so most answers come from one bit.
constexpr std::uint64_t kFirst[] = {kTry, kRetry, kNext, kRetryAfter, kReset, kResets, kWait};
consteval std::uint64_t first_bits() {
  std::uint64_t bits = 0;
  for (const std::uint64_t hash : kFirst) bits |= 1ULL << (hash % 64);
  return bits;
}
bool opens(std::uint64_t hash) noexcept {
  if ((first_bits() >> (hash % 64) & 1U) == 0) return false;
  return std::ranges::find(kFirst, hash) != std::end(kFirst);
}

bool has_unit(const Words& words, std::size_t at) noexcept {
  return at < words.size() && (unit_at(words, at + 1) || parse_unit_duration(words.text(words[at])));
}

}  // namespace

std::optional<Duration> wait_in(const Words& words) noexcept {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t hash = words[i].hash;
    if (!opens(hash)) continue;
    for (const Pattern& pattern : kPatterns) {
      std::size_t at = 0;
      if (!pattern.matches(words, i, at)) continue;
      if (words.is(at, kAbout) || words.is(at, kFor)) ++at;
      // "Wait" is a common word; only a length of time makes a wait of it.
      if (hash == kWait && !has_unit(words, at)) break;
      std::optional<Duration> total = part_at(words, at);
      if (!total) break;
      // "1 minute and 30 seconds", "2h 30m".
      for (int more = 0; more < 4; ++more) {
        std::size_t next = words.is(at, kAnd) ? at + 1 : at;
        if (next >= words.size() || !is_digit(words.text()[words[next].begin])) break;
        if (!has_unit(words, next) || words[next].begins_clause) break;
        const auto part = part_at(words, next);
        if (!part) break;
        total = std::min(saturating_add(*total, *part), kLongest);
        at = next;
      }
      return total;
    }
  }
  return std::nullopt;
}

bool allows_nothing(const Words& words) noexcept {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words.is(i, kLimit) && words[i + 1].kind == WordKind::number && words.text(words[i + 1]) == "0") return true;
  }
  return false;
}

}  // namespace fuseboard::classify_internal
