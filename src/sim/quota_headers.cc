// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// OpenAI: https://platform.openai.com/docs/guides/rate-limits; Anthropic: https://docs.claude.com/en/api/rate-limits.

#include "sim/quota_headers.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

namespace fuseboard::sim {
namespace {

// `1m0s`, `59.25s`, `20ms`: at most a minute, to the millisecond, rounded up.
std::string short_duration(Duration duration) {
  const std::int64_t ms = ceil_milliseconds(duration);
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{}s", static_cast<double>(ms) / 1000);
  return fmt::format("{}m{}s", ms / 60'000, static_cast<double>(ms % 60'000) / 1000);
}

// Whole seconds, rounded up: a client that waits until then does not come too early.
std::string date(WallTime now, Duration in) {
  const auto at = std::chrono::ceil<std::chrono::seconds>(now + in);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

void add_header(Reply& reply, std::string name, std::string value) {
  reply.headers.emplace_back(std::move(name), std::move(value));
}

void add_openai_headers(const Quota& quota, Reply& reply) {
  const std::string reset = short_duration(quota.reset);
  add_header(reply, "x-ratelimit-limit-requests", std::to_string(quota.requests));
  add_header(reply, "x-ratelimit-limit-tokens", std::to_string(quota.tokens));
  add_header(reply, "x-ratelimit-remaining-requests", std::to_string(quota.remaining_requests));
  add_header(reply, "x-ratelimit-remaining-tokens", std::to_string(quota.remaining_tokens));
  add_header(reply, "x-ratelimit-reset-requests", reset);
  add_header(reply, "x-ratelimit-reset-tokens", reset);
}

void add_anthropic_headers(WallTime now, const Quota& quota, Reply& reply) {
  const std::string reset = date(now, quota.reset);
  const auto add_three = [&](std::string_view what, std::uint64_t limit, std::uint64_t remaining) {
    add_header(reply, fmt::format("anthropic-ratelimit-{}-limit", what), std::to_string(limit));
    add_header(reply, fmt::format("anthropic-ratelimit-{}-remaining", what), std::to_string(remaining));
    add_header(reply, fmt::format("anthropic-ratelimit-{}-reset", what), reset);
  };
  add_three("requests", quota.requests, quota.remaining_requests);
  add_three("tokens", quota.tokens, quota.remaining_tokens);
  add_three("input-tokens", quota.tokens, quota.remaining_tokens);
}

}  // namespace

void add_rate_headers(WallTime now, Dialect dialect, const Quota& quota, Reply& reply) {
  switch (dialect) {
    case Dialect::openai:
      return add_openai_headers(quota, reply);
    case Dialect::anthropic:
      return add_anthropic_headers(now, quota, reply);
  }
  std::unreachable();
}

std::string rate_message(Dialect dialect, const Quota& quota, std::string_view model) {
  const bool requests = quota.exceeded == Quota::Exceeded::kRequests;
  const std::uint64_t limit = requests ? quota.requests : quota.tokens;
  switch (dialect) {
    case Dialect::openai:
      return fmt::format("Rate limit reached for {} on {}: Limit {}, Used {}. Please try again in {}.", model,
                         requests ? "requests per min (RPM)" : "tokens per min (TPM)", limit,
                         limit - (requests ? quota.remaining_requests : quota.remaining_tokens),
                         short_duration(quota.reset));
    case Dialect::anthropic:
      return fmt::format("This request would exceed your organization's rate limit of {} {} per minute.", limit,
                         requests ? "requests" : "input tokens");
  }
  std::unreachable();
}

}  // namespace fuseboard::sim
