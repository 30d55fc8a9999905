// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/mentions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace fuseboard::llm {
namespace {

struct Found {
  bool reference = false;
  bool base64 = false;

  friend bool operator==(const Found&, const Found&) = default;
};

// `piece`: how many bytes pass by at once.
Found found(std::string_view text, std::size_t piece) {
  Mentions mentions(text);
  for (std::size_t end = 0; end < text.size();) {
    end = std::min(end + piece, text.size());
    mentions.look_until(end);
  }
  return {.reference = mentions.reference(), .base64 = mentions.base64()};
}

// It looks at many bytes at once, so it must not matter where a name stands, nor how the text comes.
void expect_everywhere(const std::string& text, Found wanted) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (const std::size_t behind : {0U, 1U, 15U, 16U, 40U}) {
      const std::string whole = std::string(before, ' ') + text + std::string(behind, ' ');
      for (const std::size_t piece : {1U, 5U, 16U, 33U, 1000U}) {
        ASSERT_EQ(found(whole, piece), wanted) << whole << " by " << piece;
      }
    }
  }
}

TEST(Mentions, FindsEveryNameWhereverItStands) {
  for (const std::string name : {R"("file_id")", R"("file_ids")", R"("item_reference")", R"("vector_store_ids")",
                                 R"("code_interpreter")", R"("audio")"}) {
    expect_everywhere(name, {.reference = true});
    expect_everywhere(name.substr(1), {});
    expect_everywhere(name.substr(0, name.size() - 1), {});
    expect_everywhere("\\" + name.substr(0, name.size() - 1) + "\\\"", {});
  }
  expect_everywhere("base64", {.base64 = true});
  expect_everywhere(R"("file_id":"data:image/png;base64,")", {.reference = true, .base64 = true});
}

TEST(Mentions, WhatOnlyLooksLikeOneIsNone) {
  for (const std::string word : {"ase64", "bas64", "base6", "base 64", "Base64", "6464", "_i_r", "radio\"", "is_id"}) {
    expect_everywhere(word, {});
  }
  EXPECT_EQ(found("", 1), Found{});
}

TEST(Mentions, WhatHasNotPassedByIsNotMentioned) {
  const std::string text = std::string(100, ' ') + "base64";
  Mentions mentions(text);
  mentions.look_until(50);
  EXPECT_FALSE(mentions.base64());
  mentions.look_until(text.size());
  EXPECT_TRUE(mentions.base64());
}

}  // namespace
}  // namespace fuseboard::llm
