// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Text from elsewhere, made safe to show: in a log line, on a terminal, as a metric's label, in a header.
#pragma once

#include <string>
#include <string_view>

namespace fuseboard {

// `text` on one line, with nothing in it that moves a cursor, turns the direction of writing, or is there without being
// seen. What would be is written out: "\n" as "\x0a", U+202E as "\u{202e}", a byte that is no UTF-8 as "\xff". Escaped
// are the control and format characters of Unicode (Cc, Cf), its line and paragraph separators, and what is invisible
// by definition (Default_Ignorable_Code_Point) but for the variation selectors of emoji. A backslash stays as it is.
// Thread-safe; linear; allocates the result alone.
std::string escape_unprintable(std::string_view text);

// Whether escape_unprintable() would return `text` as it is. Quick for ASCII.
bool is_printable(std::string_view text) noexcept;

}  // namespace fuseboard
