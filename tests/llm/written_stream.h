// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of stream writers write, and what of it they compare.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/stream_writer.h"
#include "tests/support/sdk_accumulator.h"

namespace fuseboard::llm {

inline const StreamOrigin kOrigin{.id = "made-up", .model = "alias", .created = 1700000000};

inline Delta said(Delta::Kind kind, std::string words) { return {.kind = kind, .text = std::move(words)}; }
inline Delta call(std::uint32_t tool, std::string id, std::string name) {
  return {.kind = Delta::Kind::tool_begin, .tool = tool, .id = std::move(id), .name = std::move(name)};
}
inline Delta arguments(std::uint32_t tool, std::string json_text) {
  return {.kind = Delta::Kind::tool_arguments, .tool = tool, .text = std::move(json_text)};
}
inline Delta ended(FinishReason reason, std::string sequence = {}) {
  return {.kind = Delta::Kind::finish, .reason = reason, .text = std::move(sequence)};
}
inline const Delta kBegin{.kind = Delta::Kind::begin, .id = "a-1", .model = "m-1"};
inline const Usage kUsage{.known = true, .prompt = 20, .completion = 7, .total = 27, .cached = 4, .cache_written = 3};
inline const Delta kUsed{.kind = Delta::Kind::usage, .usage = kUsage};

inline std::string write_all(StreamWriter& writer, const std::vector<Delta>& deltas) {
  std::string out;
  for (const Delta& delta : deltas) EXPECT_TRUE(writer.write(delta, out));
  writer.end(out);
  return out;
}
inline std::string write_all(Dialect dialect, const std::vector<Delta>& deltas, const StreamOrigin& origin = kOrigin) {
  return write_all(*make_stream_writer(dialect, origin), deltas);
}

// The names of the events, the deltas of blocks by what they are.
inline std::string outline(std::string_view stream) {
  std::string text;
  for (const sdk::SseText& event : sdk::sse_events(stream)) {
    const sdk::json data = sdk::json::parse(event.data);
    text += data.contains("delta") && data["delta"].contains("type") ? data["delta"]["type"].get<std::string>()
                                                                     : event.event;
    if (data.contains("index")) text += ' ' + data["index"].dump();
    text += '\n';
  }
  return text;
}

}  // namespace fuseboard::llm
