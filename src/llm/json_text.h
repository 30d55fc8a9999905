// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Writing JSON strings and finding bytes that are no UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fuseboard::llm {

// Appends `text` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD, one for each byte, so the
// result is always valid; every other text reads back as it was.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

// The offset of the first byte that does not begin or continue valid UTF-8 (Unicode 15, table 3-7: no surrogates,
// nothing overlong, nothing above U+10FFFF); text.size() if all is valid.
std::size_t first_invalid_utf8(std::string_view text) noexcept;

// Whether `tail`, which is no valid UTF-8, would be with more bytes behind it.
bool is_cut_character(std::string_view tail) noexcept;

}  // namespace fuseboard::llm
