// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/source_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fuseboard/core/utf8.h"

namespace fuseboard::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_control(std::string_view text, std::size_t i) {
  const unsigned char byte = byte_at(text, i);
  if (byte == '\t' || byte == '\n' || byte == '\r') return false;
  return byte < 0x20 || byte == 0x7F || (byte == 0xC2 && byte_at(text, i + 1) < 0xA0);
}

// Characters with a meaning in flow collections, and their stand-ins. 0x04 is left out: it ends yaml-cpp's input.
constexpr std::array<std::pair<char, char>, 5> kStandIns = {
    {{'{', '\x01'}, {'}', '\x02'}, {',', '\x03'}, {'[', '\x05'}, {']', '\x06'}}};
constexpr char kHiddenClose = '\x02';

constexpr char stand_in(char c) {
  for (const auto& [special, hidden] : kStandIns) {
    if (c == special) return hidden;
  }
  return c;
}

constexpr char original(char c) {
  for (const auto& [special, hidden] : kStandIns) {
    if (c == hidden) return special;
  }
  return c;
}

}  // namespace

SourceText::SourceText(std::string_view text) : text_(text) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
  if (std::ranges::all_of(text_, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return;
  continuation_bytes_.reserve(text_.size() + 1);
  std::uint32_t count = 0;
  for (const char c : text_) {
    continuation_bytes_.push_back(count);
    if (is_continuation(c)) ++count;
  }
  continuation_bytes_.push_back(count);
}

bool SourceText::check(Report& report) const {
  for (std::size_t i = 0; i < text_.size();) {
    const std::size_t length = character_size(text_.substr(i));
    if (length == 0 || is_control(text_, i)) {
      report.say(position(i), "", length == 0 ? "this is not UTF-8 text" : "control characters are not allowed");
      return false;
    }
    i += length;
  }
  return true;
}

Position SourceText::position(std::size_t offset) const noexcept {
  offset = std::min(offset, text_.size());
  const auto next = std::ranges::upper_bound(line_starts_, offset);
  const std::size_t start = *(next - 1);
  std::size_t characters = offset - start;
  if (!continuation_bytes_.empty()) characters -= continuation_bytes_[offset] - continuation_bytes_[start];
  return {static_cast<int>(next - line_starts_.begin()), static_cast<int>(characters) + 1};
}

bool SourceText::quote_is_closed(std::size_t offset) const noexcept {
  const char quote = text_[offset];
  for (std::size_t i = offset + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

void warn_of_tabs(std::string_view text, Report& report) {
  constexpr std::string_view kSeparators = ":-,[{\n\t ";
  std::size_t blank_from = 0;  // of the run of blanks that is being looked at
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\t' && text[i] != ' ') {
      blank_from = i + 1;
      continue;
    }
    const bool separates = blank_from == 0 || kSeparators.contains(text[blank_from - 1]);
    if (text[i] != '\t' || !separates) continue;
    report.warn(SourceText(text).position(i), "", "a tab; YAML is indented with spaces, and a tab may be misread");
    return;
  }
}

std::string hide_variables(std::string_view text) {
  std::string out(text);
  for (std::size_t i = out.find("${"); i != std::string::npos; i = out.find("${", i)) {
    const std::size_t end = out.find_first_of("}\n", i + 2);
    if (end == std::string::npos) break;
    if (out[end] == '}') {
      for (std::size_t k = i + 1; k <= end; ++k) out[k] = stand_in(out[k]);
    }
    i = end;
  }
  return out;
}

std::string show_variables(std::string text) {
  constexpr std::string_view kOpen = "$\x01";
  for (std::size_t i = text.find(kOpen); i != std::string::npos; i = text.find(kOpen, i)) {
    for (bool inside = true; inside && ++i < text.size();) {
      inside = text[i] != kHiddenClose;
      text[i] = original(text[i]);
    }
  }
  return text;
}

}  // namespace fuseboard::config
