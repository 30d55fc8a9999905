// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/call_options.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "gateway/heads.h"

namespace fuseboard::gateway {
namespace {

std::unexpected<llm::RequestError> bad_header(std::string_view name, std::string_view value, std::string_view allowed) {
  return std::unexpected(llm::RequestError{.message = std::string(name) + ": '" + std::string(value.substr(0, 40)) +
                                                      "' is not allowed; allowed: " + std::string(allowed),
                                           .param = std::string(name),
                                           .code = {}});
}

}  // namespace

std::expected<CallOptions, llm::RequestError> read_call_options(const net::Headers& headers, TimePoint now,
                                                                bool idempotent) {
  CallOptions options{.idempotent = idempotent};
  const bool asks = std::ranges::any_of(headers.begin(), headers.end(), [](const net::Header& header) {
    return begins_with(header.name, "x-fuseboard-");
  });
  if (!asks) return options;
  if (const auto text = headers.find("x-fuseboard-deadline-ms")) {
    constexpr std::int64_t kLongest = 24 * 60 * 60 * 1000;
    std::int64_t milliseconds = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), milliseconds);
    if (error != std::errc() || end != text->data() + text->size() || milliseconds < 1 || milliseconds > kLongest)
      return bad_header("x-fuseboard-deadline-ms", *text, "1 to " + std::to_string(kLongest));
    options.deadline = Deadline::after(now, std::chrono::milliseconds(milliseconds));
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
