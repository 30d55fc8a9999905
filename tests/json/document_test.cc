// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/document.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "json/scan.h"
#include "json/tree.h"

namespace fuseboard::json {
namespace {

using namespace std::string_literals;

// Everything in a value, told by walking into each container; `skips` leaves some of them alone instead.
std::string told(const Value& value, std::mt19937* skips = nullptr) {
  if (skips != nullptr && (*skips)() % 2 == 0) return std::string(value.raw());
  std::string text;
  if (value.is_object()) {
    text = "{";
    value.each_member([&](std::string_view name, const Value& member) {
      text += '"' + std::string(name) + "\":" + told(member, skips) + ',';
    });
    if (text.size() > 1) text.pop_back();
    return text + '}';
  }
  if (value.is_array()) {
    text = "[";
    value.each_element([&](const Value& element) { text += told(element, skips) + ','; });
    if (text.size() > 1) text.pop_back();
    return text + ']';
  }
  return std::string(value.raw());
}

std::string random_value(std::mt19937& random, std::size_t depth, const std::string& space) {
  constexpr std::array<std::string_view, 12> kScalars = {
      "null",  "true",   "false",     "0",           "-1.5e+10",  "18446744073709551616",
      R"("")", R"("a")", R"("\"\\")", R"("}]{[,:")", R"("\\\\")", R"("sixteen bytes and more than that \" in it")"};
  const auto kind = random() % (depth == 0 ? 2 : 4);
  if (kind < 2) return std::string(kScalars[random() % kScalars.size()]);
  std::string text = (kind == 2 ? "{" : "[") + space;
  for (auto left = random() % 4; left > 0; --left) {
    if (kind == 2) text += R"("n\")" + std::to_string(random() % 9) + '"' + space + ':' + space;
    text += random_value(random, depth - 1, space) + space + (left > 1 ? "," : "") + space;
  }
  return text + (kind == 2 ? '}' : ']');
}

TEST(JsonReader, ReadsEveryValueWhereverItStandsAndWhateverIsLeftAlone) {
  std::mt19937 random(20260301);
  for (int round = 0; round < 5'000; ++round) {
    const std::string text = random_value(random, 5, "");
    ASSERT_FALSE(validate(text)) << text;
    Document document(text);
    ASSERT_EQ(told(document.root()), text);
    ASSERT_EQ(told(document.root(), &random), text);
    ASSERT_EQ(document.root().raw(), text);
  }
}

TEST(JsonReader, WhitespaceBetweenValuesIsNoPartOfThem) {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    const auto seed = static_cast<std::mt19937::result_type>(random());
    std::mt19937 bare(seed);
    std::mt19937 spaced(seed);
    const std::string text = random_value(bare, 4, "");
    const std::string wide = " \t" + random_value(spaced, 4, " \r\n\t") + "\n ";
    Document document(wide);
    ASSERT_EQ(told(document.root()), text) << wide;
    ASSERT_EQ(document.root().raw(), Tree(wide).root().raw()) << wide;
  }
}

TEST(JsonReader, AValueIsOfItsOwnKindAlone) {
  Document document(R"([{},[],"",null,-1,0,true,false])");
  std::vector<std::string> kinds;
  document.root().each_element([&](const Value& value) {
    std::string kind;
    if (value.is_object()) kind += 'o';
    if (value.is_array()) kind += 'a';
    if (value.is_string()) kind += 's';
    if (value.is_null()) kind += 'n';
    if (value.is_number()) kind += '#';
    kinds.push_back(kind);
    if (!value.is_object()) value.each_member([](std::string_view, const Value&) { FAIL(); });
    if (!value.is_array()) value.each_element([](const Value&) { FAIL(); });
  });
  EXPECT_EQ(kinds, (std::vector<std::string>{"o", "a", "s", "n", "#", "#", "", ""}));
}

TEST(JsonReader, ContentIsAnObjectOrWhatIsNotEmpty) {
  for (const auto& [text, expected] : {std::pair{"{}", true},
                                       {"[]", false},
                                       {"[ \n]", false},
                                       {"[0]", true},
                                       {"[[]]", true},
                                       {R"("")", false},
                                       {R"("a")", true},
                                       {R"("\"")", true},
                                       {"null", false},
                                       {"0", false},
                                       {"true", false}}) {
    Document document(text);
    EXPECT_EQ(document.root().has_content(), expected) << text;
  }
}

TEST(JsonReader, IntegersAreThoseThatFitAndHaveNoFraction) {
  const auto read = [](std::string_view text) { return Document(text).root().integer<std::uint64_t>(); };
  EXPECT_EQ(read("0"), 0U);
  EXPECT_EQ(read(" 42 "), 42U);
  EXPECT_EQ(read("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  for (const std::string_view text :
       {"18446744073709551616", "-1", "-0", "1.0", "1e3", "1E3", "true", "null", R"("1")", "[1]", "{}"}) {
    EXPECT_EQ(read(text), std::nullopt) << text;
  }
  EXPECT_EQ(Document("-9223372036854775808").root().integer<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(Document("9223372036854775808").root().integer<std::int64_t>(), std::nullopt);
  std::vector<std::string> seen;
  Document document("[1.5,12 ,3]");  // the next value is found behind one that was read, and behind one that was not
  document.root().each_element([&](const Value& value) {
    seen.push_back(std::to_string(value.integer<std::int64_t>().value_or(-1)) + '=' + std::string(value.raw()));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"-1=1.5", "12=12", "3=3"}));
}

TEST(JsonReader, TextIsUnescapedAndCutBetweenCharacters) {
  Document document(R"(["plain","a\n\u00e9\ud83d\ude00","half \ud83d","low \udc00",7,"gr)"
                    "\xC3\xBC\xC3\x9F"
                    R"(e"])");
  std::vector<std::string_view> texts;
  std::vector<std::string> cut;
  document.root().each_element([&](const Value& value) {
    texts.push_back(value.text());
    cut.push_back(value.cut_text(4));
  });
  // Views stay good as long as the document, also of texts that do not stand in it.
  EXPECT_EQ(texts, (std::vector<std::string_view>{"plain", "a\n\xC3\xA9\xF0\x9F\x98\x80", "", "", "",
                                                  "gr\xC3\xBC\xC3\x9F"
                                                  "e"}));
  EXPECT_EQ(cut, (std::vector<std::string>{"plai", "a\n\xC3\xA9", "", "", "", "gr\xC3\xBC"}));
  EXPECT_EQ(Document("\"\xC3\xBC\"").root().cut_text(1), "");
  EXPECT_EQ(Document(R"("a\"b")").root().literal(), R"("a\"b")");
  EXPECT_EQ(Document("[1]").root().literal(), "");
}

}  // namespace
}  // namespace fuseboard::json
