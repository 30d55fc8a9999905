// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_reader.h"

#include <gtest/gtest.h>

#include "tests/llm/delta_text.h"

namespace fuseboard::llm {
namespace {

using enum StreamPiece;

TEST(UnknownStream, EveryEventIsContentAndEveryEndComplete) {  // STR-2
  const auto reader = make_stream_reader(Endpoint::other);
  EXPECT_EQ(reader->at_end(), std::nullopt);
  EXPECT_EQ(reader->read("x", "no JSON"), content);
  EXPECT_TRUE(reader->content_seen());
  EXPECT_TRUE(reader->complete());
  EXPECT_FALSE(reader->plain_text_only());
}

TEST(UnknownStream, TextOfCompletionsAndUsageAreReadWhereTheyAre) {  // BUD-10.3
  const auto reader = make_stream_reader(Endpoint::other);
  reader->read({}, R"({"choices":[{"index":0,"text":"12345"}],"usage":null})");
  reader->read({}, "no JSON");
  reader->read({}, R"({"type":"image_generation.partial_image","b64_json":"AAAAAAAAAAAAAAAAAAAA"})");
  reader->read({}, R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})");
  reader->read({}, "[DONE]");
  EXPECT_EQ(reader->seen(), (SeenOutput{.bytes = 5, .pieces = 4}));
  EXPECT_EQ(reader->usage(), (Usage{.known = true, .prompt = 3, .completion = 4, .total = 7}));
}

}  // namespace
}  // namespace fuseboard::llm
