// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/hints.h"

#include <algorithm>
#include <cstdint>

namespace fuseboard {
namespace {

using std::chrono::milliseconds;

// The longest hint: whole milliseconds that fit Duration.
constexpr std::int64_t kMostMilliseconds = std::chrono::duration_cast<milliseconds>(Duration::max()).count();

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// `known` is in lower case.
constexpr bool is_header(std::string_view name, std::string_view known) noexcept {
  return name.size() == known.size() &&
         std::equal(name.begin(), name.end(), known.begin(), [](char a, char b) { return lower(a) == b; });
}

// Optional whitespace around a field value, RFC 9110 section 5.6.3.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// How long until `date`, rounded up; a passed date is 0.
Duration until(std::chrono::sys_seconds date, std::chrono::system_clock::time_point now) noexcept {
  const auto now_ms = std::chrono::floor<milliseconds>(now).time_since_epoch().count();
  // Both fit easily: the year 9999 is 2.5e14 ms. `now` is rounded down, so the wait is rounded up.
  const std::int64_t wait_ms = date.time_since_epoch().count() * 1000 - now_ms;
  return milliseconds(std::clamp<std::int64_t>(wait_ms, 0, kMostMilliseconds));
}

}  // namespace

std::optional<Duration> parse_decimal_duration(std::string_view text, milliseconds unit) noexcept {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == text.size() ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || !std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(fraction, is_digit)) {
    return std::nullopt;
  }
  if (point != text.size() && fraction.empty()) return std::nullopt;

  std::int64_t total = 0;
  for (const char digit : whole) {
    if (__builtin_mul_overflow(total, 10, &total) || __builtin_add_overflow(total, digit - '0', &total)) {
      return milliseconds(kMostMilliseconds);
    }
  }
  if (__builtin_mul_overflow(total, unit.count(), &total)) return milliseconds(kMostMilliseconds);

  // Nine digits are read; whether any later one is not zero is enough to round up.
  std::int64_t billionths = 0;
  for (std::size_t i = 0; i < 9; ++i) billionths = billionths * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  const bool more = fraction.size() > 9 && fraction.find_first_not_of('0', 9) != std::string_view::npos;
  const std::int64_t product = billionths * unit.count();
  const std::int64_t part = product / 1'000'000'000 + (product % 1'000'000'000 != 0 || more ? 1 : 0);
  if (__builtin_add_overflow(total, part, &total)) return milliseconds(kMostMilliseconds);
  return milliseconds(std::min(total, kMostMilliseconds));
}

void RetryHintReader::header(std::string_view name, std::string_view value) noexcept {
  if (!retry_after_ms_ && is_header(name, "retry-after-ms")) {
    retry_after_ms_ = parse_decimal_duration(trimmed(value), milliseconds(1));
  } else if (!retry_after_ && is_header(name, "retry-after")) {
    value = trimmed(value);
    retry_after_ = parse_decimal_duration(value, std::chrono::seconds(1));
    if (retry_after_) return;
    if (const auto date = parse_http_date(value, now_)) retry_after_ = until(*date, now_);
  } else if (!should_retry_ && is_header(name, "x-should-retry")) {
    // Read by the SDKs of OpenAI and Anthropic as exactly these two texts.
    value = trimmed(value);
    if (value == "true") should_retry_ = true;
    if (value == "false") should_retry_ = false;
  }
}

RetryHints RetryHintReader::hints() const noexcept {
  return {.retry_after = retry_after_ms_ ? retry_after_ms_ : retry_after_, .should_retry = should_retry_};
}

}  // namespace fuseboard
