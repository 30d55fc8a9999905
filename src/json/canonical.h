// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One text for all JSON texts that mean the same: the JSON Canonicalization Scheme, RFC 8785.
//
// No whitespace, members in the order of their names' UTF-16 code units, strings with the fewest escapes, numbers as
// ECMAScript writes them. One departure, because canonical texts tell requests apart here: an integer beyond 2^53 that
// is written without fraction and exponent keeps its digits. RFC 8785 would round it to a double, and two `seed`s that
// a server tells apart would be one.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "json/scan.h"

namespace fuseboard::json {

// Deeper nesting has no canonical form here. Enough for any request; it bounds the stack and the work, since members
// are put in order level by level.
inline constexpr std::size_t kMaxCanonicalDepth = 64;

// The canonical form of one JSON value. What is no valid JSON is an error, and so is what RFC 8785 (by way of I-JSON,
// RFC 7493) excludes: two members of one name in an object, half a surrogate pair, a number that fits no double; and
// nesting beyond kMaxCanonicalDepth.
std::expected<std::string, Error> canonical_form(std::string_view text);

// The same for a text that validate has accepted, as a part of a larger one: appends to `out`. After an error what
// was appended is of no use.
std::expected<void, Error> append_canonical(std::string& out, std::string_view valid_json);

// A valid JSON array whose elements' order does not matter: they are put in the order of their canonical forms. Any
// other value as above.
std::expected<void, Error> append_canonical_set(std::string& out, std::string_view valid_json);

// Whether `a` comes before `b`, both valid UTF-8, by UTF-16 code units (RFC 8785, 3.2.3).
bool before_in_utf16(std::string_view a, std::string_view b) noexcept;

}  // namespace fuseboard::json
