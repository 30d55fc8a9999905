// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/scan.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>
#include <string>
#include <vector>

namespace fuseboard::json {
namespace {

using namespace std::string_literals;

bool dom_accepts(const std::string& text) {
  static simdjson::dom::parser parser;
  return !parser.parse(text).error();
}

const std::vector<std::string>& valid_texts() {
  static const std::vector<std::string> texts = {"{}",
                                                 "[]",
                                                 "null",
                                                 "true",
                                                 "false",
                                                 "0",
                                                 "-0",
                                                 "-1.5e+10",
                                                 "1E5",
                                                 "0.25",
                                                 R"("")",
                                                 " [ 1 , 2 ]\r\n\t",
                                                 R"({"a":{"b":[{},[],[[]],{"c":null}]},"d":"x"})",
                                                 R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")",
                                                 "\"h\xC3\xA9llo \xF0\x9F\x98\x80\"",
                                                 R"(["12345678","1234567\"","123456\\\"8"])",
                                                 R"({"":"","a":1,"a":2})",
                                                 "[1,[2,[3,[4]]],5]",
                                                 "\"\x7F\""};
  return texts;
}

TEST(JsonScan, AcceptsWhatRfc8259Calls_JSON) {
  for (const std::string& text : valid_texts()) {
    EXPECT_FALSE(validate(text)) << text;
    EXPECT_TRUE(dom_accepts(text)) << text;
  }
}

TEST(JsonScan, ReadsLongStringsWithManyEscapes) {
  const std::string kPieces[] = {
      "a", "some plain text, longer than sixteen bytes", R"(\n)", R"(\")", R"(\\)", R"(\u00e9)", "\xC3\xA9"};
  const struct {
    std::string piece;
    std::size_t offset;
  } kFaults[] = {{R"(\x)", 1}, {"\x01", 0}, {R"(\u00g1)", 4}, {"\n", 0}, {"\"", 1}};
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text = "[\"";
    std::size_t fault_at = 0;
    const auto& fault = kFaults[random() % std::size(kFaults)];
    std::string faulty;
    const std::size_t pieces = random() % 60;
    const std::size_t fault_piece = random() % (pieces + 1);
    for (std::size_t i = 0; i <= pieces; ++i) {
      if (i == fault_piece) {
        fault_at = text.size() + fault.offset;
        faulty = text + fault.piece;
      }
      const std::string& piece = kPieces[random() % std::size(kPieces)];
      text += piece;
      if (!faulty.empty()) faulty += piece;
    }
    text += "\"]";
    faulty += "\"]";
    ASSERT_FALSE(validate(text)) << text;
    ASSERT_TRUE(validate(faulty)) << faulty;
    ASSERT_EQ(validate(faulty)->offset, fault_at) << faulty;
    const auto cut = validate(std::string_view(text).substr(0, text.size() - 2));
    ASSERT_TRUE(cut && cut->breaks_off) << text;
    ASSERT_EQ(cut->offset, text.size() - 2) << text;
  }
}

// UTF-8 is checked in pieces, which must cut no character and miss none.
TEST(JsonScan, ChecksTheCharactersOfLongTexts) {
  constexpr std::size_t kSize = 100'000;
  const std::string character = "\xF0\x9F\x98\x80";
  for (std::size_t shift = 0; shift < character.size(); ++shift) {
    std::string text = "[\"" + std::string(shift, 'a');
    while (text.size() < kSize) text += character;
    const std::string valid = text + "\",1]";
    EXPECT_FALSE(validate(valid));
    for (const std::size_t at : {std::size_t{2} + shift, kSize / 3, kSize / 2, kSize - 10}) {
      const std::size_t begin = at - (at - 2 - shift) % 4;  // of the character there
      std::string wrong = valid;
      wrong[begin + 1] = 'x';
      const auto error = validate(wrong);
      ASSERT_TRUE(error) << begin;
      EXPECT_EQ(error->what, "invalid UTF-8");
      EXPECT_EQ(error->offset, begin);
      EXPECT_FALSE(error->breaks_off);
      EXPECT_TRUE(validate(wrong + "]")) << "the first of two errors";
      EXPECT_EQ(validate(wrong + "]")->offset, begin);
      const auto cut = validate(std::string_view(valid).substr(0, begin + 2));
      ASSERT_TRUE(cut);
      EXPECT_TRUE(cut->breaks_off);
      EXPECT_EQ(cut->offset, begin);
    }
  }
  // Nothing but bytes that go on with a character, over the border of a piece.
  const auto error = validate("[\"" + std::string(32 * 1024 - 4, 'a') + "\xF0" + std::string(10, '\x80') + "\"]");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->offset, 32U * 1024 - 2);
  EXPECT_FALSE(error->breaks_off);
  const auto behind = validate("[\"" + std::string(32 * 1024 - 6, 'a') + "\xF0\x90\x80\x80\x80\"]");
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->offset, 32U * 1024) << "the character before it is whole";
}

TEST(JsonScan, TellsHowFarTheTextHasBeenReadBeforeItsMembersAreTold) {
  const std::string text = R"({"a":")" + std::string(200'000, 'a') + R"(","b":[)" + std::string(100'000, '1') + "]}  ";
  std::vector<std::size_t> ends;
  const auto error = validate_object(
      text,
      [&](const Member& member) {
        EXPECT_GE(ends.back(), static_cast<std::size_t>(member.value.data() + member.value.size() - text.data()));
      },
      [&](std::size_t end) {
        EXPECT_GT(end, ends.empty() ? 0 : ends.back());
        ends.push_back(end);
      });
  EXPECT_FALSE(error);
  EXPECT_EQ(ends.back(), text.size());
  EXPECT_GT(ends.size(), 5U);
}

TEST(JsonScan, RefusesWhatIsNoJsonAndSaysWhere) {
  const struct {
    std::string text;
    std::size_t offset;
  } kCases[] = {{"", 0},
                {"  ", 2},
                {"{", 1},
                {"[1,]", 3},
                {"[1 2]", 3},
                {R"({"a" 1})", 5},
                {R"({"a":1,})", 7},
                {R"({a:1})", 1},
                {"{'a':1}", 1},
                {"[1}", 2},
                {R"({"a":1])", 6},
                {"01", 1},
                {"1.", 2},
                {".5", 0},
                {"-", 1},
                {"+1", 0},
                {"1e", 2},
                {"NaN", 0},
                {"Infinity", 0},
                {"tru", 3},
                {"trux", 3},
                {"nulll", 4},
                {R"("abc)", 4},
                {R"("\x")", 2},
                {R"("\u12g4")", 5},
                {R"("\)", 2},
                {"\"a\nb\"", 2},
                {"\"a\0b\""s, 2},
                {"[1]]", 3},
                {"{} {}", 3},
                {"/*x*/1", 0},
                {"\xEF\xBB\xBF{}", 0},
                {"\"\xC0\xAF\"", 1},
                {"\"a\xED\xA0\x80\"", 2},
                {"\"\xF4\x90\x80\x80\"", 1},
                {"\"\xFF\"", 1},
                {"[\"ab\xC3\"]", 4},
                {"\0"s, 0},
                {"[\f1]", 1}};
  for (const auto& [text, offset] : kCases) {
    const auto error = validate(text);
    ASSERT_TRUE(error) << text;
    EXPECT_EQ(error->offset, offset) << text << ": " << error->what;
    EXPECT_FALSE(error->what.empty());
    EXPECT_FALSE(dom_accepts(text)) << text;
  }
}

TEST(JsonScan, AStringIsJudgedByItsFirstSpecialByteWhereverThatStands) {
  for (std::size_t before = 0; before <= 40; ++before) {
    for (std::size_t behind = 0; behind <= 20; ++behind) {
      const std::string a(before, 'a');
      const std::string b(behind, 'b');
      EXPECT_FALSE(validate('"' + a + R"(\")" + b + '"')) << before << ' ' << behind;
      EXPECT_FALSE(validate('"' + a + R"(\u00e9)" + b + '"')) << before << ' ' << behind;
      for (const char control : {'\0', '\n', '\x1F'}) {
        const auto error = validate('"' + a + control + b + '"');
        ASSERT_TRUE(error) << before << ' ' << behind;
        EXPECT_EQ(error->offset, before + 1);
        EXPECT_FALSE(error->breaks_off);
      }
      const auto cut = validate(std::string_view('"' + a + b + "\"\"\"").substr(0, 1 + before + behind));
      ASSERT_TRUE(cut) << before << ' ' << behind;
      EXPECT_TRUE(cut->breaks_off);
      EXPECT_EQ(cut->offset, 1 + before + behind);
    }
  }
  std::string large = '"' + std::string(1'000'000, 'x') + "\\\\" + std::string(1'000'000, 'x') + '"';
  EXPECT_FALSE(validate(large));
  large[1'999'000] = '\t';
  EXPECT_EQ(validate(large)->offset, 1'999'000U);
}

TEST(JsonScan, EveryBeginningOfAnObjectBreaksOffAndNothingElseDoes) {
  const std::string text = R"({"a":[1,-2.5e3,true,null],"b\n":"h)"
                           "\xC3\xA9\xF0\x9F\x98\x80"
                           R"(\u00e9","c":{}})";
  ASSERT_FALSE(validate(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto error = validate(std::string_view(text).substr(0, size));
    ASSERT_TRUE(error) << size;
    EXPECT_TRUE(error->breaks_off) << size << ": " << error->what;
  }
  for (const std::string& wrong : {"{\"a\":x"s, "[1}"s, "\"\xFF"s, "{\"a\":\xC0"s, "nul]"s}) {
    EXPECT_FALSE(validate(wrong)->breaks_off) << wrong;
  }
}

TEST(JsonScan, TakesValidJsonThatSimdjsonsDomRefuses) {
  // Why this scanner exists: all are JSON by its grammar, and clients and providers send them.
  for (const std::string& text : {R"("\ud83d")"s, "18446744073709552000"s, "1e400"s}) {
    EXPECT_FALSE(validate(text)) << text;
    EXPECT_FALSE(dom_accepts(text)) << text;
  }
}

TEST(JsonScan, TenThousandLevelsAreRefusedAndTheBoundIsExact) {  // CORE-5
  const auto nested = [](std::size_t depth, std::string_view open, std::string_view close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_FALSE(validate(nested(kMaxDepth, "[", "]")));
  EXPECT_FALSE(validate(nested(kMaxDepth, R"({"a":)", "}")));
  for (const std::size_t depth : {kMaxDepth + 1, std::size_t{10'000}, std::size_t{1'000'000}}) {
    for (const auto& text : {nested(depth, "[", "]"), nested(depth, R"({"a":)", "}")}) {
      const auto error = validate(text);
      ASSERT_TRUE(error);
      EXPECT_EQ(error->what, "nested too deeply");
    }
  }
  EXPECT_TRUE(validate(std::string(10'000'000, '[')));
}

// Mutations of valid texts, judged as simdjson's DOM judges them. The texts hold no number and no escape on which they
// differ, and a mutation that makes one is skipped.
TEST(JsonScan, AgreesWithSimdjsonOnMutatedTexts) {
  std::mt19937 random(20260101);
  const std::string alphabet = "{}[]\",: \\\n-0.xnu\x01\x80\xC3\xA9";
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = valid_texts()[random() % valid_texts().size()];
    for (unsigned changes = random() % 3 + 1; changes > 0; --changes) {
      const std::size_t at = random() % (text.size() + 1);
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text.insert(at, 1, c);
          break;
        case 1:
          if (at < text.size()) text.erase(at, 1);
          break;
        default:
          if (at < text.size()) text[at] = c;
          break;
      }
    }
    if (text.find("\\u") != std::string::npos) continue;
    const bool ours = !validate(text);
    accepted += ours ? 1 : 0;
    ASSERT_EQ(ours, dom_accepts(text)) << text;
  }
  EXPECT_GT(accepted, 5'000u);
}

TEST(JsonScan, MembersAreReportedAsWrittenInOrderWithDuplicates) {
  const std::string text = R"( { "a" : [1, {"x":2}] , "\u0061": "v" ,"a":null,"":-1.5 } )";
  std::vector<std::string> seen;
  EXPECT_FALSE(validate_object(
      text, [&](const Member& m) { seen.push_back(std::string(m.name) + "=" + std::string(m.value)); }));
  EXPECT_EQ(seen, (std::vector<std::string>{R"("a"=[1, {"x":2}])", R"("\u0061"="v")", R"("a"=null)", R"(""=-1.5)"}));
}

TEST(JsonScan, AnObjectIsAskedForAndGiven) {
  const auto ignore = [](const Member&) {};
  EXPECT_FALSE(validate_object("{}", ignore));
  for (const std::string_view text : {"[]", "null", "\"x\"", "1", ""}) {
    EXPECT_TRUE(validate_object(text, ignore)) << text;
  }
  EXPECT_EQ(validate_object("[]", ignore)->what, "expected an object");
  EXPECT_TRUE(validate_object("{}x", ignore));
  EXPECT_TRUE(validate_object(R"({"a":1,})", ignore));
}

}  // namespace
}  // namespace fuseboard::json
