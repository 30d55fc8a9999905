// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The text of JSON strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fuseboard::json {

// Providers that count in UTF-16 units stream the two halves of a surrogate pair in two strings. This puts them
// together, which a reader of single strings cannot. One object for one text.
class StringDecoder {
 public:
  // Appends the text of `literal` to `out` as UTF-8. `literal` is a valid JSON string, quotes included. A high half at
  // its end waits for the next literal; a half that finds no other becomes U+FFFD.
  void append(std::string& out, std::string_view literal);

  // No more comes: a half that still waits becomes U+FFFD.
  void finish(std::string& out);

  // Whether a half has found no other.
  bool lost_half() const noexcept { return lost_half_; }

 private:
  void append_unit(std::string& out, unsigned unit);
  void append_replacement(std::string& out);

  unsigned high_ = 0;  // half of a pair; 0: none
  bool lost_half_ = false;
};

// The text of one literal; half a surrogate pair becomes U+FFFD.
std::string decode(std::string_view literal);

// The same; nullopt if there is half a surrogate pair, which has no UTF-8 form.
std::optional<std::string> unescape(std::string_view literal);

}  // namespace fuseboard::json
