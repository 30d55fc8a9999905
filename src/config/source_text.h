// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What is done to the text of a configuration before and after YAML is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem_report.h"

namespace fuseboard::config {

// A text that has been found to be UTF-8 without control characters, and its lines.
class SourceText {
 public:
  explicit SourceText(std::string_view text);

  // Reports the first byte that is not UTF-8, or the first control character; true where there is none. YAML allows
  // neither, and yaml-cpp would take a 0x04 for the end of the file.
  bool check(Report& report) const;

  // The position of a byte, which may be one past the end.
  Position position(std::size_t offset) const noexcept;

  // Whether the quote at `offset` has its other end. yaml-cpp lets the end of the file close it.
  bool quote_is_closed(std::size_t offset) const noexcept;

  std::string_view view() const noexcept { return text_; }

 private:
  std::string_view text_;  // without a byte order mark
  std::vector<std::size_t> line_starts_;
  std::vector<std::uint32_t> continuation_bytes_;  // before each offset; empty for ASCII
};

// Warns of the first tab that indents or separates. YAML has spaces there; what its readers make of a tab differs.
void warn_of_tabs(std::string_view text, Report& report);

// In a flow collection, `{api_key: ${KEY}}`, YAML would take the variable's braces for its own. Bytes that cannot occur
// in a checked text stand in for them while YAML is read; the length stays the same.
std::string hide_variables(std::string_view text);
// Puts the braces back.
std::string show_variables(std::string text);

}  // namespace fuseboard::config
