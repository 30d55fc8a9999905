// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Bytes of a stream in pieces: no crash, no byte lost or invented, and the pieces do not change the events.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/check.h"
#include "net/sse.h"

namespace {

using fuseboard::check_invariant;
using fuseboard::net::SseEvent;
using fuseboard::net::SseParser;

constexpr std::size_t kBound = 64;

struct Result {
  std::vector<std::string> seen;
  std::string raw;
  bool too_large = false;
  bool operator==(const Result&) const = default;
};

void take(SseParser& parser, Result& result) {
  SseEvent event;
  SseParser::Next next;
  while ((next = parser.next(event)) == SseParser::Next::event) {
    check_invariant(event.raw.size() <= kBound && !event.raw.empty(), "an event has a size within the bound");
    result.raw += event.raw;
    result.seen.push_back(std::string(event.raw) + '\x01' + std::string(event.event) + '\x01' +
                          std::string(event.data) + '\x01' + std::string(event.id.value_or("-")) +
                          (event.has_data ? "d" : "n"));
  }
  result.too_large = next == SseParser::Next::too_large;
}

// Pieces of `size` bytes; 0: all at once.
Result parse(std::string_view text, std::size_t size) {
  SseParser parser(kBound);
  Result result;
  std::string_view rest = text;
  while (!rest.empty() && !result.too_large) {
    const std::string_view piece = rest.substr(0, size == 0 ? rest.size() : size);
    rest.remove_prefix(piece.size());
    parser.feed(piece);
    take(parser, result);
  }
  if (!result.too_large) {
    parser.finish();
    take(parser, result);
  }
  check_invariant(text.starts_with(result.raw), "events are the stream's bytes in order");
  if (!result.too_large) {
    check_invariant(result.raw + std::string(parser.leftover()) == text, "what is not in an event is left over");
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result whole = parse(text, 0);
  for (const std::size_t piece : {1U, 2U, 3U, 7U}) {
    check_invariant(parse(text, piece) == whole, "the pieces do not change the events");
  }
  return 0;
}
