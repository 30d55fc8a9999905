// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reading how much was used. Included by sources of this module alone.
#pragma once

#include <cstdint>
#include <optional>

#include "json/document.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// What usage objects say, in the words of all providers. The events of one stream may each tell a part.
class UsageCounts {
 public:
  // More tokens than any model reads or writes in one call: a number above it cannot be read [BUD-10].
  static constexpr std::uint64_t kMaxTokens = 1'000'000'000;

  // Takes over what a usage object says; false for anything else, null included.
  bool update(const json::Value& value);
  Usage usage() const noexcept;

 private:
  // A number, as it was told last.
  struct Count {
    std::uint64_t tokens = 0;
    bool told = false;
    bool unreadable = false;  // something was told, and it is no count of tokens

    void read(const json::Value& value) noexcept;
  };

  Count prompt_{};  // includes what was cached
  Count input_{};   // Anthropic: without what was cached; the Responses API: with it
  Count completion_{};
  Count total_{};
  Count cached_{};  // part of prompt_ or of the Responses API's input_
  Count reasoning_{};
  Count cache_read_{};      // Anthropic, beside input_
  Count cache_creation_{};  // likewise
  Count cache_written_{};   // OpenRouter, part of prompt_
};

// Reads a usage object; nullopt for anything else, null included.
std::optional<Usage> read_usage(const json::Value& value);

}  // namespace fuseboard::llm
