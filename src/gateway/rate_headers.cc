// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/rate_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuseboard/classify/hints.h"
#include "gateway/header_policy.h"

namespace fuseboard::gateway {
namespace {

struct Names {
  std::string_view limit;
  std::string_view remaining;
  std::string_view reset;
};
struct Kind {
  RateLevel LimitView::* level;
  Names openai;
  Names anthropic;

  const Names& names(llm::Dialect dialect) const {
    switch (dialect) {
      case llm::Dialect::openai:
        return openai;
      case llm::Dialect::anthropic:
        return anthropic;
    }
    std::unreachable();
  }
};

constexpr std::array<Kind, 2> kKinds = {
    {{&LimitView::requests,
      {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
      {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
       "anthropic-ratelimit-requests-reset"}},
     {&LimitView::tokens,
      {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
      {"anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
       "anthropic-ratelimit-tokens-reset"}}}};

// All that says anything of limits in one dialect or the other.
constexpr std::array<std::string_view, 3> kFamilies = {"x-ratelimit-", "anthropic-ratelimit-", "anthropic-priority-"};

// A reset beyond this is told as this: what is so far away is never waited for, and years keep four digits.
constexpr Duration kLongestReset = std::chrono::hours(24 * 365);

RateLevel to_level(const LevelView& view) {
  // At least the burst, so that no more remains than the limit. Rounded, for the rate is kept by the second.
  return {.limit = static_cast<std::uint64_t>(std::llround(std::max(view.per_minute, view.burst))),
          .remaining = view.remaining,
          .reset_after = view.full_after};
}

// The level as one that lets nothing pass for so long.
void use_up(RateLevel& level, Duration wait) {
  level.remaining = 0;
  level.reset_after = std::max(level.reset_after.value_or(Duration::zero()), wait);
}

std::optional<std::uint64_t> read_count(const net::Headers& headers, std::string_view name) {
  const std::string_view text = headers.get(name);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

RateLevel read_level(WallTime now, const net::Headers& headers, const Names& names) {
  return {.limit = read_count(headers, names.limit),
          .remaining = read_count(headers, names.remaining),
          .reset_after = parse_window_reset(now, headers.get(names.reset))};
}

const RateLevel& tighter(const RateLevel& upstream, const RateLevel& own) {
  if (!own.remaining) return upstream;
  if (!upstream.remaining) return own;
  if (*own.remaining != *upstream.remaining) return *own.remaining < *upstream.remaining ? own : upstream;
  // An absent reset comes before every other.
  return own.reset_after > upstream.reset_after ? own : upstream;
}

// As Go prints durations, in whole milliseconds, never too short: "120ms", "8.64s", "6m0s".
std::string duration_text(Duration duration) {
  const std::int64_t all = ceil_milliseconds(std::min(duration, kLongestReset));
  if (all > 0 && all < 1000) return fmt::format("{}ms", all);
  const std::int64_t hours = all / 3'600'000;
  const std::int64_t minutes = all / 60'000 % 60;
  std::string text = hours > 0 ? fmt::format("{}h", hours) : "";
  if (all >= 60'000) text += fmt::format("{}m", minutes);
  text += fmt::format("{}", all / 1000 % 60);
  if (all % 1000 != 0) {
    text += fmt::format(".{:03}", all % 1000);
    text.resize(text.find_last_not_of('0') + 1);
  }
  return text + 's';
}

// In UTC and whole seconds, never too early.
std::string time_text(WallTime now, Duration after) {
  namespace chrono = std::chrono;
  const auto time = chrono::ceil<chrono::seconds>(now + std::min(after, kLongestReset));
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

void set_or_erase(net::Headers& headers, std::string_view name, const std::optional<std::string>& value) {
  if (value) {
    headers.set(name, *value);
  } else {
    headers.erase(name);
  }
}

void write_level(WallTime now, net::Headers& headers, const Names& names, const RateLevel& level,
                 llm::Dialect dialect) {
  const auto count = [](std::uint64_t number) { return fmt::format("{}", number); };
  const auto reset = [&](Duration after) {
    switch (dialect) {
      case llm::Dialect::openai:
        return duration_text(after);
      case llm::Dialect::anthropic:
        return time_text(now, after);
    }
    std::unreachable();
  };
  set_or_erase(headers, names.limit, level.limit.transform(count));
  set_or_erase(headers, names.remaining, level.remaining.transform(count));
  set_or_erase(headers, names.reset, level.reset_after.transform(reset));
}

void erase_families(net::Headers& headers) {
  std::vector<std::string_view> to_erase;
  for (const net::Header header : headers) {
    const auto begins = [&](std::string_view family) { return net::starts_with_ignoring_case(header.name, family); };
    if (std::ranges::any_of(kFamilies, begins)) to_erase.push_back(header.name);
  }
  // Erasing moves no text, so the views stay valid.
  for (const std::string_view name : to_erase) headers.erase(name);
}

}  // namespace

LimitView limit_view(TimePoint now, TargetState& state) {
  LimitView view;
  if (const JointLimiter* const limits = state.limits()) {
    const JointView levels = limits->view(now);
    if (levels.requests) view.requests = to_level(*levels.requests);
    if (levels.tokens) view.tokens = to_level(*levels.tokens);
  }
  if (const AdaptiveLimiter* const rate = state.adaptive_rate()) {
    const RateLevel learned = to_level(rate->view(now));
    if (&tighter(view.requests, learned) == &learned) view.requests = learned;
  }
  if (const auto shut = state.gate().peek_rejection(now))
    use_up(view.requests, shut->retry_after.value_or(Duration::zero()));
  return view;
}

LimitView rejected_view(LimitView own, const Rejection& rejection) {
  if (rejection.reason != RejectionReason::rate_limited) return own;
  const Duration wait = rejection.retry_after.value_or(Duration::zero());
  const bool requests_remain = own.requests.remaining != 0U;
  use_up(requests_remain && own.tokens.remaining ? own.tokens : own.requests, wait);
  return own;
}

bool tells_rates(const net::Headers& headers) noexcept {
  constexpr std::string_view kOpenAi = "x-ratelimit-";
  constexpr std::string_view kAnthropic = "anthropic-ratelimit-";
  return std::ranges::any_of(headers.begin(), headers.end(), [&](const net::Header& header) {
    return begins_with(header.name, kOpenAi) || begins_with(header.name, kAnthropic);
  });
}

LimitView read_rate_headers(WallTime now, llm::Dialect upstream, const net::Headers& headers) {
  LimitView view;
  for (const Kind& kind : kKinds) {
    RateLevel& level = view.*kind.level;
    level = read_level(now, headers, kind.names(upstream));
    for (const llm::Dialect other : llm::kDialects) {
      if (level == RateLevel{}) level = read_level(now, headers, kind.names(other));
    }
  }
  return view;
}

LimitView aged(LimitView view, Duration passed) noexcept {
  for (RateLevel* const level : {&view.requests, &view.tokens}) {
    if (level->reset_after) *level->reset_after -= std::min(*level->reset_after, passed);
  }
  return view;
}

std::optional<ServerWindow> server_window(const LimitView& upstream) {
  const RateLevel& requests = upstream.requests;
  if (!requests.remaining || !requests.reset_after) return std::nullopt;
  const std::uint64_t remaining = *requests.remaining;
  const Duration reset = *requests.reset_after;
  if (!requests.limit || *requests.limit == 0) return ServerWindow{.remaining = remaining, .reset_after = reset};
  const std::uint64_t limit = *requests.limit;
  if (remaining >= limit - limit / 2) return ServerWindow{.remaining = remaining};
  if (remaining > 0) return ServerWindow{.remaining = limit, .reset_after = reset};
  // Rounded up; a limit above the nanoseconds is one.
  const auto each = static_cast<std::uint64_t>(reset.count()) / limit + 1;
  return ServerWindow{.remaining = 0, .reset_after = std::min(reset, Duration(static_cast<Duration::rep>(each)))};
}

void set_rate_headers(WallTime now, net::Headers& answer, llm::Dialect caller, const RateSources& sources) {
  const bool translated = sources.dialect != caller;
  if (translated) erase_families(answer);
  for (const Kind& kind : kKinds) {
    const RateLevel& upstream = sources.upstream.*kind.level;
    const RateLevel& told = tighter(upstream, sources.own.*kind.level);
    if (translated || &told != &upstream) write_level(now, answer, kind.names(caller), told, caller);
  }
}

}  // namespace fuseboard::gateway
