// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "fuseboard/core/bounded_text.h"

namespace fuseboard {
namespace {

using namespace std::string_view_literals;

TEST(Utf8, EveryCharacterIsAsLongAsItIsWrittenAndNoPrefixOfItIsOne) {
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    const std::string text(encode_utf8(code).view());
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(character_size(text), surrogate ? 0 : text.size()) << code;
    ASSERT_EQ(character_size(text + "x"), surrogate ? 0 : text.size()) << code;
    ASSERT_EQ(first_invalid_utf8(text), surrogate ? 0 : text.size()) << code;
    for (std::size_t size = 1; size < text.size(); ++size) {
      const std::string_view begun = std::string_view(text).substr(0, size);
      ASSERT_EQ(character_size(begun), 0U) << code;
      ASSERT_TRUE(surrogate || is_cut_character(begun)) << code;
    }
    ASSERT_FALSE(is_cut_character(text)) << code;
  }
}

TEST(Utf8, WhatIsNoCharacterHasNoSize) {
  for (const std::string_view text : {""sv, "\x80"sv, "\xC0\xAF"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv,
                                      "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv}) {
    EXPECT_EQ(character_size(text), 0U) << text;
    EXPECT_FALSE(is_cut_character(text)) << text;
    EXPECT_EQ(first_invalid_utf8(text), 0U) << text;
  }
  EXPECT_FALSE(is_cut_character("\xE0\x80"));  // no byte behind it would mend that
}

TEST(Utf8, ACutNeverEndsWithinACharacter) {
  constexpr std::string_view kText = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80";  // at 0, 1, 3, 6; 10 bytes
  constexpr std::size_t kKept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t most = 0; most < std::size(kKept); ++most) {
    EXPECT_EQ(cut_to_characters(kText, most), kText.substr(0, kKept[most])) << most;
  }
  EXPECT_EQ(cut_to_characters("\x80\x80\x80", 2), "");
  static_assert(cut_to_characters("\xC3\xBC", 1).empty());
}

TEST(BoundedText, ShowsWhereItWasCutBetweenCharacters) {
  EXPECT_EQ(BoundedText<8>("12345678").view(), "12345678");
  EXPECT_EQ(BoundedText<8>("123456789").view(), "12345...");
  EXPECT_EQ(BoundedText<8>("1234\xC3\xBC"
                           "789")
                .view(),
            "1234...");
}

}  // namespace
}  // namespace fuseboard
