// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The grammar's small change (RFC 8259, sections 2 and 6). Included by sources of this module alone.
#pragma once

namespace fuseboard::json {

constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool begins_number(char c) noexcept { return c == '-' || is_digit(c); }

// Where a number, true, false or null of a valid text ends that begins at `at`.
constexpr const char* bare_value_end(const char* at, const char* text_end) noexcept {
  const auto ends = [](char c) { return c == ',' || c == '}' || c == ']' || static_cast<unsigned char>(c) <= ' '; };
  while (at != text_end && !ends(*at)) ++at;
  return at;
}

}  // namespace fuseboard::json
