// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Tokens that a provider says it used, and what could be seen of them.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fuseboard::llm {

// `prompt` includes `cached` and `cache_written`, and `completion` includes `reasoning`, as OpenAI counts. What the
// provider does not say is 0.
struct Usage {
  // The answer said how much was used, in numbers that can be read. Text, negative numbers, fractions and numbers that
  // no model could reach are no zeros: whoever says such says nothing [BUD-10].
  bool known = false;
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  std::uint64_t total = 0;
  std::uint64_t cached = 0;
  std::uint64_t reasoning = 0;
  std::uint64_t cache_written = 0;  // Anthropic: cache_creation_input_tokens

  friend bool operator==(const Usage&, const Usage&) noexcept = default;
};

// What an answer was seen to say, whatever its provider tells of it [BUD-10].
struct SeenOutput {
  std::uint64_t bytes = 0;   // of text, thoughts, refusals and the arguments of calls, without their JSON escapes
  std::uint64_t pieces = 0;  // events, or parts of a whole answer, with content; pictures and sound are such alone

  // About: at least one for each piece, and for every four bytes, as requests are estimated [BUD-5].
  std::uint64_t tokens() const noexcept { return std::max(bytes / 4 + (bytes % 4 != 0 ? 1 : 0), pieces); }

  friend bool operator==(const SeenOutput&, const SeenOutput&) noexcept = default;
};

}  // namespace fuseboard::llm
