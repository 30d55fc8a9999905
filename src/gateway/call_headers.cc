// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/call_headers.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "gateway/header_policy.h"

namespace fuseboard::gateway {
namespace {

std::unexpected<llm::RequestError> bad_header(std::string_view name, std::string_view value, std::string_view allowed) {
  return std::unexpected(llm::RequestError{.message = std::string(name) + ": '" + std::string(value.substr(0, 40)) +
                                                      "' is not allowed; allowed: " + std::string(allowed),
                                           .param = std::string(name),
                                           .code = {}});
}

constexpr std::int64_t kLongestWait = 24 * 60 * 60 * 1000;  // milliseconds

// How long a caller will wait by the number of seconds that its SDK says, less what it takes to tell it in time: 5 %,
// at least 0.25 and at most 5 s. nullopt for what is no such number, and where nothing would be left.
std::optional<Duration> announced_wait(std::string_view text) {
  double seconds = 0;
  // Neither signs nor exponents, "inf" nor "nan": SDKs write digits.
  const bool is_digits = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (!is_digits || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  seconds -= std::clamp(seconds * 0.05, 0.25, 5.0);
  if (seconds <= 0) return std::nullopt;
  const double most = static_cast<double>(kLongestWait) / 1000;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::min(seconds, most)));
}

// What the SDKs that Stainless generates say of their own patience: of the whole call, or of the time without a byte,
// which for a plain answer is the same.
std::optional<Duration> sdk_patience(const net::Headers& headers, bool streaming) {
  if (const auto wait = announced_wait(headers.get("x-stainless-timeout"))) return wait;
  return streaming ? std::nullopt : announced_wait(headers.get("x-stainless-read-timeout"));
}

}  // namespace

std::expected<CallOptions, llm::RequestError> read_call_options(const net::Headers& headers, TimePoint began,
                                                                const CallKind& kind) {
  CallOptions options{.idempotent = kind.idempotent};
  options.streaming = kind.streaming;
  if (const auto wait = sdk_patience(headers, kind.streaming)) options.deadline = Deadline::after(began, *wait);
  const bool asks = std::ranges::any_of(headers.begin(), headers.end(), [](const net::Header& header) {
    return begins_with(header.name, "x-fuseboard-");
  });
  if (!asks) return options;
  if (const auto text = headers.find("x-fuseboard-deadline-ms")) {
    std::int64_t milliseconds = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), milliseconds);
    if (error != std::errc() || end != text->data() + text->size() || milliseconds < 1 || milliseconds > kLongestWait) {
      return bad_header("x-fuseboard-deadline-ms", *text, "1 to " + std::to_string(kLongestWait));
    }
    options.deadline = Deadline::after(began, std::chrono::milliseconds(milliseconds));
  }
  if (const auto text = headers.find("x-fuseboard-idempotent")) {
    if (*text != "true" && *text != "false") return bad_header("x-fuseboard-idempotent", *text, "true, false");
    options.idempotent = *text == "true";
  }
  if (const auto text = headers.find("x-fuseboard-priority")) {
    const auto priority = priority_from_name(*text);
    if (!priority) return bad_header("x-fuseboard-priority", *text, "low, normal, high, critical");
    // It lowers what the caller has, and never raises it.
    options.priority = std::min(*priority, Priority::normal);
  }
  if (const auto text = headers.find("x-fuseboard-session")) {
    constexpr std::size_t kLongest = 128;
    if (text->empty() || text->size() > kLongest) return bad_header("x-fuseboard-session", *text, "1 to 128 bytes");
    options.account.session = *text;
  }
  return options;
}

}  // namespace fuseboard::gateway
