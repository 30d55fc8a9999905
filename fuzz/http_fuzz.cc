// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Bytes from a caller or a server through the HTTP parser: no crash, heads within their limits, and the pieces in which
// the bytes come change neither the head nor the body.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "fuseboard/core/check.h"
#include "net/http.h"
#include "net/message_parser.h"

namespace {

using namespace fuseboard::net;
using fuseboard::check_invariant;

constexpr HeadLimits kLimits{.bytes = 2048, .headers = 16};

struct Result {
  std::string head;
  std::string body;
  bool complete = false;
  bool broken = false;
};

void describe(const RequestHead& head, std::string& out) { out = head.method + " " + head.target; }
void describe(const ResponseHead& head, std::string& out) { out = std::to_string(head.status); }

bool is_error(ParseStep step) { return step == ParseStep::malformed || step == ParseStep::too_large; }

template <bool kRequest>
Result parse(std::string_view text, std::size_t piece) {
  typename MessageParser<kRequest>::Head head;
  MessageParser<kRequest> parser(head, kLimits);
  ReadBuffer in(4096);
  Result result;
  bool head_done = false;
  while (!text.empty() && !result.complete && !result.broken) {
    const std::span<char> room = in.room();
    if (room.empty()) break;  // a chunk header that fills the buffer
    const std::size_t size = std::min({text.size(), room.size(), piece});
    std::memcpy(room.data(), text.data(), size);
    in.commit(size);
    text.remove_prefix(size);
    if (!head_done) {
      const ParseStep step = parser.parse_head(in);
      result.broken = is_error(step);
      head_done = step == ParseStep::done;
      if (!head_done) continue;
      check_invariant(head.headers.size() <= kLimits.headers, "a head has a bounded number of headers");
      describe(head, result.head);
      for (const Header header : head.headers)
        result.head.append("\n").append(header.name).append(":").append(header.value);
    }
    std::string_view body;
    const ParseStep step = parser.next_body(in, body);
    result.body += body;
    result.broken = is_error(step);
    result.complete = step == ParseStep::done;
  }
  return result;
}

template <bool kRequest>
void check(std::string_view text) {
  const Result whole = parse<kRequest>(text, text.size());
  const Result bytes = parse<kRequest>(text, 1);
  // Where a message is over a limit, the pieces may decide whether that or a mistake behind it is seen first.
  if (!whole.complete || !bytes.complete) return;
  check_invariant(whole.head == bytes.head && whole.body == bytes.body, "the pieces do not change the message");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check<true>(text);
  check<false>(text);
  (void)parse_origin(text);
  (void)query_value(split_target(text).query, "k");
  return 0;
}
