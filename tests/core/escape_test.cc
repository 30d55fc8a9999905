// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/escape.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fuseboard {
namespace {

TEST(EscapeUnprintable, LeavesWhatCanBeSeenAsItIs) {
  for (const std::string_view text :
       {"", "plain text, ~ and \\ too", "naïve", "日本語", "עברית", "❤️ 🦊", "e\u0301", "\u00A0\u2003"}) {
    EXPECT_EQ(escape_unprintable(text), text);
    EXPECT_TRUE(is_printable(text)) << text;
  }
}

TEST(EscapeUnprintable, WritesOutControlsAndFormats) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a\nb", "a\\x0ab"},
      {"\t\r", "\\x09\\x0d"},
      {"\x1B[2J", "\\x1b[2J"},
      {"\x7F", "\\x7f"},
      {"\u0080\u009B\u009F", "\\u{0080}\\u{009b}\\u{009f}"},  // C1: "\u009B" begins a terminal's sequence as ESC [ does
      {"\u202Ecod.exe", "\\u{202e}cod.exe"},
      {"\u2066x\u2069", "\\u{2066}x\\u{2069}"},
      {"\u200B\u200D\u200F\u2060", "\\u{200b}\\u{200d}\\u{200f}\\u{2060}"},
      {"\u2028\u2029", "\\u{2028}\\u{2029}"},
      {"\uFEFFx", "\\u{feff}x"},
      {"\u00AD\u061C\u180E\u3164", "\\u{00ad}\\u{061c}\\u{180e}\\u{3164}"},
      {"\U000E0001\U000E0041\U000E007F", "\\u{e0001}\\u{e0041}\\u{e007f}"},
      {"\uFFF9\U0001D173\U0010FFFF", "\\u{fff9}\\u{1d173}\\u{10ffff}"},
      {std::string_view("\0", 1), "\\x00"},
  };
  for (const auto& [text, escaped] : cases) {
    EXPECT_EQ(escape_unprintable(text), escaped);
    EXPECT_FALSE(is_printable(text)) << escaped;
  }
}

TEST(EscapeUnprintable, TheNeighboursOfEachRangeStay) {
  for (const std::string_view text : {" ", "~", "\u00A0", "\u00AC", "\u00AE", "\u200A", "\u2010", "\u2027", "\u202F",
                                      "\u205F", "\u2070", "\uFE0F", "\uFF9F", "\uFFFC", "\uFFFD", "\U000E1000"}) {
    EXPECT_EQ(escape_unprintable(text), text);
    EXPECT_TRUE(is_printable(text));
  }
}

TEST(EscapeUnprintable, WritesOutBytesThatAreNoUtf8) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\xFF", "\\xff"},
      {"a\x80z", "a\\x80z"},
      {"\xC3", "\\xc3"},                             // cut off
      {"\xE2\x82", "\\xe2\\x82"},                    // cut off
      {"\xC0\xAF", "\\xc0\\xaf"},                    // overlong
      {"\xC1\x9B", "\\xc1\\x9b"},                    // overlong
      {"\xE0\x80\x9B", "\\xe0\\x80\\x9b"},           // overlong
      {"\xF0\x80\x80\x9B", "\\xf0\\x80\\x80\\x9b"},  // overlong
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // over U+10FFFF
      {"\xF5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
      {"\xE2\x28\xA1", "\\xe2(\\xa1"},
  };
  for (const auto& [text, escaped] : cases) {
    EXPECT_EQ(escape_unprintable(text), escaped);
    EXPECT_FALSE(is_printable(text)) << escaped;
  }
}

TEST(EscapeUnprintable, SaysTheSameAsIsPrintableOfEveryCharacter) {
  for (std::uint32_t code = 0; code < 0x11'0000; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    std::string text;
    if (code < 0x80) {
      text = {static_cast<char>(code)};
    } else if (code < 0x800) {
      text = {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
    } else if (code < 0x10000) {
      text = {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | ((code >> 6) & 0x3F)),
              static_cast<char>(0x80 | (code & 0x3F))};
    } else {
      text = {static_cast<char>(0xF0 | (code >> 18)), static_cast<char>(0x80 | ((code >> 12) & 0x3F)),
              static_cast<char>(0x80 | ((code >> 6) & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
    }
    ASSERT_EQ(is_printable(text), escape_unprintable(text) == text) << code;
  }
}

}  // namespace
}  // namespace fuseboard
