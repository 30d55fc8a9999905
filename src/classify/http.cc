// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/http.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "classify/http_rules.h"

namespace fuseboard {
namespace {

using http_rules::Finding;

// A limit that lifts within the hour is a rate, a longer one a quota.
constexpr Duration kLongestRateWindow = std::chrono::hours(1);

constexpr bool is_success(int status) noexcept { return status >= 200 && status <= 299; }

Finding by_status(int status) noexcept {
  for (const http_rules::StatusRow& row : http_rules::kStatuses) {
    if (row.status == status) return row.finding;
  }
  if (status >= 400 && status <= 499) return {Category::invalid_request, Modifier::none};
  // A 5xx, an error in a 2xx that says no more, a redirect or a number that is no status: the server gave nothing
  // usable.
  return {Category::service_unavailable, Modifier::none};
}

// A code that is an HTTP error status in digits, as OpenRouter, LiteLLM and Google write them.
std::optional<int> status_in(std::string_view code) noexcept {
  if (code.size() != 3 || (code[0] != '4' && code[0] != '5')) return std::nullopt;
  const auto digit = [&](std::size_t i) { return code[i] - '0'; };
  if (digit(1) < 0 || digit(1) > 9 || digit(2) < 0 || digit(2) > 9) return std::nullopt;
  return digit(0) * 100 + digit(1) * 10 + digit(2);
}

// The status that decides. Inside a 2xx the structured code is the status; a proxy may wrap a throttle in a 5xx of its
// own. Elsewhere a number only echoes the status, or disagrees with it, and the status of the wire is the better
// witness.
int deciding_status(const HttpFailure& failure) noexcept {
  const std::optional<int> code = status_in(failure.error_code);
  if (code && (is_success(failure.status) || (failure.status >= 500 && code == 429))) return *code;
  return failure.status;
}

std::optional<Finding> by_code(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  for (const http_rules::CodeRow& row : http_rules::kCodes) {
    if (row.text == text) return row.finding;
  }
  return std::nullopt;
}

Finding refined_by_phrase(Finding found, std::string_view message) noexcept {
  if (message.empty()) return found;
  for (const http_rules::PhraseRow& row : http_rules::kPhrases) {
    if (row.within.contains(found.category) && message.starts_with(row.opening)) return row.finding;
  }
  return found;
}

// The length of the wait tells a throttle from a quota.
void weigh_hint(Finding& found, int status, std::optional<Duration>& hint) noexcept {
  if (!hint) return;
  const bool within_hour = *hint < kLongestRateWindow;
  if (found.category == Category::rate_limit && !within_hour) found = {Category::quota_exhausted, Modifier::none};
  // OpenRouter answers 402 with a retry-after while requests in flight hold the rest of the credit.
  if (found.category == Category::quota_exhausted && status == 402 && within_hour) {
    found = {Category::rate_limit, Modifier::none};
  }
  // Elsewhere a quota does not come back within the hour; such a hint belongs to a smaller window.
  if (found.category == Category::quota_exhausted && within_hour) hint.reset();
}

}  // namespace

Failure classify_http(const HttpFailure& failure) noexcept {
  const int status = deciding_status(failure);
  Finding found = by_status(status);
  if (const auto code = by_code(failure.error_code)) {
    found = *code;
  } else if (const auto type = by_code(failure.error_type)) {
    found = *type;
  }
  found = refined_by_phrase(found, failure.error_message);

  std::optional<Duration> hint = failure.hints.retry_after;
  weigh_hint(found, status, hint);
  Failure judged = make_failure(found.category, found.modifier);
  judged.retry_after = hint;
  if (failure.hints.should_retry) judged.retryable = *failure.hints.should_retry;
  return judged;
}

}  // namespace fuseboard
