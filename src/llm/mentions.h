// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a long text may hold that would have to be searched for: found while every byte of it passes by anyway.
#pragma once

#include <cstddef>
#include <string_view>

namespace fuseboard::llm {

// Rare names in a text that is looked at in pieces, from its beginning on.
class Mentions {
 public:
  explicit Mentions(std::string_view text) noexcept : text_(text) {}

  // The bytes up to `end` pass by. A name that goes beyond it is found too: all of the text is there.
  void look_until(std::size_t end) noexcept;

  // What refers to something that a provider keeps: "file_id", "file_ids", "item_reference", "vector_store_ids",
  // "code_interpreter" or "audio", each as a whole string.
  bool reference() const noexcept { return reference_; }
  // The word base64.
  bool base64() const noexcept { return base64_; }

 private:
  void look_at_pair(std::size_t at) noexcept;

  std::string_view text_;
  std::size_t looked_ = 0;
  bool reference_ = false;
  bool base64_ = false;
};

}  // namespace fuseboard::llm
