// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/caller_account.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "llm/digest.h"

namespace fuseboard::gateway {
namespace {

// With which a caller says whose account is to be used.
constexpr std::array<std::string_view, 3> kAccountHeaders = {"openai-organization", "openai-project",
                                                             "x-goog-user-project"};

// By which a provider tells callers apart.
constexpr std::array<std::string_view, 6> kCallersOwn = {"authorization",  "x-api-key",           "api-key",
                                                         "x-goog-api-key", "openai-organization", "openai-project"};

}  // namespace

CallerHash caller_hash(const net::Headers& caller) {
  std::string text;
  for (const std::string_view name : kCallersOwn) {
    const auto value = caller.find(name);
    if (!value) continue;
    text.append(name).append(":").append(std::to_string(value->size())).append(":").append(*value);
  }
  CallerHash hash;
  if (text.empty()) return hash;
  const auto digest = llm::sha256(text);
  std::memcpy(&hash.high, digest.data(), sizeof(hash.high));
  std::memcpy(&hash.low, digest.data() + sizeof(hash.high), sizeof(hash.low));
  return hash;
}

bool names_callers_account(const net::Headers& caller, const net::Headers& sent) noexcept {
  return std::ranges::any_of(kAccountHeaders, [&](std::string_view name) {
    const auto asked = caller.find(name);
    return asked && sent.find(name) == asked;
  });
}

}  // namespace fuseboard::gateway
