// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/string.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

#include "fuseboard/core/utf8.h"

namespace fuseboard::json {
namespace {

using namespace std::string_literals;

std::string read_back(const std::string& json) {
  simdjson::dom::parser parser;
  std::string_view text;
  EXPECT_EQ(parser.parse(json).get_string().get(text), simdjson::SUCCESS) << json;
  return std::string(text);
}

TEST(JsonText, EveryValidTextReadsBackAsItWas) {
  for (const std::string& text : {""s, "plain"s, "\"quoted\" \\ back"s, "line\nfeed\r\t\b\f"s, "\0\x01\x1F\x7F"s,
                                  "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"s}) {
    EXPECT_EQ(read_back(string_literal(text)), text);
  }
}

TEST(JsonText, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(string_literal("a\xFF"
                           "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(string_literal("\xC3"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(string_literal("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonText, WhatMustBeEscapedIsFoundWhereverItStands) {
  for (std::size_t before = 0; before <= 40; ++before) {
    for (std::size_t behind = 0; behind <= 20; ++behind) {
      for (const auto& [text, json] : {std::pair{"\""s, R"(\")"s},
                                       {"\\"s, R"(\\)"s},
                                       {"\n"s, R"(\n)"s},
                                       {"\0"s, R"(\u0000)"s},
                                       {"\x1F\t"s, R"(\u001f\t)"s},
                                       {"\xC3\xBC"s, "\xC3\xBC"s},
                                       {"\xFF"s, "\xEF\xBF\xBD"s}}) {
        const std::string a(before, 'a');
        const std::string b(behind, 'b');
        EXPECT_EQ(string_literal(a + text + b), '"' + a + json + b + '"');
      }
    }
  }
}

TEST(JsonText, AnyBytesMakeAValidString) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? 0xC0 + random() % 64 : random() % 256);
    const std::string back = read_back(string_literal(text));
    if (simdjson::validate_utf8(text)) EXPECT_EQ(back, text);
  }
}

TEST(JsonText, TheFirstInvalidByteIsWhereSimdjsonSaysThereIsOne) {
  std::mt19937 random(11);
  const unsigned char kBytes[] = {'a',  0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                  0xE0, 0xE1, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  for (int round = 0; round < 300'000; ++round) {
    std::string text(random() % 6, '\0');
    for (char& c : text) c = static_cast<char>(kBytes[random() % std::size(kBytes)]);
    const std::size_t at = first_invalid_utf8(text);
    ASSERT_EQ(at == text.size(), simdjson::validate_utf8(text));
    ASSERT_TRUE(simdjson::validate_utf8(text.data(), at));
  }
}

TEST(JsonText, TheFirstInvalidByteIsFoundBehindAnyNumberOfCharacters) {
  for (const std::string& character : {"a"s, "\xC3\xBC"s, "\xF0\x9F\x98\x80"s}) {
    for (std::size_t ascii = 0; ascii <= 20; ++ascii) {
      for (std::size_t count = 0; count <= 5; ++count) {
        std::string text(ascii, 'x');
        for (std::size_t i = 0; i < count; ++i) text += character;
        EXPECT_EQ(first_invalid_utf8(text), text.size());
        EXPECT_EQ(first_invalid_utf8(text + "\xFF" + std::string(20, 'y')), text.size());
      }
    }
  }
}

}  // namespace
}  // namespace fuseboard::json
