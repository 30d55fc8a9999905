// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whether an answer is a stream, whatever its head calls it: servers and proxies send streams as `application/json` or
// under no type at all, and refusals of streams as `text/event-stream`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fuseboard::gateway {

enum class BodyKind : std::uint8_t {
  unclear,  // more must come: nothing but blank lines, or the beginning of a field's name
  events,   // begins as a line of an event stream
  json,     // begins as an object or an array
  other,
};

// By the first bytes of a body; a byte order mark before them is no matter.
BodyKind body_kind(std::string_view begun) noexcept;

// More than that is not held back to find out.
inline constexpr std::size_t kMaxUnclear = std::size_t{16} << 10;

}  // namespace fuseboard::gateway
