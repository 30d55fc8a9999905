// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How much an answer says, counted where it stands. Included by sources of this module alone.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "json/document.h"

namespace fuseboard::llm {

// How long the text of a string is in UTF-8; `literal` is as it is written, quotes included. 0 for an empty view.
std::uint64_t text_bytes(std::string_view literal) noexcept;

// Of a string its text, of arguments that are given as an object what is written.
std::uint64_t value_bytes(const json::Value& value) noexcept;

// Of those members of an object that have one of these names.
std::uint64_t member_bytes(const json::Value& object, std::initializer_list<std::string_view> names);

// Of one `message` or `delta` of a chat completion: show it all members that is_content_field() knows.
class MessageBytes {
 public:
  void take(std::string_view name, const json::Value& value);
  std::uint64_t count() const noexcept { return said_ + (thoughts_ > details_ ? thoughts_ : details_); }

 private:
  std::uint64_t said_ = 0;
  // Servers say the same thoughts under two names, and once more with their details.
  std::uint64_t thoughts_ = 0;
  std::uint64_t details_ = 0;
};

// Of one item of a response's `output`.
std::uint64_t item_bytes(const json::Value& item);

}  // namespace fuseboard::llm
