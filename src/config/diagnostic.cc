// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/diagnostic.h"

#include <fmt/format.h>

#include <string_view>

namespace fuseboard::config {
namespace {

// Names and values come out of a file; escape sequences in them must not reach the terminal.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, written C2 80 to C2 9F, are control characters too.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      out += fmt::format("\\x{:02x}", c1 ? static_cast<unsigned char>(text[++i]) : byte);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string Diagnostic::to_text() const {
  std::string text = (warning ? "warning: " : "") + printable(file);
  if (line > 0) text += fmt::format(":{}:{}", line, column);
  text += ": ";
  if (!field.empty()) text += printable(field) + ": ";
  return text + printable(message);
}

}  // namespace fuseboard::config
