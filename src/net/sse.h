// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Server-sent events, incrementally and within a bound (WHATWG HTML 9.2.6, "Interpreting an event stream").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fuseboard::net {

// One block of the stream: everything up to and including a blank line. Views are valid until the next call of the
// parser.
struct SseEvent {
  std::string_view raw{};    // the exact bytes, terminator included (and a byte order mark before the first)
  std::string_view event{};  // empty: "message"
  std::string_view data{};   // data lines joined by '\n'
  std::optional<std::string_view> id{};
  std::optional<std::uint64_t> retry_ms{};
  bool has_data = false;  // false: a comment, a ping, a lone id or retry. Not content, and no browser would dispatch it
};

// Feed bytes in pieces of any size, then take events until need_more; the pieces do not change the events.
//
// Lines may end in LF, CRLF or CR. One departure from the letter of the standard: a block whose lines end in lone CRs
// ends at the CR of its blank line, without waiting to see whether an LF follows (which would hold the event back); a
// following LF is then an empty block.
class SseParser {
 public:
  enum class Next : std::uint8_t { event, need_more, too_large };

  explicit SseParser(std::size_t max_event_bytes = 1024 * 1024) : max_event_bytes_(max_event_bytes) {}

  // Copies the bytes behind what has not been taken. Memory: max_event_bytes and the largest piece.
  void feed(std::string_view bytes);
  // No more bytes will come: a last block that ends in a lone CR is now complete.
  void finish() noexcept { finished_ = true; }

  // too_large is final: the block at the front is longer than max_event_bytes.
  Next next(SseEvent& event);

  // Bytes of an incomplete last block, which the standard discards: a cut stream.
  std::string_view leftover() const noexcept { return std::string_view(buffer_).substr(begin_); }

 private:
  bool find_block_end();
  void parse_block(std::string_view block, SseEvent& event);
  void parse_line(std::string_view line, SseEvent& event);

  std::size_t max_event_bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;       // of the block at the front
  std::size_t line_begin_ = 0;  // of the line being scanned
  std::size_t scan_ = 0;        // scanned so far
  std::string joined_data_;
  bool lone_cr_ = false;  // the block's last line ended in a CR without LF
  bool at_start_ = true;  // of the stream: a byte order mark may come
  bool finished_ = false;
  bool too_large_ = false;
};

}  // namespace fuseboard::net
