// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Images, documents and sounds that a request carries in itself: many bytes, few tokens.
#pragma once

#include <cstddef>
#include <string_view>

namespace fuseboard::llm {

struct InlineData {
  std::size_t items = 0;
  std::size_t bytes = 0;

  friend bool operator==(const InlineData&, const InlineData&) = default;
};

// What a JSON text carries as base64. Found by its looks: strings of kMinInlineData bytes or more without anything but
// base64 in them, behind the head of a data URL or by themselves. For texts that say "base64" somewhere: names of other
// things look the same. Never throws, any bytes are safe.
inline constexpr std::size_t kMinInlineData = 1024;
InlineData inline_data(std::string_view json) noexcept;

}  // namespace fuseboard::llm
