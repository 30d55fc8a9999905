// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/string_decoder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "json/string.h"

namespace fuseboard::json {
namespace {

TEST(StringDecoder, ReadsEveryEscape) {
  EXPECT_EQ(decode(R"("a\"b\\c\/d\b\f\n\r\te")"), "a\"b\\c/d\b\f\n\r\te");
  EXPECT_EQ(decode(R"("\u0041\u00e9\u20AC\uD83D\uDE00\u0000")"),
            std::string("A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0", 11));
  EXPECT_EQ(decode(R"("")"), "");
  EXPECT_EQ(decode(""), "");
}

TEST(StringDecoder, AHalfOfACharacterThatFindsNoOtherIsReplaced) {
  for (const std::string_view literal : {R"("\ud83d")", R"("\ude00")"}) {
    EXPECT_EQ(decode(literal), "\xEF\xBF\xBD") << literal;
  }
  EXPECT_EQ(decode(R"("\ud83dx\ud83d\ud83d\ude00\n")"), "\xEF\xBF\xBDx\xEF\xBF\xBD\xF0\x9F\x98\x80\n");
  EXPECT_EQ(decode(R"("\ud83d\u0041")"),
            "\xEF\xBF\xBD"
            "A");
  EXPECT_EQ(decode(R"("\ud83d\n")"), "\xEF\xBF\xBD\n");
}

TEST(StringDecoder, PutsTogetherWhatTwoLiteralsShare) {
  StringDecoder decoder;
  std::string text;
  decoder.append(text, R"("x\ud83d")");
  EXPECT_EQ(text, "x");
  decoder.append(text, R"("")");
  decoder.append(text, R"("\ude00y")");
  EXPECT_EQ(text, "x\xF0\x9F\x98\x80y");
  decoder.append(text, R"("\ud83d")");
  decoder.finish(text);
  decoder.finish(text);
  EXPECT_EQ(text, "x\xF0\x9F\x98\x80y\xEF\xBF\xBD");
}

RC_GTEST_PROP(StringDecoder, ReadsWhatWasWritten, (const std::string& bytes)) {
  std::string text = bytes;
  for (char& c : text) c = static_cast<char>(c & 0x7F);
  text += "\xC3\xA9\xF0\x9F\x98\x80";
  RC_ASSERT(decode(string_literal(text)) == text);
}

}  // namespace
}  // namespace fuseboard::json
