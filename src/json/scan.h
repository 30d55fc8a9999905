// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Strict validation of JSON (RFC 8259) with positions. document.h and tree.h read what has passed it.
//
// simdjson's on-demand parser does not look into what its caller skips. Its DOM also refuses what is valid JSON but
// fits no C++ value (half a surrogate pair, which providers that cut text by UTF-16 units do stream; integers above
// 2^64, which pass through JavaScript as 18446744073709552000), and neither says where an error is.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace fuseboard::json {

// Deeper nesting is refused.
inline constexpr std::size_t kMaxDepth = 1000;

struct Error {
  std::size_t offset = 0;   // the first byte that is wrong
  std::string_view what{};  // "expected a value": static text
  bool breaks_off = false;  // nothing is wrong but that the text ends here
};

// The kind of a value follows from its first byte: { [ " t f n or a number's.
struct Member {
  std::string_view name;   // as written, quotes included
  std::string_view value;  // as written
};

// nullopt: `text` is one JSON value in valid UTF-8, with nothing but whitespace around it. Never recurses, never
// allocates.
std::optional<Error> validate(std::string_view text) noexcept;

// The same for a text that must be an object. Calls `member` for each member of it, in order, duplicates too, as soon
// as its value has been checked; what comes later may still turn out to be wrong.
//
// `look`, where there is one, is called with how far the text has been read, ever farther, by some ten thousand bytes
// each: what else has to see every byte sees it while it is in the cache.
std::optional<Error> validate_object(std::string_view text, const std::function<void(const Member&)>& member,
                                     const std::function<void(std::size_t end)>& look = {});

}  // namespace fuseboard::json
