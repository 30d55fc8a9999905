// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/sse.h"

#include <algorithm>
#include <charconv>

namespace fuseboard::net {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Digits only; saturates.
std::optional<std::uint64_t> parse_retry(std::string_view value) noexcept {
  if (value.empty() || value.find_first_not_of("0123456789") != value.npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto result = std::from_chars(value.data(), value.data() + value.size(), number);
  return result.ec == std::errc() ? number : UINT64_MAX;
}

}  // namespace

void SseParser::feed(std::string_view bytes) {
  if (begin_ == buffer_.size()) {
    buffer_.clear();
  } else if (begin_ > 0) {
    buffer_.erase(0, begin_);
  }
  scan_ -= begin_;
  line_begin_ -= begin_;
  begin_ = 0;
  buffer_.append(bytes);
}

// Advances line by line until scan_ stands behind a blank line. False: the bytes end first.
bool SseParser::find_block_end() {
  while (true) {
    const std::size_t end = buffer_.find_first_of("\r\n", scan_);
    if (end == buffer_.npos) {
      scan_ = buffer_.size();
      return false;
    }
    std::size_t text_begin = line_begin_;
    if (at_start_ && text_begin == begin_ && std::string_view(buffer_).substr(begin_).starts_with(kByteOrderMark)) {
      text_begin += kByteOrderMark.size();
    }
    const bool blank = text_begin == end;
    std::size_t next = end + 1;
    bool lone_cr = false;
    if (buffer_[end] == '\r' && !(blank && lone_cr_)) {
      if (next == buffer_.size() && !finished_) {  // an LF may follow
        scan_ = end;
        return false;
      }
      lone_cr = next == buffer_.size() || buffer_[next] != '\n';
      if (!lone_cr) ++next;
    }
    lone_cr_ = lone_cr && !blank;
    scan_ = line_begin_ = next;
    if (blank) return true;
  }
}

SseParser::Next SseParser::next(SseEvent& event) {
  if (too_large_) return Next::too_large;
  const bool complete = find_block_end();
  if (scan_ - begin_ > max_event_bytes_) {
    too_large_ = true;
    return Next::too_large;
  }
  if (!complete) return Next::need_more;
  parse_block(std::string_view(buffer_).substr(begin_, scan_ - begin_), event);
  begin_ = scan_;
  at_start_ = false;
  return Next::event;
}

void SseParser::parse_block(std::string_view block, SseEvent& event) {
  event = SseEvent{.raw = block};
  joined_data_.clear();
  if (at_start_ && block.starts_with(kByteOrderMark)) block.remove_prefix(kByteOrderMark.size());
  while (!block.empty()) {
    const std::size_t end = std::min(block.find_first_of("\r\n"), block.size());
    parse_line(block.substr(0, end), event);
    const bool crlf = block.substr(end).starts_with("\r\n");
    block.remove_prefix(std::min(end + (crlf ? 2 : 1), block.size()));
  }
}

void SseParser::parse_line(std::string_view line, SseEvent& event) {
  if (line.empty() || line.front() == ':') return;
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    // One line, the common case, needs no copy.
    if (!event.has_data) {
      event.data = value;
    } else {
      if (joined_data_.empty()) joined_data_ = event.data;
      joined_data_.append("\n").append(value);
      event.data = joined_data_;
    }
    event.has_data = true;
  } else if (field == "event") {
    event.event = value;
  } else if (field == "id") {
    if (!value.contains('\0')) event.id = value;
  } else if (field == "retry") {
    if (const auto retry = parse_retry(value)) event.retry_ms = retry;
  }
}

}  // namespace fuseboard::net
