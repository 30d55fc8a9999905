// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/rate_windows.h"

#include <chrono>

namespace fuseboard::sim {
namespace {

constexpr Duration kWindow = std::chrono::minutes(1);

}  // namespace

RateWindows::Window& RateWindows::window_of(TimePoint now, std::string_view name) {
  auto it = windows_.find(name);
  if (it == windows_.end()) {
    const bool full = windows_.size() >= kMaxNames;
    it = windows_.try_emplace(full ? std::string() : std::string(name), Window{.began = now}).first;
  }
  if (elapsed(it->second.began, now) >= kWindow) it->second = {.began = now};
  return it->second;
}

Quota RateWindows::take(TimePoint now, std::string_view name, std::uint64_t limit, std::uint64_t tokens) {
  Window& window = window_of(now, name);
  Quota quota = {.requests = limit, .tokens = limit * kTokensPerRequest};
  quota.reset = kWindow - elapsed(window.began, now);
  const bool requests_spent = window.requests >= limit;
  const bool tokens_spent = window.tokens + tokens > quota.tokens;
  if (requests_spent) {
    quota.exceeded = Quota::Exceeded::kRequests;
  } else if (tokens_spent) {
    quota.exceeded = Quota::Exceeded::kTokens;
  } else {
    ++window.requests;
    window.tokens += tokens;
  }
  quota.remaining_requests = limit - window.requests;
  quota.remaining_tokens = quota.tokens - window.tokens;
  return quota;
}

}  // namespace fuseboard::sim
