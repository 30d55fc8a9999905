// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Tokens that a provider says it used.
#pragma once

#include <cstdint>

namespace fuseboard::llm {

// `prompt` includes `cached` and `cache_written`, and `completion` includes `reasoning`, as OpenAI counts. What the
// provider does not say is 0.
struct Usage {
  bool known = false;  // the answer had a usage object
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  std::uint64_t total = 0;
  std::uint64_t cached = 0;
  std::uint64_t reasoning = 0;
  std::uint64_t cache_written = 0;  // Anthropic: cache_creation_input_tokens

  friend bool operator==(const Usage&, const Usage&) noexcept = default;
};

}  // namespace fuseboard::llm
