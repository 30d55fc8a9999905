// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/sse.h"

#include <gtest/gtest.h>

#include <vector>

namespace fuseboard::net {
namespace {

struct Seen {
  std::string raw, event, data;
  std::optional<std::string> id;
  std::optional<std::uint64_t> retry_ms;
  bool has_data = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Result {
  std::vector<Seen> events;
  std::string leftover;
  bool too_large = false;
  friend bool operator==(const Result&, const Result&) = default;
};

void drain(SseParser& parser, Result& result) {
  SseEvent event;
  SseParser::Next next;
  while ((next = parser.next(event)) == SseParser::Next::event) {
    result.events.push_back({.raw = std::string(event.raw),
                             .event = std::string(event.event),
                             .data = std::string(event.data),
                             .id = event.id ? std::optional(std::string(*event.id)) : std::nullopt,
                             .retry_ms = event.retry_ms,
                             .has_data = event.has_data});
  }
  result.too_large = next == SseParser::Next::too_large;
}

Result parse(const std::vector<std::string_view>& pieces, std::size_t bound = 1024) {
  SseParser parser(bound);
  Result result;
  for (const std::string_view piece : pieces) {
    parser.feed(piece);
    drain(parser, result);
    if (result.too_large) return result;
  }
  parser.finish();
  drain(parser, result);
  result.leftover = parser.leftover();
  return result;
}

TEST(Sse, ReadsFieldsOfAnEvent) {
  const Result result = parse({"event: add\nid: 7\nretry: 250\ndata: one\ndata:two\ndata:  three\n\n"});
  ASSERT_EQ(result.events.size(), 1U);
  EXPECT_EQ(result.events[0].event, "add");
  EXPECT_EQ(result.events[0].id, "7");
  EXPECT_EQ(result.events[0].retry_ms, 250U);
  EXPECT_EQ(result.events[0].data, "one\ntwo\n three");
  EXPECT_EQ(result.events[0].raw, "event: add\nid: 7\nretry: 250\ndata: one\ndata:two\ndata:  three\n\n");
}

TEST(Sse, EveryLineEndingIsOne) {
  for (const std::string_view text : {"data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n",
                                      "data: a\r\rdata: b\r\r", "data: a\n\r\ndata: b\r\n\n"}) {
    const Result result = parse({text});
    ASSERT_EQ(result.events.size(), 2U) << text;
    EXPECT_EQ(result.events[0].data, "a");
    EXPECT_EQ(result.events[1].data, "b");
    EXPECT_EQ(result.events[0].raw + result.events[1].raw, text);
    EXPECT_EQ(result.leftover, "");
  }
}

TEST(Sse, AnEventOfLoneCarriageReturnsDoesNotWaitForTheNextByte) {
  SseParser parser;
  Result result;
  parser.feed("data: a\r\r");
  drain(parser, result);
  EXPECT_EQ(result.events.size(), 1U);
}

TEST(Sse, CommentsAndPingsAreNotContent) {  // STR-3.6
  const Result result = parse({": ping\n\n:\n\nevent: ping\n\n\ndata\n\n"});
  ASSERT_EQ(result.events.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FALSE(result.events[i].has_data) << i;
  EXPECT_TRUE(result.events[4].has_data);
  EXPECT_EQ(result.events[4].data, "");
}

TEST(Sse, AByteOrderMarkAtTheStartIsSkippedAndKeptInRaw) {
  const Result result =
      parse({"\xEF\xBB\xBF"
             "data: a\n\n\xEF\xBB\xBF"
             "data: b\n\n"});
  ASSERT_EQ(result.events.size(), 2U);
  EXPECT_EQ(result.events[0].data, "a");
  EXPECT_TRUE(result.events[0].raw.starts_with("\xEF\xBB\xBF"));
  EXPECT_FALSE(result.events[1].has_data);
}

TEST(Sse, BadIdsAndRetriesAreIgnored) {
  using std::string_view_literals::operator""sv;
  const Result result = parse({"id: a\0b\nretry: 1x\ndata: d\n\nretry: 99999999999999999999\n\n"sv});
  ASSERT_EQ(result.events.size(), 2U);
  EXPECT_EQ(result.events[0].id, std::nullopt);
  EXPECT_EQ(result.events[0].retry_ms, std::nullopt);
  EXPECT_EQ(result.events[1].retry_ms, UINT64_MAX);
}

TEST(Sse, ACutEventIsLeftOver) {  // STR-2
  const Result result = parse({"data: a\n\ndata: b\n"});
  EXPECT_EQ(result.events.size(), 1U);
  EXPECT_EQ(result.leftover, "data: b\n");
}

TEST(Sse, AnEventAtTheBoundPassesAndOneByteMoreDoesNot) {  // CORE-5
  const std::string fits = "data: " + std::string(24, 'x') + "\n\n";
  ASSERT_EQ(fits.size(), 32U);
  EXPECT_EQ(parse({fits, fits}, 32).events.size(), 2U);
  const std::string over = "data: " + std::string(25, 'x') + "\n\n";
  const Result result = parse({fits + over}, 32);
  EXPECT_EQ(result.events.size(), 1U);
  EXPECT_TRUE(result.too_large);
  EXPECT_TRUE(parse({std::string(33, 'x')}, 32).too_large);
  EXPECT_FALSE(parse({std::string(32, 'x')}, 32).too_large);
}

TEST(Sse, EverySplitGivesTheSameEvents) {
  using std::string_view_literals::operator""sv;
  const std::vector<std::string_view> streams = {
      "\xEF\xBB\xBF"
      "data: a\r\n\r\n: c\r\n\r\nevent: e\r\ndata: b\r\ndata: c\r\n\r\nid: 1\r\n",
      "data: a\r\r\ndata: b\r\n\r\n\r\r\n\n\rdata: c\r\r",
      "data: a\n\n\n\r\n\r\rdata: b\n\r",
      "\n\r\n\rdata\r\rdata:\n\ndata: 0123456789012345678901234567890123456789\n\ndata: after\n\n",
      "\xEF\xBB\n\n\xEF\xBB\xBF\n\n\0\n\n"sv,
  };
  for (const std::string_view stream : streams) {
    const Result whole = parse({stream}, 40);
    std::string raw;
    for (const Seen& seen : whole.events) raw += seen.raw;
    EXPECT_TRUE(stream.starts_with(raw));
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < stream.size(); ++i) bytes.push_back(stream.substr(i, 1));
    EXPECT_EQ(parse(bytes, 40), whole) << stream;
    for (std::size_t i = 0; i <= stream.size(); ++i) {
      for (std::size_t j = i; j <= stream.size(); ++j) {
        ASSERT_EQ(parse({stream.substr(0, i), stream.substr(i, j - i), stream.substr(j)}, 40), whole)
            << i << " " << j << stream;
      }
    }
  }
}

}  // namespace
}  // namespace fuseboard::net
