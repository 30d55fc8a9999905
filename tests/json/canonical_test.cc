// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/canonical.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace fuseboard::json {
namespace {

std::string canonical(std::string_view text) {
  const auto done = canonical_form(text);
  return done ? *done : "error: " + std::string(done.error().what);
}

std::string digits_of(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.17e", value);
  return text.data();
}

TEST(CanonicalJson, IsThatOfTheExampleInTheRfc) {  // CCH-1.1, RFC 8785 3.2.4
  EXPECT_EQ(canonical(R"({
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    })"),
            R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
            R"("string":"€$\u000f\nA'B\"\\\\\"/"})");
}

TEST(CanonicalJson, PutsMembersInTheOrderOfUtf16) {  // CCH-1.2, RFC 8785 3.2.3
  EXPECT_EQ(canonical(R"({
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    })"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\","
            "\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
            "\"\xF0\x9F\x98\x80\":\"Emoji: Grinning Face\",\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");
  EXPECT_EQ(canonical(R"({"b":1,"":2,"ab":3,"a":{"z":1,"y":2}})"), R"({"":2,"a":{"y":2,"z":1},"ab":3,"b":1})");
}

TEST(CanonicalJson, WritesNumbersAsEcmaScriptDoes) {  // CCH-1.2, RFC 8785 appendix B
  const std::vector<std::pair<std::uint64_t, const char*>> samples = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, expected] : samples) {
    const std::string text = digits_of(std::bit_cast<double>(bits));
    EXPECT_EQ(canonical(text), expected) << text;
  }
}

TEST(CanonicalJson, DifferentSpellingsOfANumberAreOne) {  // CCH-1.2
  for (const char* const text : {"100", "1e2", "100.0", "1.00E+2", "10000e-2"})
    EXPECT_EQ(canonical(text), "100") << text;
  for (const char* const text : {"-0", "0.0", "-0.0e5"}) EXPECT_EQ(canonical(text), "0") << text;
}

// The departure from the RFC: a server that reads 64-bit integers tells these apart.
TEST(CanonicalJson, LargeIntegersKeepTheirDigits) {  // CCH-1.3
  for (const char* const text : {"9007199254740993", "-9007199254740993", "9223372036854775807", "18446744073709551615",
                                 "123456789012345678901234567890"})
    EXPECT_EQ(canonical(text), text);
  EXPECT_EQ(canonical("9007199254740993.0"), "9007199254740992") << "a double for everybody";
}

TEST(CanonicalJson, StringsHaveOneSpelling) {  // CCH-1.2
  EXPECT_EQ(canonical(R"("\u0008\u0009\u000a\u000c\u000d\u0022\u005c\u002f")"), R"("\b\t\n\f\r\"\\/")");
  EXPECT_EQ(canonical(R"("\u0000\u001F\u007f\u00e9")"), "\"\\u0000\\u001f\x7F\xC3\xA9\"");
  EXPECT_EQ(canonical(R"("\ud83d\ude00\uFFFF\u0800")"), "\"\xF0\x9F\x98\x80\xEF\xBF\xBF\xE0\xA0\x80\"");
}

TEST(CanonicalJson, RefusesWhatHasNoCanonicalForm) {  // CCH-1.4
  EXPECT_EQ(canonical(R"({"a":1,"b":2,"\u0061":3})"), "error: two members of one name");
  EXPECT_EQ(canonical(R"({"o":[{"x":1,"x":1}]})"), "error: two members of one name");
  for (const char* const half :
       {R"("\ud83d")", R"("\ude00")", R"("\ud83d\u0041")", R"("\ud83dx")", R"("\ude00\ud83d")"})
    EXPECT_EQ(canonical(half), "error: half a surrogate pair") << half;
  EXPECT_EQ(canonical("1e400"), "error: a number that fits no double");
  EXPECT_FALSE(canonical_form("{"));
  EXPECT_FALSE(canonical_form("01"));
  EXPECT_FALSE(canonical_form(""));
  EXPECT_FALSE(canonical_form("1 2"));
  EXPECT_FALSE(canonical_form("\"\xFF\""));
}

TEST(CanonicalJson, NestingIsBounded) {  // CORE-5, CCH-1.4
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(canonical(nested(kMaxCanonicalDepth)), nested(kMaxCanonicalDepth));
  EXPECT_EQ(canonical(nested(kMaxCanonicalDepth + 1)), "error: nested too deep for a canonical form");
}

TEST(CanonicalJson, ASetIsInTheOrderOfItsElements) {  // CCH-1.2
  const auto set = [](std::string_view text) {
    std::string out;
    EXPECT_TRUE(append_canonical_set(out, text));
    return out;
  };
  EXPECT_EQ(set(R"( [ {"b":1,"a":2}, "x", [2,1], 3, 3 ] )"), R"(["x",3,3,[2,1],{"a":2,"b":1}])");
  EXPECT_EQ(set("[]"), "[]");
  EXPECT_EQ(set(R"({"b":1,"a":2})"), R"({"a":2,"b":1})");
  std::string out;
  EXPECT_FALSE(append_canonical_set(out, R"([1,{"a":1,"a":2}])"));
}

// A value that can be written in many ways.
struct Tree {
  enum class Kind : std::uint8_t { leaf, text, array, object } kind = Kind::leaf;
  std::string text;                // of a leaf as it is, of a string decoded
  std::vector<std::string> names;  // of the children of an object
  std::vector<Tree> children;
};

const std::vector<std::string> kNames = {"a", "b", "messages", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xAC\xB3", ""};

Tree any_tree(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 4 : 2);
  Tree tree{.kind = static_cast<Tree::Kind>(kind)};
  if (tree.kind == Tree::Kind::leaf)
    tree.text = *rc::gen::element<std::string>("0", "1.5", "-7", "true", "null", "1e+30");
  if (tree.kind == Tree::Kind::text) tree.text = *rc::gen::elementOf(kNames);
  if (tree.kind == Tree::Kind::array || tree.kind == Tree::Kind::object) {
    for (const std::string& name : kNames) {
      if (!*rc::gen::arbitrary<bool>()) continue;
      tree.names.push_back(name);
      tree.children.push_back(any_tree(depth - 1));
    }
  }
  return tree;
}

std::string blanks() { return *rc::gen::element<std::string>("", "", " ", "\n\t"); }

std::string written(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && *rc::gen::arbitrary<bool>()) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04X", static_cast<unsigned>(c));
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string written(Tree tree) {
  if (tree.kind == Tree::Kind::leaf) return blanks() + tree.text + blanks();
  if (tree.kind == Tree::Kind::text) return blanks() + written(tree.text) + blanks();
  const bool object = tree.kind == Tree::Kind::object;
  for (std::size_t i = object ? tree.children.size() : 0; i > 1; --i) {
    const auto other = *rc::gen::inRange<std::size_t>(0, i);
    std::swap(tree.names[i - 1], tree.names[other]);
    std::swap(tree.children[i - 1], tree.children[other]);
  }
  std::string out = blanks() + (object ? "{" : "[") + blanks();
  for (std::size_t i = 0; i < tree.children.size(); ++i) {
    if (i > 0) out += ",";
    if (object) out += blanks() + written(tree.names[i]) + blanks() + ":";
    out += written(tree.children[i]);
  }
  return out + (object ? "}" : "]") + blanks();
}

// Changes one thing that matters.
void change(Tree& tree) {
  if (tree.kind == Tree::Kind::leaf) {
    tree.text = tree.text == "1.5" ? "1.25" : "1.5";
  } else if (tree.kind == Tree::Kind::text) {
    tree.text += "x";
  } else if (tree.children.empty()) {
    tree.names.emplace_back("new");
    tree.children.push_back({.text = "1"});
  } else if (*rc::gen::inRange(0, 4) == 0) {
    tree.names.pop_back();
    tree.children.pop_back();
  } else {
    change(tree.children[*rc::gen::inRange<std::size_t>(0, tree.children.size())]);
  }
}

RC_GTEST_PROP(CanonicalJsonProperty, EveryWayToWriteAValueIsOneTextAndNoOtherValueIs, ()) {  // CCH-1.2
  Tree tree = any_tree(3);
  const std::string once = canonical(written(tree));
  RC_ASSERT(!once.starts_with("error"));
  RC_ASSERT(canonical(written(tree)) == once);
  RC_ASSERT(canonical(once) == once);
  change(tree);
  RC_ASSERT(canonical(written(tree)) != once);
}

}  // namespace
}  // namespace fuseboard::json
