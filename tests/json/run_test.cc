// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/run.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fuseboard::json {
namespace {

// What stands around the text must not matter.
std::size_t run_length(std::string_view text, std::size_t alignment = 0, char around = 'a') {
  const std::string memory = std::string(alignment, around) + std::string(text) + std::string(32, around) + '"';
  const char* const begin = memory.data() + alignment;
  return static_cast<std::size_t>(plain_run_end(begin, begin + text.size()) - begin);
}

TEST(JsonRun, EndsAtQuotesBackslashesAndControlCharactersAlone) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool ends = byte == '"' || byte == '\\' || byte < 0x20;
    EXPECT_EQ(ends_plain_run(static_cast<char>(byte)), ends) << byte;
    for (const std::size_t size : {1U, 15U, 16U, 17U, 40U}) {  // shorter than a step, one, and several
      const std::string text(size, static_cast<char>(byte));
      EXPECT_EQ(run_length(text), ends ? 0 : size) << byte;
    }
  }
}

TEST(JsonRun, EndsAtTheFirstSpecialByteWhereverItStands) {
  for (const char special : {'"', '\\', '\0', '\x1F'}) {
    for (std::size_t size = 0; size <= 50; ++size) {
      for (std::size_t at = 0; at <= size; ++at) {
        std::string text(size, 'a');
        if (at < size) text[at] = special;
        if (at + 1 < size) text[size - 1] = '"';  // a later one is none of this run's business
        for (const std::size_t alignment : {0U, 1U, 7U}) {
          ASSERT_EQ(run_length(text, alignment, 'a'), at) << size << " bytes, " << alignment << " off";
          ASSERT_EQ(run_length(text, alignment, '"'), at) << size << " bytes, " << alignment << " off";
        }
      }
    }
  }
}

TEST(JsonRun, NeighboursOfASpecialByteArePlain) {
  // A trick with borrows would take one of these for special because of the byte before it.
  const std::string plain = "\x20\x21\x23\x5B\x5D\x7F\x80\xA2\xDC\xFF";
  for (const char a : plain) {
    for (const char b : plain) {
      std::string text;
      for (int i = 0; i < 12; ++i) text.append({a, b});
      EXPECT_EQ(run_length(text), text.size());
      EXPECT_EQ(run_length(text + '\x1F' + text), text.size());
    }
  }
}

}  // namespace
}  // namespace fuseboard::json
