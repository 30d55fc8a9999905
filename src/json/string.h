// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Writing JSON strings, with as few escapes as RFC 8785 (3.2.2.2) asks for.
#pragma once

#include <string>
#include <string_view>

namespace fuseboard::json {

// Appends `text` as it stands between the quotes of a JSON string. Bytes that are no UTF-8 become U+FFFD, one for each
// byte, so the result is always valid; every other text reads back as it was.
void append_inside(std::string& out, std::string_view text);

// The same, quotes included.
void append_string(std::string& out, std::string_view text);
std::string string_literal(std::string_view text);

// The same; null for an empty text.
void append_string_or_null(std::string& out, std::string_view text);

// The same as append_string for a text that is known to be valid UTF-8, in less time.
void append_valid_string(std::string& out, std::string_view text);

}  // namespace fuseboard::json
