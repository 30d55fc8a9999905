// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server's response headers say about trying again.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/time.h"

namespace fuseboard {

struct RetryHints {
  // How long the server asks us to wait: whole milliseconds, rounded up, unclamped, >= 0. A date that has passed is 0.
  std::optional<Duration> retry_after{};
  // When the window of a rate limit that is used up resets, where that alone is said: it counts only where neither
  // `retry_after` nor the body names a wait. Of several windows the latest.
  std::optional<Duration> window_reset{};
  // `x-should-retry`: the server's own word on whether the same request may be sent again.
  std::optional<bool> should_retry{};
};

// Collects hints while the caller walks over the headers of one response, in any order:
//
//   RetryHintReader reader(wall_clock.now());
//   for (const auto& field : response) reader.header(field.name_string(), field.value());
//   failure.hints = reader.hints();
//
// `retry-after-ms` goes before `retry-after`, that before `grpc-retry-pushback-ms`, and the first usable value of a
// repeated header before later ones. A value that is negative or no number and no date is ignored. Windows: of
// `x-ratelimit-reset-*` and `anthropic-ratelimit-*-reset` those whose `remaining` is 0, and the unified reset of
// Anthropic when its status is `rejected`; else IETF's `ratelimit` and `ratelimit-reset`; else `x-ratelimit-reset`.
// Copies nothing, allocates nothing; a header that is no hint costs a look at its first letter. Names are compared
// without regard to case.
class RetryHintReader {
 public:
  // `now` is civil time: dates and absolute resets are read against it, nothing else [CORE-1]. Without it they are no
  // hint.
  explicit RetryHintReader(std::optional<WallTime> now) noexcept : now_(now) {}

  void header(std::string_view name, std::string_view value) noexcept;
  RetryHints hints() const noexcept;

 private:
  // One dimension of a rate limit, such as "requests" or "tokens".
  struct Window {
    std::string_view name{};
    bool used_up = false;
    std::optional<Duration> reset{};
  };
  static constexpr std::size_t kMaxWindows = 12;

  void rate_limit_header(std::string_view name, std::string_view value) noexcept;
  void plan_header(std::string_view name, std::string_view value) noexcept;
  void size_header(std::string_view name, std::string_view value) noexcept;
  void ietf_header(std::string_view value) noexcept;
  Window* window(std::string_view name) noexcept;

  std::optional<WallTime> now_;
  std::optional<Duration> retry_after_ms_{};
  std::optional<Duration> retry_after_{};
  std::optional<Duration> pushback_{};
  std::optional<bool> should_retry_{};
  std::size_t window_count_ = 0;
  std::array<Window, kMaxWindows> windows_{};
  bool unified_rejected_ = false;
  std::optional<Duration> unified_reset_{};
  std::optional<Duration> ietf_{};
  std::optional<std::int64_t> ietf_remaining_{};
  std::optional<Duration> by_size_{};
  std::optional<std::int64_t> by_size_remaining_{};
  std::optional<std::int64_t> by_size_cost_{};
  std::optional<Duration> plain_{};
  std::optional<std::int64_t> plain_remaining_{};
};

// A non-negative decimal ("17", "0.5", "1532.4") times `unit` (1 ms to 1 h), read exactly, rounded up to a whole
// millisecond; saturates. nullopt for a sign, an exponent, an empty text or anything else.
std::optional<Duration> parse_decimal_duration(std::string_view text, std::chrono::milliseconds unit) noexcept;

// A duration as Go prints it ("8ms", "2m59.56s", "7h12m5.4s") or as protobuf's JSON does ("34.4s"): decimals with the
// units d, h, m, s, ms, us, ns, in any order, whole text. Read as parse_decimal_duration reads.
std::optional<Duration> parse_unit_duration(std::string_view text) noexcept;

// How long until `reset`, a bare decimal: below 1e9 seconds from now, up to 1e12 a Unix time in seconds, above one in
// milliseconds. Rounded up to whole milliseconds, 0 for what has passed; nullopt for no number, and for a time without
// `now`.
std::optional<Duration> parse_reset(std::optional<WallTime> now, std::string_view text) noexcept;

// How long until a date and time of RFC 3339, "2026-01-01T00:00:42Z"; as parse_reset.
std::optional<Duration> parse_rfc3339_reset(std::optional<WallTime> now, std::string_view text) noexcept;

// How long until the window of a rate limit resets, in whichever of these forms: parse_unit_duration, parse_reset,
// parse_rfc3339_reset.
std::optional<Duration> parse_window_reset(std::optional<WallTime> now, std::string_view text) noexcept;

// The three date formats of RFC 9110, section 5.6.7: IMF-fixdate, RFC 850 and asctime. A two-digit year is the one
// within 50 years of `now`. nullopt for everything else, a 30th of February included. In seconds, because the year 9999
// does not fit system_clock's nanoseconds.
std::optional<std::chrono::sys_seconds> parse_http_date(WallTime now, std::string_view text) noexcept;

}  // namespace fuseboard
