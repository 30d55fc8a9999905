// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The text of JSON strings that are pieces of one text.
#pragma once

#include <string>
#include <string_view>

namespace fuseboard::llm {

// Providers that count in UTF-16 units stream the two halves of a surrogate pair in two strings. This puts them
// together, which a reader of single strings cannot. One object for one text.
class TextDecoder {
 public:
  // Appends the text of `literal` to `out` as UTF-8. `literal` is a valid JSON string, quotes included. A high half at
  // its end waits for the next literal; a half that finds no other becomes U+FFFD.
  void append(std::string& out, std::string_view literal);

  // No more comes: a half that still waits becomes U+FFFD.
  void finish(std::string& out);

 private:
  void append_unit(std::string& out, unsigned unit);

  unsigned high_ = 0;  // half of a pair; 0: none
};

// A literal that is a text of its own.
std::string decode_text(std::string_view literal);

}  // namespace fuseboard::llm
