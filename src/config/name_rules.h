// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What names may look like. A caller writes an alias or "provider/model", so neither part that comes first holds a '/'.
#pragma once

#include <algorithm>
#include <string_view>

namespace fuseboard::config {

inline constexpr std::size_t kLongestName = 128;

inline constexpr std::string_view kProviderNameRule =
    "a provider's name is 1 to 128 letters, digits, dots, underscores and hyphens";
inline constexpr std::string_view kAliasRule =
    "a model's name is 1 to 128 letters, digits and . _ : @ + - (no /, which divides a provider from its model)";
inline constexpr std::string_view kModelForm = "the provider's name for a model: 1 to 256 visible ASCII characters";

namespace names_internal {

inline bool consists_of(std::string_view text, std::string_view punctuation) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || punctuation.contains(c);
  });
}

}  // namespace names_internal

inline bool is_provider_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && names_internal::consists_of(text, "._-");
}

inline bool is_alias(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && names_internal::consists_of(text, "._:@+-");
}

inline bool is_upstream_model(std::string_view text) {
  return !text.empty() && text.size() <= 2 * kLongestName &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace fuseboard::config
