// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server's response headers say about trying again.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "fuseboard/core/time.h"

namespace fuseboard {

struct RetryHints {
  // How long the server asks us to wait: whole milliseconds, rounded up, unclamped, >= 0. A date that has passed is 0.
  std::optional<Duration> retry_after{};
  // `x-should-retry`: the server's own word on whether the same request may be sent again.
  std::optional<bool> should_retry{};
};

// Collects hints while the caller walks over the headers of one response, in any order:
//
//   RetryHintReader reader(wall_clock.now());
//   for (const auto& field : response) reader.header(field.name_string(), field.value());
//   failure.hints = reader.hints();
//
// `retry-after-ms` goes before `retry-after`, and the first usable value of a repeated header before later ones. A
// value that is negative or no number and no date is ignored. Copies nothing, allocates nothing; a header that is no
// hint costs a length comparison. Header names are compared without regard to case.
class RetryHintReader {
 public:
  // `now` is civil time: HTTP dates are read against it, nothing else [CORE-1].
  explicit RetryHintReader(std::chrono::system_clock::time_point now) noexcept : now_(now) {}

  void header(std::string_view name, std::string_view value) noexcept;
  RetryHints hints() const noexcept;

 private:
  std::chrono::system_clock::time_point now_;
  std::optional<Duration> retry_after_ms_{};
  std::optional<Duration> retry_after_{};
  std::optional<bool> should_retry_{};
};

// A non-negative decimal ("17", "0.5", "1532.4") times `unit` (1 ms to 1 h), read exactly, rounded up to a whole
// millisecond; saturates. nullopt for a sign, an exponent, an empty text or anything else.
std::optional<Duration> parse_decimal_duration(std::string_view text, std::chrono::milliseconds unit) noexcept;

// The three date formats of RFC 9110, section 5.6.7: IMF-fixdate, RFC 850 and asctime. A two-digit year is the one
// within 50 years of `now`. nullopt for everything else, a 30th of February included. In seconds, because the year 9999
// does not fit system_clock's nanoseconds.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text,
                                                        std::chrono::system_clock::time_point now) noexcept;

}  // namespace fuseboard
