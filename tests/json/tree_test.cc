// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/tree.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fuseboard::json {
namespace {

TEST(Tree, FindsEachValueAsItIsWritten) {
  constexpr std::string_view kText = " {\"a\" : [1.50 , {\"b\":\"x\\\"}\\\\\"},\n[ ]], \"c\":null , \"d\": { } } ";
  const Tree tree(kText);
  const Tree::Node list = tree.root().member("a");
  std::vector<std::string> elements;
  list.each_element([&](std::size_t i, Tree::Node element) {
    EXPECT_EQ(i, elements.size());
    elements.emplace_back(element.raw());
  });
  EXPECT_EQ(elements, (std::vector<std::string>{"1.50", "{\"b\":\"x\\\"}\\\\\"}", "[ ]"}));
  std::vector<std::string> members;
  tree.root().each_member([&](std::string_view name, Tree::Node value) {
    members.push_back(std::string(name) + "=" + std::string(value.raw()));
  });
  EXPECT_EQ(members, (std::vector<std::string>{"a=" + std::string(list.raw()), "c=null", "d={ }"}));
  EXPECT_TRUE(tree.root().member("d").is_empty());
  EXPECT_TRUE(tree.root().member("c").says_nothing());
  EXPECT_FALSE(list.is_empty());
  EXPECT_EQ(tree.depth(), 3U);
}

TEST(Tree, WhatIsNotThereAnswersNo) {
  const Tree tree("5");
  const Tree::Node none = tree.root().member("x").member("y");
  EXPECT_FALSE(none.exists());
  EXPECT_TRUE(none.says_nothing());
  EXPECT_FALSE(none.is_string() || none.is_object() || none.is_array() || none.is_number() || none.is("x"));
  none.each_member([](std::string_view, Tree::Node) { FAIL(); });
  none.each_element([](std::size_t, Tree::Node) { FAIL(); });
  EXPECT_TRUE(tree.root().is_number());
  EXPECT_EQ(tree.root().raw(), "5");
}

TEST(Tree, OfSeveralMembersOfOneNameTheLastCounts) {
  const Tree tree(R"({"a":1,"a":2})");
  EXPECT_EQ(tree.root().member("a").raw(), "2");
}

TEST(Tree, NamesAreResolvedWhereTheyAreVisited) {
  const Tree tree(R"({"\u0061\n":1,"\ud83d":2})");
  std::vector<std::string> names;
  tree.root().each_member([&](std::string_view name, Tree::Node) { names.emplace_back(name); });
  EXPECT_EQ(names, (std::vector<std::string>{"a\n", "\\ud83d"}));
}

}  // namespace
}  // namespace fuseboard::json
