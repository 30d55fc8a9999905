// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/inline_data.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::llm {
namespace {

const std::string kImage(4000, 'A');

TEST(InlineData, FindsImagesInBothDialects) {  // BUD-5
  const std::string openai =
      R"({"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,)" + kImage +
      R"("}}]}]})";
  EXPECT_EQ(inline_data(openai), (InlineData{.items = 1, .bytes = kImage.size()}));
  const std::string anthropic = R"({"messages":[{"content":[{"source":{"data":")" + kImage +
                                R"(","type":"base64"}},{"source":{"type":"base64","data":")" + kImage + R"("}}]}]})";
  EXPECT_EQ(inline_data(anthropic), (InlineData{.items = 2, .bytes = 2 * kImage.size()}));
}

TEST(InlineData, TextIsText) {  // BUD-5
  const std::string words = R"({"a":"base64 is )" + std::string(2000, 'x') + R"( long"})";
  EXPECT_EQ(inline_data(words), InlineData{});
  const std::string escaped = R"({"a":"base64 \"quoted\" and )" + std::string(2000, ' ') + R"("})";
  EXPECT_EQ(inline_data(escaped), InlineData{});
  EXPECT_EQ(inline_data(R"({"type":"base64","data":"QUJD"})"), InlineData{}) << "too short to matter";
  EXPECT_EQ(inline_data("\"base64"), InlineData{});
}

}  // namespace
}  // namespace fuseboard::llm
