// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/yaml_document.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::parsed;
using testing::problem;
using testing::problems;
using testing::with_provider;
using testing::with_providers;

struct Read {
  std::optional<Document> document;
  std::vector<Diagnostic> problems;
};

Read read(std::string_view text) {
  Report report("f", 100);
  Read result;
  result.document = parse_document(text, report);
  result.problems = std::move(report).take();
  return result;
}

std::string refusal(std::string_view text) {
  const Read result = read(text);
  return result.problems.empty() ? "" : result.problems.front().to_text();
}

TEST(Document, EveryValueKnowsItsLineAndColumn) {
  const Read result = read("a:\n  b: [1, {c: x}]\n");
  ASSERT_TRUE(result.document);
  const Node* list = result.document->root->find("a")->find("b");
  EXPECT_EQ(list->at, (Position{2, 6}));
  EXPECT_EQ(list->items[0]->at, (Position{2, 7}));
  EXPECT_EQ(list->items[1]->entries[0].at, (Position{2, 11}));
  EXPECT_EQ(list->items[1]->find("c")->at, (Position{2, 14}));
}

TEST(Document, ColumnsCountCharactersAndAByteOrderMarkIsNone) {
  const Read result = read("\xEF\xBB\xBF\"\xC3\xA9\": {\xE2\x82\xAC: 1, x: 2}\r\ny: 3\r\n");
  ASSERT_TRUE(result.document);
  const Node* map = result.document->root->find("\xC3\xA9");
  EXPECT_EQ(map->at, (Position{1, 6}));
  EXPECT_EQ(map->find("x")->at, (Position{1, 16}));
  EXPECT_EQ(result.document->root->find("y")->at, (Position{2, 4}));
}

TEST(Document, SyntaxErrorsHaveLineAndColumn) {
  EXPECT_EQ(problem("a: [1, 2\nb: 3"), "f.yaml:2:2: not YAML: end of sequence flow not found");
  EXPECT_EQ(problem("a: b: c\n"), "f.yaml:1:5: not YAML: illegal map value");
  EXPECT_EQ(problem("x: 1\na: @b\n"), "f.yaml:2:4: not YAML: unknown token");
}

TEST(Document, SyntaxErrorsDoNotQuoteTheFile) {  // TEL-4.1
  EXPECT_EQ(problem("api_key: \"a\\Qb\"\n"), "f.yaml:1:14: not YAML: unknown escape character");
  EXPECT_EQ(problem("api_key: *sk-secret\n"), "f.yaml:1:10: not YAML: the referenced anchor is not defined");
}

TEST(Document, AKeyThatIsThereTwiceIsAnErrorAndReadingGoesOn) {
  EXPECT_THAT(problems("max_body: 1KiB\nmax_body: 2KiB\nlisten: x\n" + with_providers("")),
              ElementsAre("f.yaml:2:1: duplicate key \"max_body\"", HasSubstr("f.yaml:3:9: listen: x is not allowed")));
  EXPECT_EQ(problem("providers: {p: {dialect: openai, base_url: http://h, \"dialect\": openai}}"),
            "f.yaml:1:54: duplicate key \"dialect\"");
}

TEST(Document, AQuoteThatIsNeverClosedIsAnError) {
  // yaml-cpp takes all that follows for the text.
  EXPECT_EQ(refusal("a: \"b\nc: 1\n"), "f:1:4: this quote is never closed");
  EXPECT_EQ(refusal("a: 'it''s\nc: 1\n"), "f:1:4: this quote is never closed");
  EXPECT_EQ(refusal("a: \"b\\\"\n"), "f:1:4: this quote is never closed");
  EXPECT_EQ(refusal("a: 'it''s'\nb: \"\\\"\"\nc: it's \"fine\n"), "");
}

TEST(Document, BytesThatAreNotTextAreRefusedWhereTheyStand) {
  EXPECT_EQ(refusal("a: 1\nb: \xFF\n"), "f:2:4: this is not UTF-8 text");
  EXPECT_EQ(refusal("a: \xC0\x80\n"), "f:1:4: this is not UTF-8 text");
  EXPECT_EQ(refusal("a: \xED\xA0\x80\n"), "f:1:4: this is not UTF-8 text");
  EXPECT_EQ(refusal("a: \xF4\x90\x80\x80\n"), "f:1:4: this is not UTF-8 text");
  EXPECT_EQ(refusal("a: \xE2\x82"), "f:1:4: this is not UTF-8 text");
  EXPECT_EQ(refusal(std::string_view("a: \0", 4)), "f:1:4: control characters are not allowed");
  EXPECT_EQ(refusal("a: \xC2\x9B"), "f:1:4: control characters are not allowed");
  // yaml-cpp takes this one for the end of the file, and would drop the second line in silence.
  EXPECT_EQ(refusal("a: 1 \x04\nb: 2\n"), "f:1:6: control characters are not allowed");
}

TEST(Document, VariablesNeedNoQuotesInsideBraces) {
  const Read result = read("a: {b: ${X}, c: ${Y:-p,q[1]}, d: \"${Z}\", e: x${V}y}\n# ${W}\nf: $${U}\n");
  ASSERT_TRUE(result.document) << result.problems.front().to_text();
  const Node* map = result.document->root->find("a");
  EXPECT_EQ(map->find("b")->text, "${X}");
  EXPECT_EQ(map->find("c")->text, "${Y:-p,q[1]}");
  EXPECT_EQ(map->find("d")->text, "${Z}");
  EXPECT_EQ(map->find("e")->text, "x${V}y");
  EXPECT_EQ(result.document->root->find("f")->text, "$${U}");
}

TEST(Document, AVariableThatIsNotClosedOnItsLineHidesNothing) {
  EXPECT_EQ(refusal("a: ${X\nb: }\n"), "f:2:4: not YAML: illegal flow end");
  const Read result = read("a: \"${X\nb\"\n");
  ASSERT_TRUE(result.document);
  EXPECT_EQ(result.document->root->find("a")->text, "${X b");
}

TEST(Document, AnchorsAliasesAndMergeKeysWork) {
  const Read result = read(
      "base: &b {x: 1, y: 2}\n"
      "more: &c {z: 3, y: 9}\n"
      "one: {<<: *b, y: 5}\n"
      "two: {y: 6, <<: [*b, *c]}\n"
      "three: *b\n");
  ASSERT_TRUE(result.document);
  const Node* root = result.document->root;
  EXPECT_EQ(root->find("one")->find("x")->text, "1");
  EXPECT_EQ(root->find("one")->find("y")->text, "5");
  EXPECT_EQ(root->find("two")->find("y")->text, "6");
  EXPECT_EQ(root->find("two")->find("z")->text, "3");
  EXPECT_EQ(root->find("three"), root->find("base"));
}

TEST(Document, MergingWhatIsNoMapIsAnError) {
  EXPECT_EQ(refusal("a: {<<: 5}\n"), "f:1:5: << takes a map or a list of maps, not text");
  EXPECT_EQ(refusal("a: {<<: [{}, []]}\n"), "f:1:5: << takes a map or a list of maps, not a list");
}

TEST(Document, AnAliasInsideItsOwnAnchorIsAnError) {
  EXPECT_EQ(refusal("a: &x [*x]\n"), "f:1:8: an alias inside the value that it names");
}

TEST(Document, ABillionLaughsEndEarly) {  // CORE-5
  std::string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 30; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(refusal(text), HasSubstr("more than 100000 values, counting each as often as an alias repeats it"));
}

TEST(Document, MergedMapsCountAsAliasesDo) {  // CORE-5
  std::string text = "base: &b {";
  for (int i = 0; i < 1000; ++i) text += fmt::format("k{}: 1, ", i);
  text += "}\n";
  for (int i = 0; i < 100; ++i) text += fmt::format("m{}: {{<<: *b}}\n", i);
  EXPECT_THAT(refusal(text), HasSubstr("more than 100000 values"));
}

TEST(Document, DepthAndKeysAreBounded) {  // CORE-5
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(refusal(nested(kMaxDepth)), "");
  EXPECT_EQ(refusal(nested(kMaxDepth + 1)), "f:1:33: more than 32 levels deep");
  EXPECT_THAT(refusal(nested(100'000)), HasSubstr("more than 32 levels deep"));
  EXPECT_EQ(refusal(std::string(kMaxKeyBytes, 'k') + ": 1\n"), "");
  EXPECT_EQ(refusal(std::string(kMaxKeyBytes + 1, 'k') + ": 1\n"), "f:1:1: a key of more than 256 bytes");
}

TEST(Document, TheFileIsBounded) {  // CORE-5
  std::string text = with_providers("#");
  text.resize(kMaxConfigBytes, '#');
  EXPECT_EQ(problem(text), "");
  text += '#';
  EXPECT_EQ(problem(text), "f.yaml: larger than 1048576 bytes");
}

TEST(Document, KeysAreTextAndTagsAreRefused) {
  EXPECT_EQ(refusal("? [a]\n: 1\n"), "f:1:3: a list cannot be a key");
  EXPECT_EQ(refusal("{~: 1}\n"), "f:1:2: nothing cannot be a key");
  EXPECT_EQ(refusal("a: !!str x\n"), "f:1:4: tags (!...) are not allowed");
  EXPECT_EQ(refusal("a: !python/object {}\n"), "f:1:4: tags (!...) are not allowed");
}

TEST(Document, AFileHoldsOneDocumentThatSaysSomething) {
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n"), "f:2:1: a second document begins here; one is allowed");
  EXPECT_EQ(refusal("---\na: 1\n...\n"), "");
  EXPECT_EQ(refusal(""), "f: the file is empty");
  EXPECT_EQ(refusal("# only a remark\n"), "f: the file is empty");
}

TEST(Document, TheRootIsAMap) {
  EXPECT_THAT(problem("- a\n"), HasSubstr("f.yaml:1:1: a list is not allowed; allowed: a map with the keys listen"));
  EXPECT_THAT(problem("hello"), HasSubstr("f.yaml:1:1: text is not allowed; allowed: a map with the keys listen"));
}

}  // namespace
}  // namespace fuseboard::config
