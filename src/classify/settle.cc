// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <charconv>

#include "classify/fold.h"
#include "classify/judge.h"
#include "classify/scope.h"

namespace fuseboard::classify_internal {
namespace {

// A limit that lifts within the hour is a rate, a longer one a quota.
constexpr Duration kLongestRateWindow = std::chrono::hours(1);

// Where the end of a window says when to come back.
constexpr CategorySet kWindowed = {Category::rate_limit, Category::quota_exhausted, Category::overloaded,
                                   Category::service_unavailable};

// The length of the wait and of the window tell a throttle from a quota.
void weigh(Conclusion& conclusion, bool by_status, const Waits& waits, std::optional<Duration>& hint) noexcept {
  using enum Category;
  if (conclusion.category != rate_limit && conclusion.category != quota_exhausted) return;
  if (waits.nothing_allowed) {
    conclusion = Conclusion(quota_exhausted);
    hint.reset();
    return;
  }
  const bool within_hour = hint && *hint < kLongestRateWindow;
  if (conclusion.category == rate_limit) {
    const bool beyond_hour = hint && !within_hour;
    if (beyond_hour || (waits.long_window && !waits.short_window && !hint)) conclusion = Conclusion(quota_exhausted);
    return;
  }
  const bool only_window = conclusion.by_window && (within_hour || (waits.short_window && !waits.long_window));
  // OpenRouter answers 402 with a retry-after while requests in flight hold the rest of the credit.
  if (only_window || (by_status && within_hour)) {
    conclusion = Conclusion(rate_limit);
  } else if (within_hour) {
    // A quota does not come back within the hour; such a hint belongs to a smaller window.
    hint.reset();
  }
}

}  // namespace

Match found(const StatusRow& row) noexcept {
  return {row.conclusion, {.kind = "status", .number = row.status, .source = row.source}, true};
}
Match found(const CodeRow& row) noexcept {
  return {row.conclusion, {.kind = "code", .text = row.code, .source = row.source}};
}
Match found(const PhraseRow& row) noexcept {
  return {row.conclusion, {.kind = "phrase", .text = row.text, .source = row.source}};
}
Match found(const TypedRow& row) noexcept {
  return {row.conclusion, {.kind = "typed", .text = row.code, .source = row.source}};
}
Match found(const NumberRow& row, std::string_view kind) noexcept {
  return {row.conclusion, {.kind = kind, .number = row.number, .source = row.source}};
}
Match found(const SignalRow& row) noexcept {
  return {row.conclusion, {.kind = "signal", .text = row.name, .number = row.number, .source = row.source}};
}
Match found(const FinishRow& row) noexcept {
  return {row.conclusion, {.kind = "finish reason", .text = row.reason, .source = row.source}};
}
Match found(Category category, std::string_view kind, std::string_view text, std::string_view source) noexcept {
  return {Conclusion(category), {.kind = kind, .text = text, .source = source}};
}
Match by_default() noexcept { return found(Category::execution_error, "default", {}, "nothing in it is recognised"); }

HeaderFacts read_headers(const CallEvidence& evidence) noexcept {
  HeaderFacts facts;
  if (evidence.headers.empty()) return facts;
  RetryHintReader hints(evidence.now);
  for (const HeaderField& field : evidence.headers) {
    hints.header(field.name, field.value);
    if (field.name.empty()) continue;
    const char first = lower(field.name.front());
    if (first == 'c' && equal_folded(field.name, "content-type")) facts.content_type = field.value;
    if (first == 'g' && equal_folded(field.name, "grpc-message")) facts.grpc_message = field.value;
    if (first == 'g' && equal_folded(field.name, "grpc-status")) {
      int status = 0;
      const std::string_view value = trimmed(field.value);
      if (std::from_chars(value.data(), value.data() + value.size(), status).ec == std::errc()) {
        facts.grpc_status = status;
      }
    }
    if (first != 'x') continue;
    if (equal_folded(field.name, "x-amzn-errortype")) facts.error_type = trimmed(field.value);
    if (equal_folded(field.name, "x-envoy-overloaded")) facts.envoy_overloaded = true;
    if (equal_folded(field.name, "x-envoy-ratelimited")) facts.envoy_rate_limited = true;
  }
  facts.hints = hints.hints();
  return facts;
}

Waits waits_of(const HeaderFacts& headers, const ErrorFacts& facts) noexcept {
  return {.headers = headers.hints,
          .body = facts.retry_after(),
          .nothing_allowed = facts.nothing_allowed(),
          .long_window = facts.long_window(),
          .short_window = facts.short_window(),
          .scope = facts.per_model() ? FailureScope::model : FailureScope::unnamed};
}

Classification settle(const CallEvidence& evidence, const Match& found, const Waits& waits) noexcept {
  Conclusion conclusion = found.conclusion;
  std::optional<Duration> hint = waits.headers.retry_after;
  if (!hint) hint = waits.body;
  if (!hint && kWindowed.contains(conclusion.category)) hint = waits.headers.window_reset;
  weigh(conclusion, found.by_status, waits, hint);
  if (waits.exceeds_limit && conclusion.category == Category::rate_limit)
    conclusion.modifier = Modifier::request_exceeds_window;

  Failure failure = make_failure(conclusion.category, conclusion.modifier);
  failure.retry_after = hint;
  if (kScoped.contains(failure.category) && failure.scope == FailureScope::unnamed)
    failure.scope = waits.exceeds_limit ? FailureScope::request : waits.scope;
  if (waits.headers.should_retry) failure.retryable = *waits.headers.should_retry;
  // Another tool does not do the same thing under another credential.
  const bool about_access =
      conclusion.category == Category::authentication || conclusion.category == Category::permission_denied;
  if (evidence.domain == Domain::tool && about_access) failure.fallback = false;
  return {.failure = failure, .modifier = conclusion.modifier, .detail = conclusion.detail, .rule = found.rule};
}

bool is_html(std::string_view content_type, std::string_view body) noexcept {
  if (starts_folded(content_type, "text/html")) return true;
  body = trimmed(body.substr(0, 256));
  return starts_folded(body, "<!doctype") || starts_folded(body, "<html");
}

}  // namespace fuseboard::classify_internal
