// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/string.h"

#include "fuseboard/core/json_escape.h"
#include "fuseboard/core/utf8.h"
#include "json/run.h"

namespace fuseboard::json {
namespace {

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const auto& [letter, meant] : kJsonShortEscapes) {
    if (meant == c) {
      out.append({'\\', letter});
      return;
    }
  }
  const auto byte = static_cast<unsigned char>(c);
  out.append({'\\', 'u', '0', '0', kDigits[byte >> 4U], kDigits[byte & 15U]});
}

void append_valid(std::string& out, std::string_view text) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const char* const plain_end = plain_run_end(at, end);
    out.append(at, plain_end);
    at = plain_end;
    if (at != end) append_escaped(out, *at++);
  }
}

}  // namespace

void append_inside(std::string& out, std::string_view text) {
  while (true) {
    const std::size_t valid = first_invalid_utf8(text);
    append_valid(out, text.substr(0, valid));
    if (valid == text.size()) break;
    out += "\xEF\xBF\xBD";
    text.remove_prefix(valid + 1);
  }
}

void append_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  append_inside(out, text);
  out += '"';
}

std::string string_literal(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

void append_string_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    append_string(out, text);
  }
}

void append_valid_string(std::string& out, std::string_view text) {
  out += '"';
  append_valid(out, text);
  out += '"';
}

}  // namespace fuseboard::json
