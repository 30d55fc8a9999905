// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/hints.h"

#include <algorithm>
#include <cstdint>

#include "classify/fold.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;

// The longest hint: whole milliseconds that fit Duration.
constexpr std::int64_t kMaxMilliseconds = std::chrono::duration_cast<milliseconds>(Duration::max()).count();

using classify_internal::is_digit;
using classify_internal::lower;

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

// How long until a Unix time in milliseconds, as seen from `now`; a passed one is 0. `now` is rounded down, so the wait
// is rounded up.
Duration until(WallTime now, std::int64_t unix_ms) noexcept {
  const auto now_ms = std::chrono::floor<milliseconds>(now).time_since_epoch().count();
  std::int64_t wait_ms = 0;
  if (__builtin_sub_overflow(unix_ms, now_ms, &wait_ms)) wait_ms = unix_ms < now_ms ? 0 : kMaxMilliseconds;
  return milliseconds(std::clamp<std::int64_t>(wait_ms, 0, kMaxMilliseconds));
}

// A whole number, or nothing.
std::optional<std::int64_t> integer(std::string_view text) noexcept {
  if (text.empty() || text.size() > 18 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  std::int64_t number = 0;
  for (const char digit : text) number = number * 10 + (digit - '0');
  return number;
}

// `prefix` is in lower case. The rest of the name, in its own case.
constexpr bool take_prefix(std::string_view& name, std::string_view prefix) noexcept {
  if (name.size() < prefix.size() || !is_header(name.substr(0, prefix.size()), prefix)) return false;
  name.remove_prefix(prefix.size());
  return true;
}
constexpr bool take_suffix(std::string_view& name, std::string_view suffix) noexcept {
  if (name.size() < suffix.size() || !is_header(name.substr(name.size() - suffix.size()), suffix)) return false;
  name.remove_suffix(suffix.size());
  return true;
}

// One unit of a duration; what follows the number in `text`.
struct Unit {
  std::string_view name;
  std::int64_t milliseconds;  // 0: below one
};
constexpr Unit kUnits[] = {{"ms", 1},   {"us", 0},     {"\xc2\xb5s", 0}, {"ns", 0},
                           {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

const Unit* leading_unit(std::string_view text) noexcept {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
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
      return milliseconds(kMaxMilliseconds);
    }
  }
  if (__builtin_mul_overflow(total, unit.count(), &total)) return milliseconds(kMaxMilliseconds);

  // Nine digits are read; whether any later one is not zero is enough to round up.
  std::int64_t billionths = 0;
  for (std::size_t i = 0; i < 9; ++i) billionths = billionths * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  const bool more = fraction.size() > 9 && fraction.find_first_not_of('0', 9) != std::string_view::npos;
  const std::int64_t product = billionths * unit.count();
  const std::int64_t part = product / 1'000'000'000 + (product % 1'000'000'000 != 0 || more ? 1 : 0);
  if (__builtin_add_overflow(total, part, &total)) return milliseconds(kMaxMilliseconds);
  return milliseconds(std::min(total, kMaxMilliseconds));
}

std::optional<Duration> parse_unit_duration(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  Duration total = Duration::zero();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    const Unit* const unit = leading_unit(text.substr(end));
    if (unit == nullptr) return std::nullopt;
    // Less than a millisecond rounds up to one, unless it is none at all.
    auto part =
        parse_decimal_duration(text.substr(0, end), milliseconds(std::max<std::int64_t>(unit->milliseconds, 1)));
    if (!part) return std::nullopt;
    if (unit->milliseconds == 0 && *part > Duration::zero()) {
      const std::int64_t per_ms = unit->name == "ns" ? 1'000'000 : 1'000;
      part = milliseconds((part->count() / 1'000'000 + per_ms - 1) / per_ms);
    }
    total = std::min(saturating_add(total, *part), Duration(milliseconds(kMaxMilliseconds)));
    text.remove_prefix(end + unit->name.size());
  }
  return total;
}

std::optional<Duration> parse_reset(std::optional<WallTime> now, std::string_view text) noexcept {
  const auto ms = parse_decimal_duration(text, milliseconds(1));
  if (!ms) return std::nullopt;
  const std::int64_t number = ms->count() / 1'000'000;  // rounded up, which the choice of a form can bear
  if (number < 1'000'000'000) return parse_decimal_duration(text, std::chrono::seconds(1));
  if (!now) return std::nullopt;
  if (number > 1'000'000'000'000) return until(*now, number);
  // Seconds until 1e12 fit in milliseconds.
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto whole = integer(text.substr(0, point));
  if (!whole) return std::nullopt;
  std::int64_t unix_ms = *whole * 1000;
  if (point != text.size()) {
    std::int64_t fraction = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      fraction = fraction * 10 + (point + 1 + i < text.size() ? text[point + 1 + i] - '0' : 0);
    }
    const bool more = text.size() > point + 4 && text.find_first_not_of('0', point + 4) != std::string_view::npos;
    unix_ms += fraction + (more ? 1 : 0);
  }
  return until(*now, unix_ms);
}

std::optional<Duration> parse_window_reset(std::optional<WallTime> now, std::string_view text) noexcept {
  // No text has two of the forms.
  if (const auto duration = parse_unit_duration(text)) return duration;
  if (const auto reset = parse_reset(now, text)) return reset;
  return parse_rfc3339_reset(now, text);
}

void RetryHintReader::header(std::string_view name, std::string_view value) noexcept {
  if (name.empty() || !std::string_view("rRxXgGaA").contains(name.front())) return;
  if (!retry_after_ms_ && is_header(name, "retry-after-ms")) {
    retry_after_ms_ = parse_decimal_duration(trimmed(value), milliseconds(1));
  } else if (!retry_after_ && is_header(name, "retry-after")) {
    value = trimmed(value);
    retry_after_ = parse_decimal_duration(value, std::chrono::seconds(1));
    if (retry_after_) return;
    if (!now_) return;
    if (const auto date = parse_http_date(*now_, value)) {
      retry_after_ = until(*now_, date->time_since_epoch().count() * 1000);  // the year 9999 is 2.5e14 ms
    }
  } else if (!should_retry_ && is_header(name, "x-should-retry")) {
    // Read by the SDKs of OpenAI and Anthropic as exactly these two texts.
    value = trimmed(value);
    if (value == "true") should_retry_ = true;
    if (value == "false") should_retry_ = false;
  } else if (!pushback_ && is_header(name, "grpc-retry-pushback-ms")) {
    pushback_ = parse_decimal_duration(trimmed(value), milliseconds(1));
  } else {
    rate_limit_header(name, trimmed(value));
  }
}

RetryHintReader::Window* RetryHintReader::window(std::string_view name) noexcept {
  for (std::size_t i = 0; i < window_count_; ++i) {
    if (classify_internal::equal_folded(windows_[i].name, name)) return &windows_[i];
  }
  if (window_count_ == kMaxWindows) return nullptr;
  windows_[window_count_].name = name;
  return &windows_[window_count_++];
}

void RetryHintReader::rate_limit_header(std::string_view name, std::string_view value) noexcept {
  if (take_prefix(name, "anthropic-ratelimit-unified-")) {
    if (is_header(name, "status")) unified_rejected_ = value == "rejected";
    if (is_header(name, "reset") && !unified_reset_) unified_reset_ = parse_reset(now_, value);
  } else if (take_prefix(name, "anthropic-ratelimit-")) {
    if (take_suffix(name, "-reset")) {
      if (Window* const it = window(name)) it->reset = parse_rfc3339_reset(now_, value);
    } else if (take_suffix(name, "-remaining")) {
      if (Window* const it = window(name)) it->used_up = value == "0";
    }
  } else if (take_prefix(name, "x-ratelimit-reset-")) {
    if (Window* const it = window(name)) it->reset = parse_window_reset(now_, value);
  } else if (take_prefix(name, "x-ratelimit-remaining-")) {
    if (Window* const it = window(name)) it->used_up = value == "0";
  } else if (take_prefix(name, "x-codex-")) {
    plan_header(name, value);
  } else if (take_prefix(name, "ratelimitbysize-")) {
    size_header(name, value);
  } else if (is_header(name, "ratelimit")) {
    ietf_header(value);
  } else if (is_header(name, "ratelimit-reset")) {
    if (!ietf_) ietf_ = parse_decimal_duration(value, std::chrono::seconds(1));
  } else if (is_header(name, "ratelimit-remaining")) {
    ietf_remaining_ = integer(value);
  } else if (is_header(name, "x-ratelimit-reset")) {
    plain_ = parse_window_reset(now_, value);
  } else if (is_header(name, "x-ratelimit-remaining")) {
    plain_remaining_ = integer(value);
  }
}

// `"api";r=0;t=189` or `limit=20, remaining=0, reset=7`. Of several policies, the latest that is used up.
// Codex names the windows of its plans, "x-codex-primary-used-percent: 100", and when they reset.
void RetryHintReader::plan_header(std::string_view name, std::string_view value) noexcept {
  if (take_suffix(name, "-reset-after-seconds")) {
    if (Window* const it = window(name)) it->reset = parse_decimal_duration(value, std::chrono::seconds(1));
  } else if (take_suffix(name, "-used-percent")) {
    const auto percent = parse_decimal_duration(value, milliseconds(1));
    if (Window* const it = window(name)) it->used_up = percent && *percent >= milliseconds(100);
  }
}

// Mistral's window of tokens: used up where less is left than the request costs.
void RetryHintReader::size_header(std::string_view name, std::string_view value) noexcept {
  if (is_header(name, "reset")) {
    by_size_ = parse_window_reset(now_, value);
  } else if (is_header(name, "remaining")) {
    by_size_remaining_ = integer(value);
  } else if (is_header(name, "query-cost")) {
    by_size_cost_ = integer(value);
  }
}

void RetryHintReader::ietf_header(std::string_view value) noexcept {
  std::optional<std::int64_t> remaining;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of(";,"), value.size());
    const std::string_view part = trimmed(value.substr(0, end));
    const bool next_policy = end < value.size() && value[end] == ',' && value.contains(';');
    value.remove_prefix(std::min(end + 1, value.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view key = part.substr(0, equals);
    const std::string_view number = equals == part.size() ? std::string_view() : part.substr(equals + 1);
    if (key == "r" || key == "remaining") remaining = integer(number);
    if ((key == "t" || key == "reset") && remaining.value_or(0) == 0) {
      const auto reset = parse_decimal_duration(number, std::chrono::seconds(1));
      if (reset && (!ietf_ || *ietf_ < *reset)) ietf_ = reset;
    }
    if (next_policy) remaining.reset();
  }
}

RetryHints RetryHintReader::hints() const noexcept {
  RetryHints hints{.retry_after = retry_after_ms_, .should_retry = should_retry_};
  if (!hints.retry_after) hints.retry_after = retry_after_;
  if (!hints.retry_after) hints.retry_after = pushback_;
  const auto later = [&](std::optional<Duration> reset) {
    if (reset && (!hints.window_reset || *hints.window_reset < *reset)) hints.window_reset = reset;
  };
  for (std::size_t i = 0; i < window_count_; ++i) {
    if (windows_[i].used_up) later(windows_[i].reset);
  }
  if (unified_rejected_) later(unified_reset_);
  if (by_size_remaining_ && *by_size_remaining_ < std::max<std::int64_t>(by_size_cost_.value_or(1), 1)) later(by_size_);
  if (!hints.window_reset && ietf_remaining_.value_or(0) == 0) hints.window_reset = ietf_;
  if (!hints.window_reset && plain_remaining_.value_or(0) == 0) hints.window_reset = plain_;
  return hints;
}

}  // namespace fuseboard
